//! Name resolution by the system, with an error that can be recognised.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Asks the resolver of the system.
#[derive(Debug)]
pub(super) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Port 0 is replaced by the port of the URL.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found: Vec<_> = found.map_err(|_| Unresolved)?.collect();
            if found.is_empty() {
                return Err(Unresolved.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The name has no address, or nobody could be asked.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the name of the host could not be resolved")]
pub(super) struct Unresolved;
