//! Keys for the header `X-SmartToken`.

use sr_auth_core::Secret;

/// A key for the header `X-SmartToken`.
#[derive(Clone, Debug)]
pub struct Key {
    pub(crate) description: String,
    pub(crate) holder: KeyHolder,
    pub(crate) name: String,
    pub(crate) secret: Secret,
}

/// Whose key it is; the two kinds are not interchangeable.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyHolder {
    /// A company, by id: the whole company, and no scopes.
    Company(String),
    /// A partner, by name: the job feed.
    Partner(String),
}

impl Key {
    /// Makes a key of a company or a partner.
    #[must_use]
    pub const fn new(holder: KeyHolder, secret: Secret) -> Self {
        Self { description: String::new(), holder, name: String::new(), secret }
    }

    /// Sets what the Credential Manager calls it, and says about it.
    #[must_use]
    pub fn named(self, name: &str, description: &str) -> Self {
        let [name, description] = [name, description].map(str::to_owned);
        Self { description, name, ..self }
    }
}
