//! What an operator holds: grants of which nothing is presented and nothing is handed out, until
//! they are released.
//!
//! The list rests in the store as one more record, under [a key of its own](Holds::key): so every
//! process hears of a change with its next pulse, and a backend knows of nothing new. Its text is
//! sealed like a token; whoever may only write to the store cannot make one up.

use serde::{Deserialize, Serialize};

use super::record::{GrantKey, StoredToken};
use crate::{ConfigError, Fault, FingerprintKey, Secret, Setting, Timestamp};

/// The holds of a store.
///
/// # Examples
///
/// ```
/// use sr_auth_core::Timestamp;
/// use sr_auth_core::store::{GrantKey, Hold, HoldScope, Holds};
///
/// let acme = HoldScope::Under(GrantKey::new("planner/acme")?);
/// let hold = Hold::new(acme.clone(), "leaked key, ask the office", Timestamp::EPOCH)?;
/// let holds = Holds::default().with(hold)?;
/// assert!(holds.of(&GrantKey::new("planner/acme/anna")?).is_some());
/// assert!(holds.of(&GrantKey::new("planner/acmeology")?).is_none());
/// assert!(holds.without(&acme).is_empty());
/// # Ok::<(), sr_auth_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Holds(Vec<Hold>);

/// One order of an operator.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hold {
    reason: String,
    scope: HoldScope,
    since: Timestamp,
}

/// Which grants are held.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "some grants, or all of them")]
pub enum HoldScope {
    /// All grants of the store.
    All,
    /// The grant with this key, and those whose keys go on with `/` after it: a company, and whatever
    /// is filed under it.
    Under(GrantKey),
}

impl HoldScope {
    /// Tells whether it covers a grant.
    #[must_use]
    pub fn covers(&self, key: &GrantKey) -> bool {
        match self {
            Self::All => true,
            Self::Under(under) => {
                let rest = key.as_str().strip_prefix(under.as_str());
                rest.is_some_and(|it| it.is_empty() || it.starts_with('/'))
            }
        }
    }
}

impl Hold {
    /// The longest reason, in bytes.
    pub const REASON_LIMIT: usize = 200;

    /// Takes an order, and why it was given: for the people who will ask. The reason is no secret.
    ///
    /// # Errors
    ///
    /// Of the reason: [`Fault::ControlCharacter`], and [`Fault::OutOfRange`] beyond
    /// [`REASON_LIMIT`](Self::REASON_LIMIT).
    pub fn new(scope: HoldScope, reason: &str, since: Timestamp) -> Result<Self, ConfigError> {
        let error = |fault| Err(ConfigError::new(Setting::Hold, fault));
        match reason {
            reason if reason.len() > Self::REASON_LIMIT => error(Fault::OutOfRange),
            reason if reason.chars().any(char::is_control) => error(Fault::ControlCharacter),
            reason => Ok(Self { reason: reason.to_owned(), scope, since }),
        }
    }

    /// Returns why the order was given; empty if nobody said.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns which grants it is about.
    #[must_use]
    pub const fn scope(&self) -> &HoldScope {
        &self.scope
    }

    /// Returns when it was given, by the store's clock.
    #[must_use]
    pub const fn since(&self) -> Timestamp {
        self.since
    }
}

impl Holds {
    /// The most that a list takes: for more, hold what their keys have in common, or everything.
    pub const LIMIT: usize = 32;

    /// What stands in a list that cannot be read: somebody meant something, so all grants are held.
    const UNREADABLE: &str = "the list of holds cannot be read; release everything to begin anew";

    /// The text of [`key`](Self::key).
    const KEY: &str = "sr-auth/holds";

    /// Returns the key under which the list rests. No grant can be called so.
    #[must_use]
    pub fn key() -> GrantKey {
        GrantKey::of_ours(Self::KEY)
    }

    /// Tells whether a key is the one under which the list rests.
    #[must_use]
    pub fn is_key(key: &GrantKey) -> bool {
        key.as_str() == Self::KEY
    }

    /// Returns the order that holds a grant, the oldest if there are several.
    #[must_use]
    pub fn of(&self, key: &GrantKey) -> Option<&Hold> {
        self.0.iter().find(|it| it.scope.covers(key))
    }

    /// Returns the orders, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Hold> {
        self.0.iter()
    }

    /// Tells whether nothing is held.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an order. One about the same grants stays as it is.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfRange`] beyond [`LIMIT`](Self::LIMIT).
    pub fn with(mut self, hold: Hold) -> Result<Self, ConfigError> {
        if self.0.iter().any(|it| it.scope == hold.scope) {
            return Ok(self);
        }
        if self.0.len() >= Self::LIMIT {
            return Err(ConfigError::new(Setting::Hold, Fault::OutOfRange));
        }
        self.0.push(hold);
        Ok(self)
    }

    /// Takes back the order about exactly these grants; with [`HoldScope::All`], every order.
    #[must_use]
    pub fn without(mut self, scope: &HoldScope) -> Self {
        self.0.retain(|it| *scope != HoldScope::All && it.scope != *scope);
        self
    }

    /// Reads the list from the record under its [key](Self::key): what stands there as an access
    /// token.
    #[must_use]
    pub fn from_token(token: &StoredToken<Secret>) -> Self {
        let written: Option<Vec<Written>> = serde_json::from_str(token.value.expose()).ok();
        let read = |it: Written| {
            let scope = match it.under {
                Some(under) => HoldScope::Under(GrantKey::new(&under).ok()?),
                None => HoldScope::All,
            };
            Hold::new(scope, &it.reason, Timestamp::from_unix_millis(it.since)).ok()
        };
        let holds = written.and_then(|it| it.into_iter().map(read).collect::<Option<Vec<_>>>());
        Self(holds.unwrap_or_else(|| {
            let reason = Self::UNREADABLE.to_owned();
            vec![Hold { reason, scope: HoldScope::All, since: Timestamp::EPOCH }]
        }))
    }

    /// Returns the list as the record under its [key](Self::key) keeps it.
    #[must_use]
    pub fn to_token(&self) -> StoredToken<Secret> {
        let written = self.0.iter().map(|it| Written {
            reason: it.reason.clone(),
            since: it.since.as_unix_millis(),
            under: match &it.scope {
                HoldScope::All => None,
                HoldScope::Under(key) => Some(key.as_str().to_owned()),
            },
        });
        let written: Vec<_> = written.collect();
        // Texts and numbers are always JSON; what could not be written would hold everything.
        let value = Secret::new(serde_json::to_string(&written).unwrap_or_default());
        // Compared only with itself: it tells one list from another.
        let fingerprint = FingerprintKey::new([0; 32]).fingerprint(&value);
        let never = Timestamp::from_unix_millis(i64::MAX.unsigned_abs());
        StoredToken { ends_at: never, fingerprint, renew_at: never, value }
    }
}

/// How an order is written.
#[derive(Deserialize, Serialize)]
struct Written {
    reason: String,
    /// Milliseconds since 1970.
    since: u64,
    /// Absent for all grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    under: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_covers_a_company_and_what_is_filed_under_it() {
        let cases = [
            ("planner/acme", "planner/acme", true),
            ("planner/acme", "planner/acme/anna", true),
            ("planner/acme", "planner/acmeology", false),
            ("planner/acme", "planner", false),
            ("planner/acme", "other/planner/acme", false),
        ];
        for (under, grant, expected) in cases {
            assert_eq!(HoldScope::Under(key(under)).covers(&key(grant)), expected, "{grant}");
        }
        assert!(HoldScope::All.covers(&key("anything")));
    }

    #[test]
    fn a_list_comes_back_as_it_was_written() {
        let under = HoldScope::Under(key("planner/\"acme\""));
        let holds = Holds::default().with(hold(under.clone())).expect("room");
        let holds = holds.with(hold(HoldScope::All)).expect("room");
        for holds in [Holds::default(), holds.clone(), holds.clone().without(&under)] {
            assert_eq!(Holds::from_token(&holds.to_token()), holds);
        }
        assert!(holds.without(&HoldScope::All).is_empty(), "all of them");
    }

    #[test]
    fn a_list_that_cannot_be_read_holds_everything() {
        for text in ["", "[{}]", "[{\"reason\":\"\",\"since\":1,\"under\":\"\"}]", "{}"] {
            let token =
                StoredToken { value: Secret::new(text.to_owned()), ..Holds::default().to_token() };
            let holds = Holds::from_token(&token);
            assert!(holds.of(&key("planner/acme")).is_some(), "{text}");
        }
    }

    #[test]
    fn a_list_is_bounded_and_says_the_same_thing_once() {
        let mut holds = Holds::default();
        for number in 0..Holds::LIMIT {
            let scope = HoldScope::Under(key(&format!("planner/{number}")));
            holds = holds.with(hold(scope.clone())).expect("room");
            holds = holds.with(hold(scope)).expect("it is there");
        }
        assert_eq!(holds.iter().count(), Holds::LIMIT);
        let longest = GrantKey::new(&"\"".repeat(GrantKey::LIMIT)).expect("a key");
        assert!(holds.with(hold(HoldScope::Under(longest))).is_err());
        assert!(Hold::new(HoldScope::All, &"x".repeat(201), Timestamp::EPOCH).is_err());
        assert!(Hold::new(HoldScope::All, "a\nb", Timestamp::EPOCH).is_err());
    }

    fn hold(scope: HoldScope) -> Hold {
        Hold::new(scope, "ask the \"office\"", Timestamp::from_unix_secs(7)).expect("a reason")
    }

    fn key(text: &str) -> GrantKey {
        GrantKey::new(text).expect("a key")
    }
}
