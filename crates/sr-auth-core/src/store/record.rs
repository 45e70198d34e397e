//! What a store keeps about one grant.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{ConfigError, Fault, Fingerprint, Setting, Timestamp};

/// Names a grant: one application, one company, one subject.
///
/// The application chooses the text; it must differ for whatever must not share a token. It is no
/// secret and appears in logs. Copies share one text.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct GrantKey(Arc<str>);

impl GrantKey {
    /// The longest key, in bytes.
    pub const LIMIT: usize = 255;

    /// Takes a key.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`], [`Fault::ControlCharacter`], and [`Fault::OutOfRange`] beyond
    /// [`LIMIT`](Self::LIMIT).
    pub fn new(key: &str) -> Result<Self, ConfigError> {
        let error = |fault| Err(ConfigError::new(Setting::GrantKey, fault));
        match key {
            "" => error(Fault::Empty),
            key if key.len() > Self::LIMIT => error(Fault::OutOfRange),
            key if key.chars().any(char::is_control) => error(Fault::ControlCharacter),
            key => Ok(Self(key.into())),
        }
    }

    /// Makes a key of this crate's own.
    pub(crate) fn of_ours(key: &str) -> Self {
        Self(key.into())
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GrantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many times the tokens of a grant have been replaced, by rotation, by a new consent or by an
/// end. It never goes back while the store is the same.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Generation(u64);

impl Generation {
    /// Takes over a stored number.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number, for storing it.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Returns the generation after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Names a process, from its start to its end: random, made anew at every start.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct OwnerId([u64; 2]);

impl OwnerId {
    /// Takes 128 random bits.
    #[must_use]
    pub const fn new(random: u128) -> Self {
        Self([(random >> 64) as u64, random as u64])
    }

    /// Returns the bits, for storing them.
    #[must_use]
    pub const fn number(self) -> u128 {
        let [high, low] = self.0;
        ((high as u128) << 64) | low as u128
    }
}

/// Names one intent of one process.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct IntentId {
    /// Counts the intents of the owner.
    pub number: u64,
    /// Whose intent it is.
    pub owner: OwnerId,
}

/// A presentation that may be under way: written before the first byte leaves.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct Intent {
    /// When it was written, by the store's clock.
    pub armed_at: Timestamp,
    /// 1, or more when earlier presentations are unsettled: a refusal then means *lost in rotation*.
    pub attempt: u32,
    /// The refresh token that is presented; `None` for client credentials.
    pub fingerprint: Option<Fingerprint>,
    /// Its name.
    pub id: IntentId,
    /// How long after `armed_at` nobody may present again.
    pub quiet: Duration,
}

/// Refusals that were not believed, counted: the server gave a reason that nobody knows, or it
/// refused so many grants at once that the refusals themselves are in doubt. Five of one kind over
/// a day are a death.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct Refusals {
    /// How many of this kind in a row.
    pub count: u32,
    /// When the first of them came, by the store's clock.
    pub first_at: Timestamp,
    /// Their HTTP status, which tells one kind from another.
    pub status: u16,
}

impl Refusals {
    /// Returns the count after one more refusal.
    #[must_use]
    pub fn after(self, now: Timestamp, status: u16) -> Self {
        if self.count > 0 && self.status == status {
            return Self { count: self.count.saturating_add(1), ..self };
        }
        Self { count: 1, first_at: now, status }
    }
}

/// How a grant gets its next access token.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "it can be asked again, or it cannot")]
pub enum Renewal {
    /// Client credentials: asking twice yields another token and costs nothing.
    Repeatable,
    /// A refresh token that works once.
    SingleUse,
}

/// A token as a store keeps it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct StoredToken<V> {
    /// From when it is not used any more, by the store's clock: an access token's expiry less its
    /// last moments, a refresh token's 28 days.
    pub ends_at: Timestamp,
    /// Its name in logs and comparisons.
    pub fingerprint: Fingerprint,
    /// From when it wants to be replaced, by the store's clock.
    pub renew_at: Timestamp,
    /// The token.
    pub value: V,
}

/// Whether a grant can bring tokens, and if not, what would revive it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "every state of a grant is decided about")]
pub enum Health {
    /// Verified dead; only a late commit of the same generation or a new consent revives it.
    Dead(CauseOfDeath),
    /// An administrator disabled the integration.
    Disabled,
    /// The last refresh brought no successor: one more presentation, at the access token's end.
    LastLeg,
    /// In order.
    Live,
    /// Ended by the application itself.
    Revoked,
    /// Refused, but the refusal is not believed yet: see [`Refusals`].
    Suspect,
}

impl Health {
    /// Tells whether a refresh token may still be presented.
    #[must_use]
    pub const fn may_present(self) -> bool {
        matches!(self, Self::LastLeg | Self::Live | Self::Suspect)
    }
}

/// Why a grant is dead.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CauseOfDeath {
    /// The server refused the refresh token after its 28 days.
    Expired,
    /// The answer to a presentation was lost, and with it the only valid refresh token.
    LostInRotation,
    /// The server refused the refresh token within its 28 days: revoked, or its user was deleted.
    RefusedByServer,
    /// The same refusal that nobody understands, five times over a day.
    Unrecognised,
}

/// How a grant is ended on purpose.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the two ends that are not deaths")]
pub enum End {
    /// The customer disabled the integration.
    Disabled,
    /// The application gave the grant up.
    Revoked,
}

/// A successor that could not be committed because the record had moved on, or a consent that was
/// told after a later one.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct Sibling<V> {
    /// The generation whose successor it is; of a consent, the one beside which it was told.
    pub from: Generation,
    /// The refresh token.
    pub token: StoredToken<V>,
}

/// What happened to a grant, by fingerprints only.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct LedgerEntry {
    /// When, by the store's clock.
    pub at: Timestamp,
    /// What.
    pub event: LedgerEvent,
    /// The refresh token that it is about.
    pub fingerprint: Option<Fingerprint>,
    /// The generation after it.
    pub generation: Generation,
    /// Which process did it; `None` for an administrator.
    pub owner: Option<OwnerId>,
}

/// The kinds of [`LedgerEntry`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum LedgerEvent {
    /// A new grant, from a consent or an import.
    Adopted,
    /// Found dead.
    Buried(CauseOfDeath),
    /// Ended on purpose.
    Ended(End),
    /// A successor, or a consent that was told late, was put aside.
    Escrowed,
    /// Rotated.
    Rotated,
    /// Another process, or the same one, armed over an intent whose quiet period was over.
    TakenOver,
}

/// Everything that a store keeps about one grant.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct Record<V> {
    /// The access token, if there is one.
    pub access: Option<StoredToken<V>>,
    /// How often its tokens were replaced.
    pub generation: Generation,
    /// Whether it can bring tokens.
    pub health: Health,
    /// The presentation that may be under way.
    pub intent: Option<Intent>,
    /// The newest entries, the oldest first.
    pub ledger: Vec<LedgerEntry>,
    /// Nobody presents before this moment, by the store's clock: a back-off that all share.
    pub not_before: Timestamp,
    /// The refresh token, if there is one.
    pub refresh: Option<StoredToken<V>>,
    /// The refusals that were not believed.
    pub refusals: Refusals,
    /// How it gets its next access token.
    pub renewal: Renewal,
    /// The successor that was put aside, if there is one.
    pub sibling: Option<Sibling<V>>,
    /// How many presentations of this generation were armed over: what became of them is unknown.
    pub unsettled: u32,
}

impl<V> Record<V> {
    /// How many ledger entries are kept.
    pub const LEDGER_LIMIT: usize = 16;

    /// Returns when somebody has to look at the grant though no caller asks, by the store's clock:
    /// the end of a quiet period, or the moment at which its refresh token wants to be replaced.
    ///
    /// `None` for what needs no care: grants that have ended, and client credentials.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        if self.renewal == Renewal::Repeatable || !self.health.may_present() {
            return None;
        }
        let quiet_until = self.intent.as_ref().map(|it| it.armed_at.after(it.quiet));
        let renew_at = || self.refresh.as_ref().map(|it| it.renew_at.max(self.not_before));
        quiet_until.or_else(renew_at)
    }
}
