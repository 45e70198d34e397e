//! What goes into a lifecycle and what comes out of it.

use std::fmt;
use std::time::Duration;

use super::Event;
use crate::machine::{Transmit, TransmitId, TransportFailure};
use crate::store::{End, Generation, Health, NewGrant, StoreAnswer, StoreOp};
use crate::{Fingerprint, Secret, SecretBytes};

/// What can happen to a credential.
///
/// Commands are inputs too, so a whole run is a list of moments and inputs. `Debug` shows no
/// header, no body and no token.
#[expect(clippy::exhaustive_enums, reason = "a driver that skips an input is broken")]
pub enum Input {
    /// A new consent or an import brought a grant. It takes the place of whatever is there.
    Adopt(NewGrant<Secret>),
    /// A renewal may begin: see [`TokenLifecycle`](super::TokenLifecycle), which admits itself.
    Admitted,
    /// The store says that somebody changed the record.
    Changed {
        /// Its generation now.
        generation: Generation,
        /// Its health now.
        health: Health,
    },
    /// The process's clocks have parted: it was suspended, or a clock was set. Deadlines are judged
    /// anew.
    ClockDiverged,
    /// The grant is ended on purpose.
    End {
        /// Which end.
        end: End,
        /// Only this generation, or whichever it is.
        generation: Option<Generation>,
    },
    /// The API refused an access token with 401. A token that is not in use any more changes
    /// nothing.
    Rejected {
        /// The fingerprint of the token that was sent.
        fingerprint: Fingerprint,
    },
    /// A complete answer of the token endpoint arrived.
    Response {
        /// The transmission that it answers.
        id: TransmitId,
        /// The answer, with a body of at most
        /// [`BODY_LIMIT`](crate::wire::token_answer::BODY_LIMIT) bytes and one.
        response: http::Response<SecretBytes>,
    },
    /// The process is about to end: nothing new begins, what was begun is finished.
    Shutdown,
    /// The store answered, or did not.
    Stored {
        /// The operation.
        id: StoreOpId,
        /// What came of it.
        result: Result<StoreAnswer<Secret>, StoreFailure>,
    },
    /// The moment named by [`Machine::poll_timeout`](crate::Machine::poll_timeout) has come.
    Timeout,
    /// A transmission brought no complete answer.
    TransportFailed {
        /// Whether bytes may have left.
        failure: TransportFailure,
        /// The transmission.
        id: TransmitId,
        /// What arrived of the answer before the connection broke.
        received: Option<http::Response<SecretBytes>>,
    },
    /// A caller wants an access token.
    Want,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Adopt(_) => f.write_str("Adopt"),
            Self::Admitted => f.write_str("Admitted"),
            Self::Changed { generation, health } => {
                write!(f, "Changed({}, {health:?})", generation.number())
            }
            Self::ClockDiverged => f.write_str("ClockDiverged"),
            Self::End { end, generation } => {
                write!(f, "End({end:?}, {:?})", generation.map(Generation::number))
            }
            Self::Rejected { fingerprint } => write!(f, "Rejected({fingerprint})"),
            Self::Response { id, response } => {
                write!(f, "Response({}, {})", id.count(), response.status().as_u16())
            }
            Self::Shutdown => f.write_str("Shutdown"),
            Self::Stored { id, result: Ok(answer) } => {
                write!(f, "Stored({}, {})", id.0, answer.outcome.name())
            }
            Self::Stored { id, result: Err(failure) } => write!(f, "Stored({}, {failure:?})", id.0),
            Self::Timeout => f.write_str("Timeout"),
            Self::TransportFailed { failure, id, .. } => {
                write!(f, "TransportFailed({}, {failure:?})", id.count())
            }
            Self::Want => f.write_str("Want"),
        }
    }
}

/// What a lifecycle asks for, in the order in which it must be done.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver that skips an output is broken")]
pub enum Output {
    /// Something worth telling happened.
    Event(Event),
    /// Carry this out and answer with [`Input::Stored`].
    Store(StoreRequest),
    /// Send this and answer with [`Input::Response`] or [`Input::TransportFailed`].
    Transmit(Transmit),
}

/// One operation that a machine wants from the store.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a driver that skips a field is broken")]
pub struct StoreRequest {
    /// How long to wait for the store. Afterwards the answer is
    /// [`StoreFailure::OutcomeUnknown`], and the machine does not need it any more.
    pub answer_within: Duration,
    /// Names the operation; the answer must carry it.
    pub id: StoreOpId,
    /// The operation.
    pub op: StoreOp<Secret>,
}

/// Names one store operation of one machine.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_structs, reason = "a number with a name")]
pub struct StoreOpId(pub u32);

/// How an operation of the store failed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "it was carried out, or not, or nobody knows")]
pub enum StoreFailure {
    /// Definitely not carried out.
    NotDone,
    /// Maybe carried out: the answer was lost.
    OutcomeUnknown,
}
