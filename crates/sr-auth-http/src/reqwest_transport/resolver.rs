//! Name resolution by the system, with an error that can be recognised.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Asks the resolver of the system.
#[derive(Debug)]
pub(super) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Port 0 is replaced by the port of the URL.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = usable(name.as_str(), found.map_err(|_| Unresolved)?);
            if found.is_empty() {
                return Err(Unresolved.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Keeps the addresses that a name may have: `localhost` is this machine (RFC 6761 §6.3), and
/// nowhere else may plain http go.
fn usable(name: &str, found: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let here = name.eq_ignore_ascii_case("localhost");
    found.filter(|it| !here || it.ip().is_loopback()).collect()
}

/// The name has no address, or nobody could be asked.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the name of the host could not be resolved")]
pub(super) struct Unresolved;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_this_machine_whatever_the_system_says() {
        let found: [SocketAddr; 2] =
            ["203.0.113.7:0", "127.0.0.1:0"].map(|it| it.parse().expect("an address"));
        assert_eq!(usable("localhost", found.into_iter()), found[1..]);
        assert_eq!(usable("api.smartrecruiters.com", found.into_iter()), found);
    }
}
