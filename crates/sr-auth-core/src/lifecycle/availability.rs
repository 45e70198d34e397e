//! What a caller gets: a token, a wait, or a reason.

use crate::store::{CauseOfDeath, End, StoredToken};
use crate::{ErrorCode, Remedy, Secret, Timestamp};

/// What a caller who asks now gets.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a token, a wait, or a reason")]
pub enum Availability<'a> {
    /// No token, and waiting will not bring one before the moment that is named, if any.
    Failed(Unavailable),
    /// No token yet: a renewal is under way. Wait for the next change under your own deadline.
    Pending {
        /// When more is known at the latest, if that is known.
        until: Option<Timestamp>,
    },
    /// A token that may be used until its `ends_at`.
    Ready(&'a StoredToken<Secret>),
}

/// Why there is no access token.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[error("no access token: {cause}")]
pub struct Unavailable {
    cause: Cause,
    retry_at: Option<Timestamp>,
}

impl Unavailable {
    pub(crate) const fn new(cause: Cause, retry_at: Option<Timestamp>) -> Self {
        Self { cause, retry_at }
    }

    /// Returns the reason.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        self.cause
    }

    /// Returns when a renewal is tried again at the earliest, if one is.
    #[must_use]
    pub const fn retry_at(&self) -> Option<Timestamp> {
        self.retry_at
    }

    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self.cause {
            Cause::Dead(_) | Cause::Ended(End::Revoked) | Cause::Missing | Cause::NotRenewable => {
                Remedy::Reauthorize
            }
            Cause::Ended(End::Disabled) => Remedy::AskAdministrator,
            Cause::Held => Remedy::AskOperator,
            Cause::Renewal(blame) => blame.remedy(self.retry_at),
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.cause {
            Cause::Dead(CauseOfDeath::Expired) => "sr_auth::dead::expired",
            Cause::Dead(CauseOfDeath::LostInRotation) => "sr_auth::dead::lost_in_rotation",
            Cause::Dead(CauseOfDeath::RefusedByServer) => "sr_auth::dead::refused_by_server",
            Cause::Dead(CauseOfDeath::Unrecognised) => "sr_auth::dead::unrecognised",
            Cause::Ended(End::Disabled) => "sr_auth::ended::disabled",
            Cause::Ended(End::Revoked) => "sr_auth::ended::revoked",
            Cause::Held => "sr_auth::held",
            Cause::Missing => "sr_auth::missing",
            Cause::NotRenewable => "sr_auth::not_renewable",
            Cause::Renewal(blame) => blame.code(),
        }
    }
}

/// The reasons of [`Unavailable`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The grant is dead.
    #[error("{}", of_death(.0))]
    Dead(CauseOfDeath),
    /// The grant was ended on purpose.
    #[error("{}", of_end(.0))]
    Ended(End),
    /// An operator holds the grant: nothing of it is lost, presented or handed out.
    #[error("an operator holds the grant: it is not used until it is released")]
    Held,
    /// The store has no such grant.
    #[error("there is no such grant; somebody has to give consent first")]
    Missing,
    /// The grant has no refresh token, and its access token has ended.
    #[error("the grant came without a refresh token and has ended; somebody has to consent again")]
    NotRenewable,
    /// The last renewal failed, and the grant is alive.
    #[error("{0}")]
    Renewal(Blame),
}

const fn of_death(cause: &CauseOfDeath) -> &'static str {
    match cause {
        CauseOfDeath::Expired => {
            "the refresh token was refused after its 28 days; the user has to consent again"
        }
        CauseOfDeath::LostInRotation => {
            "the answer to a refresh was lost and the old refresh token is refused; \
             the user has to consent again"
        }
        CauseOfDeath::RefusedByServer => {
            "the server refused the refresh token, as after a revocation; \
             the user has to consent again"
        }
        CauseOfDeath::Unrecognised => {
            "the server refused the refresh token for a day, for a reason that nobody knows; \
             the user has to consent again"
        }
    }
}

const fn of_end(end: &End) -> &'static str {
    match end {
        End::Disabled => "the customer has disabled the integration",
        End::Revoked => "the application has given the grant up",
    }
}

/// What a renewal failed on.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Blame {
    /// The client id or secret.
    #[error("the token endpoint refuses the application: {} ({})", .0, .0.meaning())]
    Application(ErrorCode),
    /// The presentation may have been processed, and the settings forbid another.
    #[error("the answer to a refresh was lost, and the settings forbid to present the token again")]
    Doubt,
    /// The token endpoint: 5xx, or an answer that cannot be used.
    #[error("the token endpoint is out of order")]
    Endpoint,
    /// The request as it stands.
    #[error("the token endpoint refuses the request: {} ({})", .0, .0.meaning())]
    Request(ErrorCode),
    /// No answer arrived, though bytes had left.
    #[error("the token endpoint did not answer")]
    Silence,
    /// The store.
    #[error("the store does not answer or does not take changes")]
    Store,
    /// A refusal that is not believed yet.
    #[error("the server refuses the refresh token, and the refusal is not believed yet")]
    Suspicion,
    /// Too many requests.
    #[error("the token endpoint asks for a pause")]
    Throttled,
    /// The network: no byte left.
    #[error("the token endpoint cannot be reached")]
    Transport,
}

impl Blame {
    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self, retry_at: Option<Timestamp>) -> Remedy {
        match self {
            Self::Application(code) | Self::Request(code) => code.remedy(),
            Self::Doubt => Remedy::Reauthorize,
            Self::Endpoint
            | Self::Silence
            | Self::Store
            | Self::Suspicion
            | Self::Throttled
            | Self::Transport => Remedy::RetryLater { at: retry_at },
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Application(_) => "sr_auth::renewal::application",
            Self::Doubt => "sr_auth::renewal::doubt",
            Self::Endpoint => "sr_auth::renewal::endpoint",
            Self::Request(_) => "sr_auth::renewal::request",
            Self::Silence => "sr_auth::renewal::silence",
            Self::Store => "sr_auth::renewal::store",
            Self::Suspicion => "sr_auth::renewal::suspicion",
            Self::Throttled => "sr_auth::renewal::throttled",
            Self::Transport => "sr_auth::renewal::transport",
        }
    }
}
