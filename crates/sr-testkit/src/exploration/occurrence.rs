//! What happens to a machine and what it asks for, by name.

use sr_auth_core::lifecycle::{Event, Input, Output, StoreFailure};
use sr_auth_core::store::{StoreAnswer, StoreOp};
use sr_auth_core::{Secret, TransportFailure};

use super::server::Answer;

/// What happened to a machine.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Occurrence {
    pub(super) what: &'static str,
    pub(super) how: &'static str,
}

const fn plain(what: &'static str) -> Occurrence {
    Occurrence { how: "", what }
}

/// Time passes, and nothing else.
pub(super) const TIME: Occurrence = plain("time");

/// Names an input that says all by itself.
pub(super) const fn of(input: &Input) -> Occurrence {
    match input {
        Input::Adopt(_) => plain("`Adopt`"),
        Input::Admitted => plain("`Admitted`"),
        Input::Changed { .. } => plain("`Changed`"),
        Input::ClockDiverged => plain("`ClockDiverged`"),
        Input::End { .. } => plain("`End`"),
        Input::Rejected { .. } => plain("`Rejected`"),
        Input::Response { .. } => plain("`Response`"),
        Input::Shutdown => plain("`Shutdown`"),
        Input::Stored { .. } => plain("`Stored`"),
        Input::Timeout => plain("`Timeout`"),
        Input::TransportFailed { failure: TransportFailure::AfterSend, .. } => plain("no answer"),
        Input::TransportFailed { failure: TransportFailure::BeforeSend, .. } => plain("not sent"),
        Input::Want => plain("`Want`"),
    }
}

/// Names an answer of the server.
pub(super) const fn answered(answer: Answer) -> Occurrence {
    Occurrence { how: answer.name(), what: "the server" }
}

/// Names an answer of the store.
pub(super) const fn stored(
    op: &StoreOp<Secret>,
    answer: &Result<StoreAnswer<Secret>, StoreFailure>,
) -> Occurrence {
    let how = match answer {
        Ok(answer) => answer.outcome.name(),
        Err(StoreFailure::NotDone) => "not done",
        Err(StoreFailure::OutcomeUnknown) => "outcome unknown",
    };
    Occurrence { how, what: op.name() }
}

/// Names what a machine asks for or tells.
pub(super) const fn of_output(output: &Output) -> &'static str {
    match output {
        Output::Event(event) => of_event(event),
        Output::Store(request) => request.op.name(),
        Output::Transmit(_) => PRESENTS,
    }
}

/// What a request to the token endpoint is called.
pub(super) const PRESENTS: &str = "presents";

const fn of_event(event: &Event) -> &'static str {
    match event {
        Event::Adopted { .. } => "`Adopted`",
        Event::ApplicationRefused { .. } => "`ApplicationRefused`",
        Event::CommitDelayed { .. } => "`CommitDelayed`",
        Event::Died { .. } => "`Died`",
        Event::Dying { .. } => "`Dying`",
        Event::Ended { .. } => "`Ended`",
        Event::InDoubt { .. } => "`InDoubt`",
        Event::LastLeg { .. } => "`LastLeg`",
        Event::PersistentlyRejected { .. } => "`PersistentlyRejected`",
        Event::Presenting { .. } => "`Presenting`",
        Event::RenewalFailed { .. } => "`RenewalFailed`",
        Event::RequestRefused { .. } => "`RequestRefused`",
        Event::Rotated { .. } => "`Rotated`",
        Event::Salvaged { .. } => "`Salvaged`",
        Event::StoreBehind { .. } => "`StoreBehind`",
        Event::SuccessorEscrowed { .. } => "`SuccessorEscrowed`",
        Event::SuccessorOutlived { .. } => "`SuccessorOutlived`",
        Event::Suspected { .. } => "`Suspected`",
        Event::TakenOver { .. } => "`TakenOver`",
        _ => "another event",
    }
}
