//! Who is at the other end of a connection: the client itself, or a proxy that says who is.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::header::{FORWARDED, HeaderName};
use http::{HeaderMap, Request, StatusCode};
use sr_partner::store::SourceKey;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What only a proxy that we trust may say.
const SAID_BY_PROXIES: [HeaderName; 6] = [
    FORWARDED,
    X_FORWARDED_FOR,
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    X_FORWARDED_PROTO,
    HeaderName::from_static("x-real-ip"),
];

/// Who is at the other end of a connection.
///
/// # Examples
///
/// ```
/// use sr_partner_axum::Peers;
///
/// let peers = Peers::Behind(vec!["10.0.0.0/8".parse()?, "fd00::/8".parse()?]);
/// # Ok::<(), sr_partner_axum::NotARange>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a client, or what stands between")]
pub enum Peers {
    /// Proxies at these addresses, which end TLS, and nobody else: they say in `X-Forwarded-For`
    /// whose request it is and in `X-Forwarded-Proto` that it came by https. Whoever connects from
    /// elsewhere is refused.
    Behind(Vec<AddressRange>),
    /// Clients themselves: this process ends TLS, or listens on loopback. Whatever a request says
    /// about proxies is taken out.
    #[default]
    Direct,
}

/// Where a request comes from, as far as its refusals are counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source(pub(crate) Option<SourceKey>);

impl Peers {
    /// Judges where a request comes from, and takes out what a stranger says about it.
    ///
    /// # Errors
    ///
    /// The status to answer with: for a peer that is no proxy of ours, and for a request that did
    /// not come by https though `is_secure`.
    pub(crate) fn admit(
        &self,
        request: &mut Request<Body>,
        is_secure: bool,
    ) -> Result<Source, StatusCode> {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|it| it.0.ip().to_canonical());
        match self {
            Self::Direct => {
                for name in &SAID_BY_PROXIES {
                    request.headers_mut().remove(name);
                }
                Ok(Source(peer.map(source)))
            }
            Self::Behind(proxies) => {
                let is_proxy = |it: IpAddr| proxies.iter().any(|range| range.contains(it));
                if !peer.is_some_and(is_proxy) {
                    return Err(StatusCode::FORBIDDEN);
                }
                let headers = request.headers_mut();
                let scheme = last(headers, &X_FORWARDED_PROTO);
                if is_secure && !scheme.is_some_and(|it| it.eq_ignore_ascii_case("https")) {
                    return Err(StatusCode::FORBIDDEN);
                }
                // Each proxy writes down who connected to it; what stands before is hearsay.
                let client = addresses(headers).rev().find(|it| it.is_none_or(|it| !is_proxy(it)));
                Ok(Source(client.flatten().map(source)))
            }
        }
    }
}

/// Names a source: an IPv6 customer has a whole network of addresses.
fn source(address: IpAddr) -> SourceKey {
    match address {
        IpAddr::V4(address) => SourceKey::of(&address.to_string()),
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64;
            SourceKey::of(&format!("{network:x}::/64"))
        }
    }
}

fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim)
}

/// Returns the addresses of `X-Forwarded-For`, in their order; `None` for what is none.
fn addresses(headers: &HeaderMap) -> impl DoubleEndedIterator<Item = Option<IpAddr>> {
    let texts = headers.get_all(&X_FORWARDED_FOR).iter();
    let texts = texts.flat_map(|it| it.to_str().unwrap_or_default().split(','));
    texts.map(|it| address(it.trim()))
}

fn address(text: &str) -> Option<IpAddr> {
    let bare = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|it| it.ip());
    bare.or_else(with_port).map(|it| it.to_canonical())
}

/// Addresses that begin with the same bits, such as `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AddressRange {
    bits: u32,
    first: IpAddr,
}

impl AddressRange {
    /// Tells whether an address is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let differ = u32::from(first) ^ u32::from(address);
                differ.leading_zeros() >= self.bits
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let differ = u128::from(first) ^ u128::from(address);
                differ.leading_zeros() >= self.bits
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for AddressRange {
    type Err = NotARange;

    fn from_str(text: &str) -> Result<Self, NotARange> {
        let (first, bits) =
            text.split_once('/').map_or((text, None), |(it, bits)| (it, Some(bits)));
        let first = first.parse::<IpAddr>().map_err(|_| NotARange)?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| NotARange)?;
        if bits > most {
            return Err(NotARange);
        }
        Ok(Self { bits, first })
    }
}

/// A text that is no address and no range of addresses.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a range of addresses, such as 10.0.0.0/8")]
#[non_exhaustive]
pub struct NotARange;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i09_a_network_of_addresses_is_one_source() {
        let of = |text: &str| source(text.parse().expect("an address"));
        let cases = [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
        ];
        for (one, other, same) in cases {
            assert_eq!(of(one) == of(other), same, "{one}, {other}");
        }
    }
}
