//! The loop that runs a machine over a transport and a clock.

use std::future::{Future, pending};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use sr_auth_core::grant::{Input, Output};
use sr_auth_core::wire::token_answer::BODY_LIMIT;
use sr_auth_core::{Machine, SecretBytes, Timestamp, Transmit, TransmitId};
use tokio::time::timeout;
use tracing::{Instrument as _, Span, debug, debug_span, field};

use crate::clock::Stopwatch;
use crate::{Clock, Limits, Transport, TransportError, TransportErrorKind};

/// What a transport may take longer than it was allowed, before its answer is given up.
const GRACE: Duration = Duration::from_secs(1);

/// Runs a grant to its end, and returns how it ended.
///
/// Takes the outputs in order, sends what is to be sent, and waits for the answer or for the
/// moment that the machine names, whichever comes first. It never writes past
/// [`Transmit::not_after`], and gives up a transport that overstays
/// [`Transmit::answer_within`]. A new transmission abandons the one before, which the machine has
/// given up then.
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
/// use sr_auth_core::grant::{Input, Output};
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
    let mut on_its_way: Option<Exchange<'_>> = None;
    loop {
        while let Some(output) = machine.poll_output() {
            match output {
                Output::Event(event) => return event,
                Output::Transmit(transmit) => {
                    on_its_way = Some(Box::pin(transmit_one(transmit, transport, clock)));
                }
            }
        }
        let until = machine.poll_timeout();
        assert!(
            on_its_way.is_some() || until.is_some(),
            "a machine that has not ended waits for an answer or for a moment"
        );
        let (now, input) = next_input(&mut on_its_way, until, clock).await;
        machine.handle_input(now, input);
    }
}

type Exchange<'a> = Pin<Box<dyn Future<Output = Input> + Send + 'a>>;

/// Waits for the answer or for the moment, and says which came; the answer wins a tie.
async fn next_input(
    on_its_way: &mut Option<Exchange<'_>>,
    until: Option<Timestamp>,
    clock: &Clock,
) -> (Timestamp, Input) {
    let mut moment = std::pin::pin!(async {
        match until {
            Some(at) => clock.sleep_until(at).await,
            None => pending().await,
        }
    });
    let answer = std::future::poll_fn(|cx| {
        if let Some(exchange) = on_its_way
            && let Poll::Ready(input) = exchange.as_mut().poll(cx)
        {
            return Poll::Ready(Some(input));
        }
        moment.as_mut().poll(cx).map(|()| None)
    })
    .await;
    match answer {
        Some(input) => {
            *on_its_way = None;
            (clock.now(), input)
        }
        // A clock that was set back during the wait must not make it begin again.
        None => (until.map_or_else(|| clock.now(), |at| at.max(clock.now())), Input::Timeout),
    }
}

/// Sends one request inside its limits, and says what came of it.
async fn transmit_one(transmit: Transmit, transport: &dyn Transport, clock: &Clock) -> Input {
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
    let sent = send(request, not_after, answer_within, transport, clock).instrument(span.clone());
    let outcome = sent.await;
    report(&span, &outcome, watch.elapsed());
    input(id, outcome)
}

async fn send(
    request: http::Request<SecretBytes>,
    not_after: Timestamp,
    answer_within: Duration,
    transport: &dyn Transport,
    clock: &Clock,
) -> Result<http::Response<SecretBytes>, TransportError> {
    let now = clock.now();
    if now > not_after {
        return Err(TransportError::before_send(TransportErrorKind::Fenced));
    }
    // One byte more than the limit shows that the answer is too long.
    let limits = Limits::new(not_after.since(now), answer_within, BODY_LIMIT.saturating_add(1));
    timeout(answer_within.saturating_add(GRACE), transport.send(request, limits))
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
        Err(error) => Input::TransportFailed { id, failure: error.failure() },
    }
}
