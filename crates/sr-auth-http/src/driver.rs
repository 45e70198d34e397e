//! The loop that runs a machine over a transport and a clock.

use std::pin::pin;
use std::time::Duration;

use sr_auth_core::grant::{Input, Output, WRITE_WITHIN};
use sr_auth_core::wire::token_answer::BODY_LIMIT;
use sr_auth_core::{Machine, SecretBytes, Timestamp, Transmit, TransmitId};
use tracing::{Instrument as _, Span, debug, debug_span, field};

use crate::clock::Stopwatch;
use crate::transport::{LAST_LOOK, patiently};
use crate::{Clock, Limits, Transport, TransportError, TransportErrorKind};

/// What a transport may take longer than it was allowed, before its answer is given up.
const GRACE: Duration = Duration::from_secs(1);

/// Runs a grant to its end, and returns how it ended.
///
/// Takes the outputs in order and sends what is to be sent; when nothing is, it waits for the moment
/// that the machine names. It never writes past [`Transmit::not_after`], and gives up a transport
/// that overstays [`Transmit::answer_within`], counted from the last moment of writing. Both spans
/// are measured by a clock that is never set.
///
/// # Cancelling
///
/// Dropping the future abandons the grant wherever it stands. For client credentials that costs
/// nothing. For a grant that spends something, a code or a refresh token, an answer on its way is
/// lost with it: run such a grant in a task of its own.
///
/// # Panics
///
/// When the machine breaks its contract: no output, nothing on its way and no moment to wait for,
/// and yet not ended.
///
/// # Examples
///
/// ```
/// use sr_auth_core::Machine;
/// use sr_auth_core::grant::{Input, Output, WRITE_WITHIN};
/// use sr_auth_http::{Clock, Transport, drive};
///
/// async fn run<M, Event>(machine: M, transport: &dyn Transport) -> Event
/// where
///     M: Machine<Input = Input, Output = Output<Event>>,
/// {
///     drive(machine, transport, &Clock::system()).await
/// }
/// ```
pub async fn drive<M, Event>(mut machine: M, transport: &dyn Transport, clock: &Clock) -> Event
where
    M: Machine<Input = Input, Output = Output<Event>>,
{
    // What the machine has been told the time is. It never goes back, so a clock that is set back
    // neither stalls the machine nor widens a fence.
    let mut now = clock.now();
    loop {
        let input = match machine.poll_output() {
            Some(Output::Event(event)) => return event,
            // The transport keeps its limits by a clock that is never set: while a request is on
            // its way, no step of the wall clock can give its answer up.
            Some(Output::Transmit(transmit)) => {
                let id = transmit.id;
                input(id, exchange(transmit, transport, now, Duration::ZERO).await)
            }
            None => {
                let at = machine.poll_timeout();
                let at = at.expect("a machine that has not ended waits for a moment");
                clock.sleep_until(at).await;
                now = now.max(at);
                Input::Timeout
            }
        };
        now = now.max(clock.now());
        machine.handle_input(now, input);
    }
}

/// Sends what a machine asked for at `now`, inside its limits, and says what came of it: for machines
/// with inputs of their own, which [`drive`] does not run.
///
/// # Errors
///
/// As for [`Transport::send`]; past [`Transmit::not_after`] nothing is sent, and the failure is
/// [`BeforeSend`](sr_auth_core::TransportFailure::BeforeSend).
pub async fn transmit(
    transmit: Transmit,
    transport: &dyn Transport,
    now: Timestamp,
) -> Result<http::Response<SecretBytes>, TransportError> {
    exchange(transmit, transport, now, Duration::ZERO).await
}

/// Sends one request inside its limits, and says what came of it. It was asked for at `now`, and has
/// waited since then.
pub(crate) async fn exchange(
    transmit: Transmit,
    transport: &dyn Transport,
    now: Timestamp,
    waited: Duration,
) -> Result<http::Response<SecretBytes>, TransportError> {
    let Transmit { id, request, not_after, answer_within } = transmit;
    let span = debug_span!(
        target: "sr_auth",
        "transmit",
        transmission = id.count(),
        host = request.uri().host().unwrap_or_default(),
        status = field::Empty,
        error = field::Empty,
        millis = field::Empty,
    );
    let watch = Stopwatch::begin();
    // Both moments are the machine's own, so the span between them is what it meant.
    let left = not_after.since(now);
    let outcome = if now > not_after || waited > left {
        Err(TransportError::before_send(TransportErrorKind::Fenced))
    } else {
        let write_within = left.saturating_sub(waited).min(WRITE_WITHIN);
        send(request, write_within, answer_within, transport).instrument(span.clone()).await
    };
    report(&span, &outcome, watch.elapsed());
    outcome
}

async fn send(
    request: http::Request<SecretBytes>,
    write_within: Duration,
    answer_within: Duration,
    transport: &dyn Transport,
) -> Result<http::Response<SecretBytes>, TransportError> {
    // The answer is awaited from the moment of writing, which the transport alone knows.
    let answer_within = write_within.saturating_add(answer_within);
    // One byte more than the limit shows that the answer is too long.
    let limits = Limits::new(write_within, answer_within, BODY_LIMIT.saturating_add(1));
    let sending = pin!(transport.send(request, limits));
    patiently(answer_within.saturating_add(GRACE), LAST_LOOK * 3, sending)
        .await
        .unwrap_or(Err(TransportError::after_send(TransportErrorKind::Timeout)))
}

fn report(
    span: &Span,
    outcome: &Result<http::Response<SecretBytes>, TransportError>,
    took: Duration,
) {
    span.record("millis", u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    match outcome {
        Ok(response) => {
            span.record("status", response.status().as_u16());
            debug!(target: "sr_auth", parent: span, "answered");
        }
        Err(error) => {
            span.record("error", error.code());
            debug!(target: "sr_auth", parent: span, failure = ?error.failure(), "failed");
        }
    }
}

fn input(id: TransmitId, outcome: Result<http::Response<SecretBytes>, TransportError>) -> Input {
    match outcome {
        Ok(response) => Input::Response { id, response },
        Err(error) => {
            let failure = error.failure();
            Input::TransportFailed { id, failure, received: error.into_received() }
        }
    }
}
