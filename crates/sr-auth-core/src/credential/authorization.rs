//! The header that carries a credential.

use std::fmt;

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::token::checked_access_token;
use crate::store::StoredToken;
use crate::{ConfigError, Fingerprint, Secret};

static BEARER: HeaderName = AUTHORIZATION;
static SMART_TOKEN: HeaderName = Authorization::SMART_TOKEN;

/// Name and value of the header that authenticates a request: right for every method.
///
/// The value is marked as sensitive, so that HTTP libraries neither print nor compress it. A clone
/// shares it.
#[derive(Clone)]
pub struct Authorization {
    value: HeaderValue,
    /// Says something for a kept token only; beside the scheme, so that a copy has no case to decide.
    fingerprint: Fingerprint,
    scheme: Scheme,
}

#[derive(Clone, Copy, Debug)]
enum Scheme {
    Bearer,
    /// A bearer token that has a fingerprint.
    Kept,
    SmartToken,
}

impl Authorization {
    /// The header of both kinds of API key.
    pub const SMART_TOKEN: HeaderName = HeaderName::from_static("x-smarttoken");

    pub(crate) fn bearer(token: &Secret) -> Self {
        Self::new(Scheme::Bearer, &["Bearer ", token.expose()])
    }

    pub(crate) fn smart_token(key: &Secret) -> Self {
        Self::new(Scheme::SmartToken, &[key.expose()])
    }

    fn new(scheme: Scheme, parts: &[&str]) -> Self {
        let length: usize = parts.iter().map(|it| it.len()).sum();
        // The buffer becomes the value, without a copy that would have to be wiped. One with room to
        // spare is counted from the beginning, and each copy has a case less to decide.
        let mut value = String::with_capacity(length + 1);
        parts.iter().for_each(|part| value.push_str(part));
        let mut value =
            HeaderValue::try_from(value).expect("the constructors of tokens and keys checked it");
        value.set_sensitive(true);
        Self { value, fingerprint: Fingerprint::from_bytes([0; 16]), scheme }
    }

    /// Returns the name: `authorization` or `x-smarttoken`.
    #[must_use]
    pub fn name(&self) -> &'static HeaderName {
        match self.scheme {
            Scheme::Bearer | Scheme::Kept => &BEARER,
            Scheme::SmartToken => &SMART_TOKEN,
        }
    }

    /// Returns the value, the credential included.
    #[must_use]
    pub const fn value(&self) -> &HeaderValue {
        &self.value
    }

    /// Returns the fingerprint of the access token of a kept grant: what a 401 is reported with.
    ///
    /// `None` for what nobody would renew: a key, or a token that was taken from elsewhere.
    #[must_use]
    pub const fn fingerprint(&self) -> Option<Fingerprint> {
        match self.scheme {
            Scheme::Bearer | Scheme::SmartToken => None,
            Scheme::Kept => Some(self.fingerprint),
        }
    }

    /// Puts the header into `headers`, instead of any earlier credential.
    #[inline(always)]
    pub fn apply_to(&self, headers: &mut HeaderMap) {
        let value = self.value.clone();
        // A name that is known here is not looked at again.
        match self.scheme {
            Scheme::Bearer | Scheme::Kept => {
                headers.remove(&SMART_TOKEN);
                headers.insert(AUTHORIZATION, value);
            }
            Scheme::SmartToken => {
                headers.remove(AUTHORIZATION);
                headers.insert(Self::SMART_TOKEN, value);
            }
        }
    }
}

impl StoredToken<Secret> {
    /// Returns the header that carries an access token, with its fingerprint.
    ///
    /// # Errors
    ///
    /// As for [`AccessToken::new`](crate::AccessToken::new): a store may hold what no header can carry.
    pub fn authorization(&self) -> Result<Authorization, ConfigError> {
        checked_access_token(&self.value)?;
        let bearer = Authorization::bearer(&self.value);
        Ok(Authorization { fingerprint: self.fingerprint, scheme: Scheme::Kept, ..bearer })
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorization({}: ••••)", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccessToken, Fault, FingerprintKey, Timestamp};

    #[test]
    fn a_stored_token_is_sent_with_its_fingerprint_or_not_at_all() {
        let long = "a".repeat(AccessToken::LIMIT + 1);
        let cases = [
            ("a token", "DCRD10-e7c5", Ok("Bearer DCRD10-e7c5")),
            ("nothing", "", Err(Fault::Empty)),
            ("a line break", "a\r\nX-Other: b", Err(Fault::ControlCharacter)),
            ("another alphabet", "ключ", Err(Fault::NotPrintable)),
            ("too long", &long, Err(Fault::OutOfRange)),
        ];
        for (name, text, expected) in cases {
            let value = Secret::new(text.to_owned());
            let fingerprint = FingerprintKey::new([7; 32]).fingerprint(&value);
            let (ends_at, renew_at) = (Timestamp::MAX, Timestamp::MAX);
            let token = StoredToken { ends_at, fingerprint, renew_at, value };
            let header = token.authorization();
            assert_eq!(header.as_ref().map_err(ConfigError::fault).err(), expected.err(), "{name}");
            let sent = header.as_ref().ok().map(|it| (it.value().to_str().ok(), it.fingerprint()));
            let expected = expected.ok().map(|it| (Some(it), Some(fingerprint)));
            assert_eq!(sent, expected, "{name}");
        }
    }
}
