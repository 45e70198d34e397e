//! The header that carries a credential.

use std::fmt;

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::Secret;

/// Name and value of the header that authenticates a request: right for every method.
///
/// The value is marked as sensitive, so that HTTP libraries neither print nor compress it.
#[derive(Clone)]
pub struct Authorization {
    name: HeaderName,
    value: HeaderValue,
}

impl Authorization {
    /// The header of both kinds of API key.
    pub const SMART_TOKEN: HeaderName = HeaderName::from_static("x-smarttoken");

    pub(crate) fn bearer(token: &Secret) -> Self {
        let mut value = zeroize::Zeroizing::new(String::with_capacity(7 + token.expose().len()));
        value.push_str("Bearer ");
        value.push_str(token.expose());
        Self::new(AUTHORIZATION, &value)
    }

    pub(crate) fn smart_token(key: &Secret) -> Self {
        Self::new(Self::SMART_TOKEN, key.expose())
    }

    fn new(name: HeaderName, value: &str) -> Self {
        let mut value =
            HeaderValue::from_str(value).expect("the constructors of tokens and keys checked it");
        value.set_sensitive(true);
        Self { name, value }
    }

    /// Returns the name: `authorization` or `x-smarttoken`.
    #[must_use]
    pub const fn name(&self) -> &HeaderName {
        &self.name
    }

    /// Returns the value, the credential included.
    #[must_use]
    pub const fn value(&self) -> &HeaderValue {
        &self.value
    }

    /// Puts the header into `headers`, instead of any earlier credential.
    pub fn apply_to(&self, headers: &mut HeaderMap) {
        headers.remove(AUTHORIZATION);
        headers.remove(Self::SMART_TOKEN);
        headers.insert(self.name.clone(), self.value.clone());
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorization({}: ••••)", self.name)
    }
}
