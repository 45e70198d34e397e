//! The addresses of requests, parsed once: nearly all go to the same token endpoint.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use http::Uri;
use reqwest::Url;

use crate::{TransportError, TransportErrorKind};

/// Turns addresses into those of reqwest, and remembers the last. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses(Arc<ArcSwapOption<(Uri, Url)>>);

impl Addresses {
    /// Returns the address of a request.
    pub(super) fn url(&self, uri: &Uri) -> Result<Url, TransportError> {
        if let Some(last) = &*self.0.load()
            && last.0 == *uri
        {
            return Ok(last.1.clone());
        }
        let url = Url::parse(&uri.to_string())
            .map_err(|_| TransportError::before_send(TransportErrorKind::Unsupported))?;
        self.0.store(Some(Arc::new((uri.clone(), url.clone()))));
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_its_own_whatever_was_asked_for_before() {
        let addresses = Addresses::default();
        let cases = [
            "https://api.smartrecruiters.com/identity/oauth/token",
            "https://api.smartrecruiters.com/identity/oauth/token",
            "https://api.smartrecruiters.com/identity/oauth/token?a=b",
            "http://127.0.0.1:8080/identity/oauth/token",
            "https://api.smartrecruiters.com/identity/oauth/token",
        ];
        for uri in cases {
            assert_eq!(addresses.url(&uri.parse().unwrap()).unwrap().as_str(), uri);
        }
    }
}
