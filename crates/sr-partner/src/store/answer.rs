//! What a store of integrations answers, as values.

use std::fmt;

use sr_auth_core::store::{Generation, Sequence, StoreIdentity};
use sr_auth_core::{ScopeSet, SecretDigest, Timestamp};

use super::record::IntegrationRecord;
use crate::{IntegrationKey, TenantId};

/// What a store of integrations answers, and the time by its clock, which all processes share.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "taken apart by every machine")]
pub struct PartnerAnswer<V> {
    /// The store's clock when the operation was carried out.
    pub now: Timestamp,
    /// What came of it.
    pub outcome: PartnerOutcome<V>,
}

/// What came of an operation.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a machine that skips an outcome is broken")]
pub enum PartnerOutcome<V> {
    /// `EndAll`: how many integrations and attempts ended.
    AllEnded {
        /// How many.
        count: usize,
    },
    /// `Begin`, `Activate`: the company is joined with another tenant.
    BoundElsewhere(IntegrationRecord<()>),
    /// `Begin`: another attempt stands.
    Busy {
        /// The record, with that attempt.
        record: IntegrationRecord<()>,
        /// Until when it does.
        until: Timestamp,
    },
    /// `FindClient`: the client, if there is a good one of that name.
    Client(Option<KnownClient>),
    /// `CountRefusal`.
    Counted,
    /// `Disable`: what it did.
    Disabled {
        /// What.
        effect: DisableEffect,
        /// For whom the token speaks.
        principal: Principal,
    },
    /// The record after the change: `Activate`, `Arm`, `Begin`, `Commit`, `End`, `Void`.
    Done(IntegrationRecord<()>),
    /// `Identify`, `Disable`: no such token, or one that has expired.
    Foreign,
    /// `Identify`: for whom the token speaks.
    Identified(Principal),
    /// `Issue`: the token counts until then.
    Issued {
        /// By the store's clock.
        expires_at: Timestamp,
    },
    /// `Unsettled`: the companies.
    Keys(Vec<IntegrationKey>),
    /// `Load`: what is there.
    Loaded(IntegrationRecord<V>),
    /// There is no such company, or no such client.
    Missing,
    /// `Begin`: there is a newer attempt than the one that was seen.
    Moved(IntegrationRecord<()>),
    /// `Pulse`.
    News(PartnerNews),
    /// The attempt is not the one that stands any more.
    Superseded(IntegrationRecord<()>),
    /// `Begin`: this consent has been used, by another run.
    Taken(IntegrationRecord<()>),
    /// `FindClient`: too many requests were refused.
    Throttled {
        /// Until when, by the store's clock.
        until: Timestamp,
    },
}

impl<V> PartnerAnswer<V> {
    /// Turns the client secrets of a record that was loaded into something else: opens them.
    ///
    /// The generation is that of the secret; the company is the one that was asked for.
    ///
    /// # Errors
    ///
    /// The first error of `turn`.
    pub fn try_map<W, E>(
        self,
        turn: impl FnMut(Generation, V) -> Result<W, E>,
    ) -> Result<PartnerAnswer<W>, E> {
        let outcome = match self.outcome {
            PartnerOutcome::AllEnded { count } => PartnerOutcome::AllEnded { count },
            PartnerOutcome::BoundElsewhere(record) => PartnerOutcome::BoundElsewhere(record),
            PartnerOutcome::Busy { record, until } => PartnerOutcome::Busy { record, until },
            PartnerOutcome::Client(client) => PartnerOutcome::Client(client),
            PartnerOutcome::Counted => PartnerOutcome::Counted,
            PartnerOutcome::Disabled { effect, principal } => {
                PartnerOutcome::Disabled { effect, principal }
            }
            PartnerOutcome::Done(record) => PartnerOutcome::Done(record),
            PartnerOutcome::Foreign => PartnerOutcome::Foreign,
            PartnerOutcome::Identified(principal) => PartnerOutcome::Identified(principal),
            PartnerOutcome::Issued { expires_at } => PartnerOutcome::Issued { expires_at },
            PartnerOutcome::Keys(keys) => PartnerOutcome::Keys(keys),
            PartnerOutcome::Loaded(record) => PartnerOutcome::Loaded(record.try_map(turn)?),
            PartnerOutcome::Missing => PartnerOutcome::Missing,
            PartnerOutcome::Moved(record) => PartnerOutcome::Moved(record),
            PartnerOutcome::News(news) => PartnerOutcome::News(news),
            PartnerOutcome::Superseded(record) => PartnerOutcome::Superseded(record),
            PartnerOutcome::Taken(record) => PartnerOutcome::Taken(record),
            PartnerOutcome::Throttled { until } => PartnerOutcome::Throttled { until },
        };
        Ok(PartnerAnswer { now: self.now, outcome })
    }
}

impl<V> PartnerOutcome<V> {
    /// Returns the name of the outcome, for logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AllEnded { .. } => "AllEnded",
            Self::BoundElsewhere(_) => "BoundElsewhere",
            Self::Busy { .. } => "Busy",
            Self::Client(_) => "Client",
            Self::Counted => "Counted",
            Self::Disabled { .. } => "Disabled",
            Self::Done(_) => "Done",
            Self::Foreign => "Foreign",
            Self::Identified(_) => "Identified",
            Self::Issued { .. } => "Issued",
            Self::Keys(_) => "Keys",
            Self::Loaded(_) => "Loaded",
            Self::Missing => "Missing",
            Self::Moved(_) => "Moved",
            Self::News(_) => "News",
            Self::Superseded(_) => "Superseded",
            Self::Taken(_) => "Taken",
            Self::Throttled { .. } => "Throttled",
        }
    }
}

/// A client of our token endpoint that may get tokens, if its secret is right.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct KnownClient {
    /// The generation of its integration.
    pub generation: Generation,
    /// The application and the company.
    pub key: IntegrationKey,
    /// What it may do.
    pub scopes: ScopeSet,
    /// The digest of its secret.
    pub secret: SecretDigest,
}

/// For whom a token of ours speaks: the company of its client, whatever the request says.
#[derive(Clone, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct Principal {
    /// Whether its generation is the live integration, or an attempt of which SmartRecruiters may
    /// know more than we do.
    pub current: bool,
    /// When the token ends, by the store's clock.
    pub expires_at: Timestamp,
    /// The generation of its client.
    pub generation: Generation,
    /// The application and the company.
    pub key: IntegrationKey,
    /// What it may do.
    pub scopes: ScopeSet,
    /// Whose account the company is joined with, or is to be.
    pub tenant: TenantId,
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let current = if self.current { "" } else { ", not current" };
        write!(f, "Principal({} #{}{current})", self.key, self.generation.number())
    }
}

/// What a notification did.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "it ended something, now or before, or it was late")]
pub enum DisableEffect {
    /// It had been done before.
    AlreadyEnded,
    /// The integration ended.
    Ended,
    /// A newer integration has taken the place of this one, and stays as it is.
    Stale,
}

/// What has happened in a store since the last look.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "taken apart by every process")]
pub struct PartnerNews {
    /// What changed, the oldest first; cut at a limit, so ask again from the last one.
    pub changes: Vec<IntegrationChange>,
    /// The newest change of the store.
    pub sequence: Sequence,
    /// Which store it is.
    pub store: StoreIdentity,
}

/// One change of one company.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "taken apart by every process")]
pub struct IntegrationChange {
    /// The application and the company.
    pub key: IntegrationKey,
    /// The generation that is live now.
    pub live: Option<Generation>,
    /// The number of the change.
    pub sequence: Sequence,
}
