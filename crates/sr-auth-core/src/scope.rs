//! Access scopes (RFC 6749 §3.3): open text, with the known names as data.

mod known;

pub use known::{Evidence, KnownScope};

use std::collections::BTreeSet;
use std::fmt;

use crate::{ConfigError, Fault, Setting};

/// One access scope, such as `candidates_read`.
///
/// The service's lists of names disagree with each other, so any well-formed name is accepted;
/// [`known`](Self::known) helps to warn about a typing error.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Scope(Box<str>);

impl Scope {
    /// Takes a name of one or more characters of `%x21 / %x23-5B / %x5D-7E`.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`] and [`Fault::NotPrintable`].
    pub fn new(name: &str) -> Result<Self, ConfigError> {
        let allowed = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        match name {
            "" => Err(ConfigError::new(Setting::Scope, Fault::Empty)),
            name if name.bytes().all(allowed) => Ok(Self(name.into())),
            _ => Err(ConfigError::new(Setting::Scope, Fault::NotPrintable)),
        }
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what is known about the name; `None` may mean a typing error, or a newer scope.
    #[must_use]
    pub fn known(&self) -> Option<&'static KnownScope> {
        KnownScope::find(&self.0)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A set of access scopes, in alphabetical order.
///
/// # Examples
///
/// ```
/// use sr_auth_core::ScopeSet;
///
/// let scopes = ScopeSet::parse("jobs_read candidates_read jobs_read")?;
/// assert_eq!(scopes.to_string(), "candidates_read jobs_read");
/// assert!(scopes.unrecognised().next().is_none());
/// # Ok::<(), sr_auth_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct ScopeSet(BTreeSet<Scope>);

impl ScopeSet {
    /// Reads names separated by spaces; the empty text is the empty set.
    ///
    /// # Errors
    ///
    /// [`Fault::NotPrintable`] when a name has a character that RFC 6749 §3.3 forbids.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        text.split(' ').filter(|name| !name.is_empty()).map(Scope::new).collect()
    }

    /// Tells whether there is no scope in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether a scope is in it.
    #[must_use]
    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// Returns the scopes in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Returns the scopes whose names are not known: worth a warning, never a refusal.
    pub fn unrecognised(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter().filter(|scope| scope.known().is_none())
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{scope}")?;
        }
        Ok(())
    }
}
