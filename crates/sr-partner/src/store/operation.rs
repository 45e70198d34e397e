//! The operations of a store of integrations, as values.

use std::time::Duration;

use sr_auth_core::store::{Generation, Sequence};
use sr_auth_core::{Fault, SecretDigest};

use super::record::{EndCause, Integrated, Verified};
use crate::{
    AttemptId, ClientKey, ExchangeId, IntegrationKey, OutboundClient, PartnerConfigError,
    PartnerSetting, TenantId,
};

/// One atomic step of a store of integrations.
///
/// Each may be repeated after an answer that was lost: the second time changes nothing more. Three
/// notice that it is the second: [`CountRefusal`](Self::CountRefusal) counts once more,
/// [`EndAll`](Self::EndAll) finds nothing left to count, and [`Arm`](Self::Arm) begins the quiet
/// period anew, since what it announces is sent later. A repeat of [`Commit`](Self::Commit) brings
/// the same credentials, and the secret is kept as it brings it: so it can be sealed anew.
///
/// None returns the secrets of more than one company.
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
        /// The generation of the attempt, which a seal of the secret is bound to.
        generation: Generation,
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
    /// Turns the client secret, where the operation has one, into something else: seals it.
    ///
    /// # Errors
    ///
    /// The error of `turn`.
    pub fn try_map<W, E>(
        self,
        turn: impl FnOnce(&IntegrationKey, Generation, V) -> Result<W, E>,
    ) -> Result<PartnerOp<W>, E> {
        Ok(match self {
            Self::Activate { attempt, key, verified } => {
                PartnerOp::Activate { attempt, key, verified }
            }
            Self::Arm { attempt, exchange, key, post, provisional, quiet } => {
                PartnerOp::Arm { attempt, exchange, key, post, provisional, quiet }
            }
            Self::Begin { attempt, key } => PartnerOp::Begin { attempt, key },
            Self::Commit { attempt, confirm_within, generation, integrated, key } => {
                let integrated = integrated.try_map(|secret| turn(&key, generation, secret))?;
                PartnerOp::Commit { attempt, confirm_within, generation, integrated, key }
            }
            Self::CountRefusal { client, limits, source } => {
                PartnerOp::CountRefusal { client, limits, source }
            }
            Self::Disable { token } => PartnerOp::Disable { token },
            Self::End { cause, generation, key } => PartnerOp::End { cause, generation, key },
            Self::EndAll { cause } => PartnerOp::EndAll { cause },
            Self::FindClient { client, limits, source } => {
                PartnerOp::FindClient { client, limits, source }
            }
            Self::Identify { token } => PartnerOp::Identify { token },
            Self::Issue { client, generation, life, token } => {
                PartnerOp::Issue { client, generation, life, token }
            }
            Self::Load { key } => PartnerOp::Load { key },
            Self::Pulse { since } => PartnerOp::Pulse { since },
            Self::Unsettled { limit } => PartnerOp::Unsettled { limit },
            Self::Void { attempt, key } => PartnerOp::Void { attempt, key },
        })
    }

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
/// has gone wrong from costing much. A client that was refused too often waits, even with the right
/// secret; a source that was keeps only those waiting whose secret is wrong, since SmartRecruiters
/// calls for all companies from few.
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

    /// Takes over a stored name.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the name, for storing it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
