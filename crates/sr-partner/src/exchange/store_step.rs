//! The operations of an exchange, one at a time, each offered again while that makes sense.

use sr_auth_core::Timestamp;
use sr_auth_core::lifecycle::StoreOpId;

use super::{ExchangeError, StoreStep};
use crate::store::Verified;

/// What the store is to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Activate(Verified),
    Arm,
    Begin,
    Commit,
    /// Then the exchange fails, with this error.
    Void(ExchangeError),
}

impl Step {
    /// Tells whether it is offered until the store takes it: what it holds would be lost, or would
    /// stay where it must not.
    pub(super) const fn is_kept_up(self) -> bool {
        matches!(self, Self::Commit | Self::Void(ExchangeError::OtherCompany))
    }

    /// Returns how the exchange ends when the store does not take it.
    pub(super) const fn failure(self) -> ExchangeError {
        let step = match self {
            Self::Void(error) => return error,
            Self::Activate(_) | Self::Commit => StoreStep::Activate,
            Self::Arm => StoreStep::Arm,
            Self::Begin => StoreStep::Begin,
        };
        ExchangeError::Store { step }
    }
}

/// An operation that the store was given, or will be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Storing {
    pub(super) step: Step,
    pub(super) tries: u32,
    wake: Wake,
}

#[derive(Clone, Copy, Debug)]
enum Wake {
    AnswerBy(StoreOpId, Timestamp),
    OfferAt(Timestamp),
}

impl Storing {
    pub(super) const fn offered(step: Step, tries: u32, id: StoreOpId, by: Timestamp) -> Self {
        Self { step, tries, wake: Wake::AnswerBy(id, by) }
    }

    /// Will be offered for the first time.
    pub(super) const fn at(step: Step, offer_at: Timestamp) -> Self {
        Self { step, tries: 1, wake: Wake::OfferAt(offer_at) }
    }

    /// Will be offered again.
    pub(super) const fn again(self, offer_at: Timestamp) -> Self {
        let tries = self.tries.saturating_add(1);
        Self { tries, wake: Wake::OfferAt(offer_at), ..self }
    }

    pub(super) const fn is_offered(self) -> bool {
        matches!(self.wake, Wake::AnswerBy(..))
    }

    pub(super) fn waits_for(self, answered: StoreOpId) -> bool {
        matches!(self.wake, Wake::AnswerBy(id, _) if id == answered)
    }

    pub(super) const fn wake_at(self) -> Timestamp {
        match self.wake {
            Wake::AnswerBy(_, at) | Wake::OfferAt(at) => at,
        }
    }
}
