//! How the callback comes back: to a listener on loopback, or pasted by the user.

use std::io::{BufRead as _, Read as _};
use std::net::{IpAddr, Ipv4Addr};

use sr_auth_core::Secret;
use sr_auth_core::wire::callback::Callback;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::LoginArguments;
use crate::environment;
use crate::exit::Failure;
use crate::loopback::{Farewell, Loopback};

/// Where the callback is awaited.
pub(super) enum Reception {
    /// On this machine.
    Listen { loopback: Loopback, redirect_uri: String },
    /// At the keyboard: the redirect URI leads elsewhere.
    Paste { redirect_uri: String },
}

impl Reception {
    /// Prepares what the arguments ask for; a listener is open when this returns.
    pub(super) async fn new(arguments: &LoginArguments) -> Result<Self, Failure> {
        let given = match &arguments.redirect_uri {
            Some(uri) => Some(uri.clone()),
            None => environment::text("SR_AUTH_REDIRECT_URI")?,
        };
        if arguments.paste {
            let Some(redirect_uri) = given else {
                return Err(Failure::usage(
                    "--paste needs the redirect URI that the application is registered with",
                    "add --redirect-uri, or set SR_AUTH_REDIRECT_URI",
                ));
            };
            return Ok(Self::Paste { redirect_uri });
        }
        let place = match given {
            Some(uri) => Place::read(&uri, arguments.port)?,
            None => Place {
                address: Ipv4Addr::LOCALHOST.into(),
                path: "/callback".to_owned(),
                port: arguments.port,
            },
        };
        let loopback = Loopback::bind(place.address, place.port, &place.path).await?;
        let redirect_uri = loopback.redirect_uri();
        Ok(Self::Listen { loopback, redirect_uri })
    }

    /// Returns the redirect URI to send.
    pub(super) fn redirect_uri(&self) -> &str {
        match self {
            Self::Listen { redirect_uri, .. } | Self::Paste { redirect_uri } => redirect_uri,
        }
    }

    /// Tells the user what is awaited.
    pub(super) const fn hint(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "Waiting for the browser to come back ...",
            Self::Paste { .. } => {
                "Then paste the address that the browser was sent back to, within 30 seconds:"
            }
        }
    }

    /// Waits for the callback; a listener takes only the one with this `state`.
    pub(super) async fn callback(
        self,
        state: &Secret,
    ) -> Result<(Callback, Option<Farewell>), Failure> {
        match self {
            Self::Listen { loopback, .. } => {
                let (callback, farewell) = loopback.callback(state).await?;
                Ok((callback, Some(farewell)))
            }
            Self::Paste { .. } => {
                let pasted = tokio::task::spawn_blocking(read_line).await;
                let failed = |error| Failure::io("standard input cannot be read", &error);
                let line = pasted.unwrap_or_else(|error| Err(error.into())).map_err(failed)?;
                Ok((Callback::new(&line), None))
            }
        }
    }
}

/// Reads the first line that is not empty.
fn read_line() -> std::io::Result<Zeroizing<String>> {
    // One byte more shows that it is too long.
    let limit = Callback::LIMIT + 1;
    let mut line = Zeroizing::new(String::with_capacity(limit));
    let mut input = std::io::stdin().lock().take(limit as u64);
    while line.trim().is_empty() {
        if input.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(line)
}

/// Where a redirect URI on loopback leads.
#[derive(Debug, Eq, PartialEq)]
struct Place {
    address: IpAddr,
    path: String,
    port: u16,
}

impl Place {
    fn read(uri: &str, port: u16) -> Result<Self, Failure> {
        let elsewhere = || {
            Failure::usage(
                "the redirect URI does not lead to an address of this machine",
                "use http://127.0.0.1/callback or http://[::1]/callback; or --paste for any other",
            )
        };
        let url = Url::parse(uri).map_err(|_| elsewhere())?;
        let address: IpAddr = match url.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            // Not even `localhost`: the name may lead elsewhere (RFC 8252 §8.3).
            Some(Host::Domain(_)) | None => return Err(elsewhere()),
        };
        if url.scheme() != "http" || !address.is_loopback() || url.query().is_some() {
            return Err(elsewhere());
        }
        // They would be lost on the way: what is sent is put together anew.
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(Failure::usage(
                "the redirect URI has a user name, a password or a fragment",
                "leave it out: no redirect URI may have one",
            ));
        }
        match url.port() {
            Some(other) if port != 0 && port != other => {
                Err(Failure::usage("--port and the redirect URI differ", "leave --port out"))
            }
            named => {
                let port = named.unwrap_or(port);
                Ok(Self { address, path: url.path().to_owned(), port })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c31_only_an_address_of_this_machine_is_listened_on() {
        let place = |address: &str, path: &str, port| {
            let address = address.parse().expect("it is an address");
            Some(Place { address, path: path.to_owned(), port })
        };
        let cases = [
            ("any port", "http://127.0.0.1/callback", 0, place("127.0.0.1", "/callback", 0)),
            ("a port by flag", "http://127.0.0.1/cb", 8123, place("127.0.0.1", "/cb", 8123)),
            ("IPv6", "http://[::1]:8123/callback", 0, place("::1", "/callback", 8123)),
            ("two ports", "http://127.0.0.1:1/callback", 2, None),
            ("a name", "http://localhost:8123/callback", 0, None),
            ("every interface", "http://0.0.0.0:8123/callback", 0, None),
            ("another machine", "http://192.0.2.1/callback", 0, None),
            ("https", "https://127.0.0.1/callback", 0, None),
            ("no URL", "callback", 0, None),
            ("a user", "http://user@127.0.0.1/callback", 0, None),
            ("a password", "http://:secret@127.0.0.1/callback", 0, None),
            ("a fragment", "http://127.0.0.1/callback#there", 0, None),
            ("an empty fragment", "http://127.0.0.1/callback#", 0, None),
        ];
        for (name, uri, port, expected) in cases {
            assert_eq!(Place::read(uri, port).ok(), expected, "{name}");
        }
    }
}
