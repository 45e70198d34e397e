//! A grant against the simulator, in simulated time.

use sr_auth_core::grant::{Input, Output};
use sr_auth_core::{Machine, Timestamp, Transmit, TransportFailure};

use crate::simulator::{Reply, Simulator};

/// Runs a grant to its outcome; `now` moves on as far as the answers and pauses take.
///
/// A lost request or answer is told as *maybe sent* at once; an answer that takes longer than the
/// grant waits comes after the time-out, as a stale input. `None` means that the machine stopped
/// without an outcome, which no machine should.
///
/// # Examples
///
/// ```
/// use sr_auth_core::grant::{ClientCredentialsGrant, RetryPolicy};
/// use sr_auth_core::{Endpoints, Timestamp};
/// use sr_testkit::{Effect, Fault, Simulator, Target, World, drive};
///
/// let (world, credentials) = World::demo(7);
/// let mut simulator = Simulator::new(world, 7);
/// simulator.inject(Fault::new(Target::Token, Effect::Status { status: 503 }));
/// let mut now = Timestamp::from_unix_secs(0);
/// let endpoints = Endpoints::production();
/// let retry = RetryPolicy::default();
/// let client = credentials.service();
/// let mut grant = ClientCredentialsGrant::new(client, endpoints.token(), retry, now);
/// let outcome = drive(&mut grant, &mut simulator, &mut now);
/// assert!(outcome.expect("it ends").is_ok());
/// assert_eq!(now, Timestamp::from_unix_secs(1), "it paused once");
/// ```
pub fn drive<M, E>(machine: &mut M, simulator: &mut Simulator, now: &mut Timestamp) -> Option<E>
where
    M: Machine<Input = Input, Output = Output<E>>,
{
    loop {
        while let Some(output) = machine.poll_output() {
            match output {
                Output::Event(event) => return Some(event),
                Output::Transmit(transmit) => exchange(machine, simulator, now, &transmit),
            }
        }
        *now = machine.poll_timeout()?.max(*now);
        machine.handle_input(*now, Input::Timeout);
    }
}

fn exchange<M, E>(
    machine: &mut M,
    simulator: &mut Simulator,
    now: &mut Timestamp,
    transmit: &Transmit,
) where
    M: Machine<Input = Input, Output = Output<E>>,
{
    let id = transmit.id;
    if *now > transmit.not_after {
        let failure = TransportFailure::BeforeSend;
        return machine.handle_input(*now, Input::TransportFailed { id, failure, received: None });
    }
    match simulator.handle(*now, &transmit.request) {
        Reply::Answer { delay, response } => {
            if delay > transmit.answer_within {
                *now = now.after(transmit.answer_within);
                let failure = TransportFailure::AfterSend;
                machine.handle_input(*now, Input::TransportFailed { id, failure, received: None });
            } else {
                *now = now.after(delay);
            }
            machine.handle_input(*now, Input::Response { id, response });
        }
        Reply::LostAfter | Reply::LostBefore => {
            let failure = TransportFailure::AfterSend;
            machine.handle_input(*now, Input::TransportFailed { id, failure, received: None });
        }
    }
}
