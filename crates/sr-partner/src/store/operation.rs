//! The operations of a store of integrations and their answers, as values.

use std::fmt;
use std::time::Duration;

use sr_auth_core::store::{Generation, Sequence, StoreIdentity};
use sr_auth_core::{Fault, ScopeSet, SecretDigest, Timestamp};

use super::record::{EndCause, Integrated, IntegrationRecord, Verified};
use crate::{
    AttemptId, ClientKey, ExchangeId, IntegrationKey, OutboundClient, PartnerConfigError,
    PartnerSetting, TenantId,
};

/// One atomic step of a store of integrations.
///
/// Each may be repeated after an answer that was lost: the second time changes nothing more, and
/// answers as the first would have. None returns the secrets of more than one company.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a backend that skips an operation is broken")]
pub enum PartnerOp<V> {
    /// Makes an attempt that has credentials the live integration. The one before, of the same
    /// tenant or of one whose owner agreed at [`Begin`](Self::Begin), is replaced: its own client
    /// gets no more tokens.
    Activate {
        /// The attempt.
        attempt: AttemptId,
        /// The company.
        key: IntegrationKey,
        /// How it is known which company the credentials open.
        verified: Verified,
    },
    /// Announces a request: from now on it may have been sent.
    Arm {
        /// The attempt.
        attempt: AttemptId,
        /// The run that sends it.
        exchange: ExchangeId,
        /// The company.
        key: IntegrationKey,
        /// How many requests there are with this one, so that an offer that is repeated counts once.
        post: u32,
        /// How long our credentials are good for anything without an answer.
        provisional: Duration,
        /// After how long the request is certainly over.
        quiet: Duration,
    },
    /// Begins an attempt: one consent, with the client that we invented for it.
    Begin {
        /// The attempt.
        attempt: NewAttempt,
        /// The company.
        key: IntegrationKey,
    },
    /// Keeps what SmartRecruiters answered.
    Commit {
        /// The attempt.
        attempt: AttemptId,
        /// How long another tenant waits for the confirmation.
        confirm_within: Duration,
        /// The answer.
        integrated: Integrated<V>,
        /// The company.
        key: IntegrationKey,
    },
    /// Counts a token request that was refused.
    CountRefusal {
        /// The client that was named.
        client: ClientKey,
        /// How many are allowed.
        limits: AttemptLimits,
        /// Where it came from.
        source: Option<SourceKey>,
    },
    /// Takes in a notification that was signed with this token: the integration of its generation
    /// ends, and no other.
    Disable {
        /// The digest of the token.
        token: SecretDigest,
    },
    /// Ends an integration: its secrets are gone, its tokens are worth nothing.
    End {
        /// Why.
        cause: EndCause,
        /// Only this generation, or whichever it is.
        generation: Option<Generation>,
        /// The company.
        key: IntegrationKey,
    },
    /// Ends every integration of every company.
    EndAll {
        /// Why.
        cause: EndCause,
    },
    /// Finds a client of our token endpoint, unless too many requests were refused lately.
    FindClient {
        /// The client that was named.
        client: ClientKey,
        /// How many refusals are allowed.
        limits: AttemptLimits,
        /// Where the request came from.
        source: Option<SourceKey>,
    },
    /// Finds out for whom a token of ours speaks.
    Identify {
        /// The digest of the token.
        token: SecretDigest,
    },
    /// Keeps a token that is about to be handed out, if its client is still good.
    Issue {
        /// The client.
        client: ClientKey,
        /// The generation that was authenticated.
        generation: Generation,
        /// How long it lives.
        life: Duration,
        /// The digest of the token.
        token: SecretDigest,
    },
    /// Reads a record, the company's client secret included.
    Load {
        /// The company.
        key: IntegrationKey,
    },
    /// Reads what has changed.
    Pulse {
        /// The last change that was seen.
        since: Sequence,
    },
    /// Lists companies with an attempt whose outcome is unknown, or that waits for its owner.
    Unsettled {
        /// At most this many.
        limit: usize,
    },
    /// Gives an attempt up: its client is worth nothing from now on, and what SmartRecruiters
    /// answered is destroyed.
    Void {
        /// The attempt.
        attempt: AttemptId,
        /// The company.
        key: IntegrationKey,
    },
}

impl<V> PartnerOp<V> {
    /// Returns the name of the operation, for logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Activate { .. } => "Activate",
            Self::Arm { .. } => "Arm",
            Self::Begin { .. } => "Begin",
            Self::Commit { .. } => "Commit",
            Self::CountRefusal { .. } => "CountRefusal",
            Self::Disable { .. } => "Disable",
            Self::End { .. } => "End",
            Self::EndAll { .. } => "EndAll",
            Self::FindClient { .. } => "FindClient",
            Self::Identify { .. } => "Identify",
            Self::Issue { .. } => "Issue",
            Self::Load { .. } => "Load",
            Self::Pulse { .. } => "Pulse",
            Self::Unsettled { .. } => "Unsettled",
            Self::Void { .. } => "Void",
        }
    }
}

/// An attempt that is about to begin.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct NewAttempt {
    /// The run that carries it out.
    pub exchange: ExchangeId,
    /// The consent.
    pub id: AttemptId,
    /// Our credentials for SmartRecruiters, if the integration is bidirectional.
    pub outbound: Option<OutboundClient>,
    /// How long another consent waits for the request to be announced.
    pub prepared_for: Duration,
    /// The tenant that may lose the company, since its owner agreed.
    pub rebind: Option<TenantId>,
    /// The generation that the person saw who consented: if there is a newer one, they did not know
    /// what they replace.
    pub seen: Generation,
    /// Whose account is to be joined.
    pub tenant: TenantId,
}

/// How many refused token requests are answered before all are turned away for a while.
///
/// The secrets have 256 random bits, so no limit is needed against guessing; it keeps a caller that
/// has gone wrong from costing much.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AttemptLimits {
    per_client: u32,
    per_source: u32,
    window: Duration,
}

impl Default for AttemptLimits {
    /// Twenty refusals of one client and a hundred from one source, in a minute.
    fn default() -> Self {
        Self { per_client: 20, per_source: 100, window: Duration::from_secs(60) }
    }
}

impl AttemptLimits {
    /// Sets how many refusals of one client and from one source there may be in `window`.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfRange`] for none, and for a window of more than an hour or less than a second.
    pub fn new(
        per_client: u32,
        per_source: u32,
        window: Duration,
    ) -> Result<Self, PartnerConfigError> {
        let allowed = Duration::from_secs(1)..=Duration::from_secs(3_600);
        if per_client == 0 || per_source == 0 || !allowed.contains(&window) {
            return Err(PartnerConfigError::new(PartnerSetting::AttemptLimits, Fault::OutOfRange));
        }
        Ok(Self { per_client, per_source, window })
    }

    /// Returns how many refusals of one client are answered.
    #[must_use]
    pub const fn per_client(&self) -> u32 {
        self.per_client
    }

    /// Returns how many refusals from one source are answered.
    #[must_use]
    pub const fn per_source(&self) -> u32 {
        self.per_source
    }

    /// Returns in which span they are counted.
    #[must_use]
    pub const fn window(&self) -> Duration {
        self.window
    }
}

/// Where a request comes from, such as a network address: its digest, so that all have one size.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SourceKey([u8; 32]);

impl SourceKey {
    /// Names a source.
    #[must_use]
    pub fn of(source: &str) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(source.as_bytes()).into())
    }

    /// Returns the name, for storing it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

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
