//! How an exchange ends, and what else it has to tell.

use sr_auth_core::store::Generation;
use sr_auth_core::{Remedy, Timestamp};

use crate::consent::BrowserReturn;
use crate::store::Verified;
use crate::{IntegrationId, IntegrationKey};

/// What an exchange has to tell: one outcome, and before it at most one
/// [`Unsettled`](Self::Unsettled).
///
/// Only a success says where the browser goes: a failure is shown on our own page.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ExchangeEvent {
    /// The company's credentials are kept, and wait for the owner of the account to confirm that
    /// they open the right company: [`PartnerOp::Activate`](crate::store::PartnerOp::Activate), or
    /// [`PartnerOp::Void`](crate::store::PartnerOp::Void).
    AwaitsOwner {
        /// Where the browser goes.
        back: BrowserReturn,
        /// The generation of the integration.
        generation: Generation,
        /// The application and the company.
        key: IntegrationKey,
        /// Why nothing but the owner can tell.
        why: Unverified,
    },
    /// The company is joined with the account.
    Bound {
        /// Where the browser goes.
        back: BrowserReturn,
        /// The generation of the integration.
        generation: Generation,
        /// The id of the integration at SmartRecruiters.
        integration: Option<IntegrationId>,
        /// The application and the company.
        key: IntegrationKey,
        /// How it is known which company the credentials open.
        verified: Verified,
    },
    /// Nothing came of it.
    Failed(ExchangeError),
    /// The request may have been carried out, and its answer is not here: the person who waits may
    /// be told so. An outcome follows.
    Unsettled,
}

/// Why a binding waits for its owner.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Unverified {
    /// The call brought no answer.
    NoAnswer,
    /// No call is configured.
    NoProbe,
    /// The new credentials brought no token.
    NoToken,
    /// The call was refused.
    Refused,
    /// The answer does not name a company where it should.
    Unreadable,
}

/// Why an exchange came to nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// SmartRecruiters says that the integration is there already, and gives no credentials.
    #[error("the integration exists at SmartRecruiters and its credentials are not here")]
    AlreadyIntegrated,
    /// The company is joined with another account of ours.
    #[error("the company is connected with another account")]
    BoundElsewhere,
    /// Another attempt is under way.
    #[error("another attempt to connect the company is under way")]
    Busy {
        /// Until when it keeps this one out, by the store's clock.
        until: Timestamp,
    },
    /// There was no token of the master credentials, or SmartRecruiters refused two of them.
    #[error("no token of the master credentials is accepted")]
    MasterToken {
        /// What can be done.
        remedy: Remedy,
    },
    /// The company was connected, or begun to be, since the page was made.
    #[error("the company was connected since the page was shown")]
    Moved,
    /// The credentials open another company. They are destroyed.
    #[error("the credentials that came back open another company")]
    OtherCompany,
    /// The request may have been carried out, and its answer is lost.
    #[error("the request was sent, and its answer was lost")]
    OutcomeUnknown,
    /// SmartRecruiters refused, as it does without the customer's consent.
    #[error("SmartRecruiters refused the integration with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The store does not take what has to be kept.
    #[error("the store failed to {step}")]
    Store {
        /// What was to be done.
        step: StoreStep,
    },
    /// A newer attempt, or the end of the integration, took this one's place.
    #[error("another attempt or an end took the place of this one")]
    Superseded,
    /// This consent has been used.
    #[error("the consent has been used already")]
    Taken,
    /// Too many requests.
    #[error("SmartRecruiters asks to be called less")]
    Throttled {
        /// When it asks to be called again, if it does.
        retry_at: Option<Timestamp>,
    },
    /// SmartRecruiters could not be reached; nothing was sent.
    #[error("SmartRecruiters could not be reached")]
    Unavailable,
}

/// What the store was to do.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreStep {
    /// Join company and account. The credentials are kept, and the owner can still confirm them.
    #[error("join the company with the account")]
    Activate,
    /// Announce the request.
    #[error("announce the request")]
    Arm,
    /// Begin the attempt.
    #[error("begin the attempt")]
    Begin,
}

impl ExchangeError {
    /// Returns what can be done, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::AlreadyIntegrated | Self::BoundElsewhere => Remedy::AskAdministrator,
            Self::Busy { until } => Remedy::RetryLater { at: Some(*until) },
            Self::MasterToken { remedy } => *remedy,
            Self::Moved | Self::OtherCompany | Self::OutcomeUnknown | Self::Superseded => {
                Remedy::Reauthorize
            }
            Self::Refused { status: 403 | 404 } | Self::Taken => Remedy::Reauthorize,
            Self::Refused { .. } => Remedy::FixConfiguration,
            Self::Store { .. } | Self::Unavailable => Remedy::RetryLater { at: None },
            Self::Throttled { retry_at } => Remedy::RetryLater { at: *retry_at },
        }
    }

    /// Returns one sentence for the person who waits, without a full stop.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::AlreadyIntegrated | Self::OutcomeUnknown => {
                "disable the integration in SmartRecruiters, then connect it again from there"
            }
            Self::BoundElsewhere => "ask the owner of the connected account to release the company",
            Self::Moved | Self::Taken => "look whether the company is connected by now",
            Self::Busy { .. }
            | Self::MasterToken { .. }
            | Self::OtherCompany
            | Self::Refused { .. }
            | Self::Store { .. }
            | Self::Superseded
            | Self::Throttled { .. }
            | Self::Unavailable => self.remedy().advice(),
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AlreadyIntegrated => "sr_partner::exchange::already_integrated",
            Self::BoundElsewhere => "sr_partner::exchange::bound_elsewhere",
            Self::Busy { .. } => "sr_partner::exchange::busy",
            Self::MasterToken { .. } => "sr_partner::exchange::master_token",
            Self::Moved => "sr_partner::exchange::moved",
            Self::OtherCompany => "sr_partner::exchange::other_company",
            Self::OutcomeUnknown => "sr_partner::exchange::outcome_unknown",
            Self::Refused { .. } => "sr_partner::exchange::refused",
            Self::Store { .. } => "sr_partner::exchange::store",
            Self::Superseded => "sr_partner::exchange::superseded",
            Self::Taken => "sr_partner::exchange::taken",
            Self::Throttled { .. } => "sr_partner::exchange::throttled",
            Self::Unavailable => "sr_partner::exchange::unavailable",
        }
    }
}
