//! Runs the exchange of one consent, in a task of its own: whoever waits for it may leave.

use std::future::pending;
use std::sync::Arc;

use sr_auth_core::{Machine as _, Timestamp};
use sr_auth_http::transmit;
use sr_partner::consent::Consent;
use sr_partner::exchange::{
    ExchangeError, ExchangeEvent, Input, IntegrationExchange, Output, StoreStep, TokenOf,
};
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

use crate::random::draw;
use crate::running::{Ending, Progress};
use crate::service::Shared;
use crate::{Awaiting, Connected};

/// Carries the exchange out, tells the application how it ended, and returns that.
pub(crate) async fn run(
    shared: &Arc<Shared>,
    consent: Consent,
    progress: impl Fn(Progress),
) -> Ending {
    let (key, tenant) = (consent.key().clone(), consent.tenant().clone());
    let outcome = outcome(shared, consent, progress).await;
    match outcome {
        ExchangeEvent::Bound { generation, integration, verified, .. } => {
            info!(target: "sr_partner", %key, generation = generation.number(), "connected");
            let connected = Connected { generation, integration, key, tenant, verified };
            shared.hooks.connected(connected).await;
            Ending::Connected
        }
        ExchangeEvent::AwaitsOwner { generation, why, .. } => {
            let number = generation.number();
            info!(target: "sr_partner", %key, generation = number, ?why, "waits for its owner");
            shared.hooks.awaits_owner(Awaiting { generation, key, tenant, why }).await;
            Ending::AwaitsOwner(generation)
        }
        ExchangeEvent::Failed(error) => {
            warn!(target: "sr_partner", %key, error = error.code(), "not connected");
            Ending::Failed(error)
        }
        // Told on the way, or a kind that comes with a later version: the store knows.
        ExchangeEvent::Unsettled | _ => Ending::Failed(ExchangeError::Taken),
    }
}

async fn outcome(
    shared: &Arc<Shared>,
    consent: Consent,
    progress: impl Fn(Progress),
) -> ExchangeEvent {
    let Ok(entropy) = draw() else {
        return ExchangeEvent::Failed(ExchangeError::Store { step: StoreStep::Begin });
    };
    let mut now = shared.clock.now();
    let settings = shared.exchange.clone();
    let mut machine = IntegrationExchange::new(now, settings, consent, entropy);
    // An answer is listened to as long as the machine lives, even when it was given up.
    let mut effects = JoinSet::new();
    loop {
        while let Some(output) = machine.poll_output() {
            let Output::Event(event) = output else {
                effects.spawn(effect(Arc::clone(shared), now, output));
                continue;
            };
            if event == ExchangeEvent::Unsettled {
                progress(Progress::Unsettled);
                continue;
            }
            if let Some(message) = machine.refusal_message() {
                debug!(target: "sr_partner", ?message, "SmartRecruiters refused");
            }
            return event;
        }
        let at = machine.poll_timeout();
        let input = tokio::select! {
            Some(done) = effects.join_next() => match done {
                Ok(Some(input)) => input,
                // A task that broke is an answer that never comes.
                Ok(None) | Err(_) => continue,
            },
            () = sleep_until(shared, at) => {
                now = at.map_or(now, |at| now.max(at));
                Input::Timeout
            }
        };
        now = now.max(shared.clock.now());
        machine.handle_input(now, input);
    }
}

async fn sleep_until(shared: &Shared, at: Option<Timestamp>) {
    match at {
        Some(at) => shared.clock.sleep_until(at).await,
        None => pending().await,
    }
}

/// Does what the machine asks for.
async fn effect(shared: Arc<Shared>, now: Timestamp, output: Output) -> Option<Input> {
    match output {
        Output::Event(_) => None,
        Output::Store(request) => {
            let id = request.id;
            Some(Input::Stored { id, result: shared.stored(request).await })
        }
        Output::Token(request) => {
            // A token is asked for whenever one is needed, and never kept: the master credentials
            // are used as seldom as customers connect.
            let client = match request.of {
                TokenOf::Customer(client) => client,
                TokenOf::Master { .. } => shared.master.clone(),
            };
            let result = shared.token_client(client).client_credentials().await;
            Some(Input::Token { id: request.id, result })
        }
        Output::Transmit(it) => {
            let id = it.id;
            Some(match transmit(it, &*shared.transport, now).await {
                Ok(response) => Input::Response { id, response },
                Err(error) => {
                    let failure = error.failure();
                    Input::TransportFailed { id, failure, received: error.into_received() }
                }
            })
        }
    }
}
