//! What an answer of the token endpoint says about others than the grant.

use std::time::Duration;

use super::breaker::Finding;
use crate::lifecycle::Input;
use crate::wire::token_answer::{self, TokenAnswer};
use crate::{Timestamp, TransportFailure};

/// What was learnt from what came of a presentation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Evidence {
    pub(super) application: Finding,
    /// How long nobody may ask (`Retry-After`).
    pub(super) close: Option<Duration>,
    pub(super) endpoint: Finding,
    /// The refresh token was refused.
    pub(super) is_refused: bool,
}

impl Evidence {
    /// No answer came.
    pub(super) const SILENCE: Self = Self::new(Finding::Fault, Finding::Lost);

    const fn new(endpoint: Finding, application: Finding) -> Self {
        Self { application, close: None, endpoint, is_refused: false }
    }

    /// Reads what happened to a presentation; `None` when it says nothing.
    pub(super) fn of(input: &Input, now: Timestamp) -> Option<Self> {
        match input {
            Input::Response { response, .. } => {
                Some(Self::of_answer(&token_answer::classify(response, now, now)))
            }
            Input::TransportFailed { received: Some(part), .. } => {
                let answer = token_answer::classify_part(part, now, now);
                Some(answer.map_or(Self::SILENCE, |it| Self::of_answer(&it)))
            }
            Input::TransportFailed {
                failure: TransportFailure::AfterSend | TransportFailure::BeforeSend,
                received: None,
                ..
            } => Some(Self::SILENCE),
            Input::Admitted
            | Input::Adopt(_)
            | Input::Changed { .. }
            | Input::ClockDiverged
            | Input::End { .. }
            | Input::Rejected { .. }
            | Input::Shutdown
            | Input::Stored { .. }
            | Input::Timeout
            | Input::Want => None,
        }
    }

    fn of_answer(answer: &TokenAnswer) -> Self {
        use Finding::{Fault, Lost, Sound};
        match answer {
            TokenAnswer::Granted(_)
            | TokenAnswer::RequestRefused(_)
            | TokenAnswer::Unusable { salvaged: Some(_), .. } => Self::new(Sound, Sound),
            TokenAnswer::GrantRefused(_) => Self { is_refused: true, ..Self::new(Sound, Sound) },
            TokenAnswer::ClientRefused(_) => Self::new(Sound, Fault),
            TokenAnswer::Unrecognised(_) => Self::new(Sound, Lost),
            TokenAnswer::ServerFault { retry_after } => {
                Self { close: *retry_after, ..Self::new(Fault, Lost) }
            }
            // Without a moment to wait for, the pauses of a breaker are as good as any.
            TokenAnswer::Throttled { retry_after: None } => Self::new(Fault, Lost),
            TokenAnswer::Throttled { retry_after } => {
                Self { close: *retry_after, ..Self::new(Sound, Lost) }
            }
            TokenAnswer::Unusable { salvaged: None, .. } => Self::new(Fault, Lost),
        }
    }
}
