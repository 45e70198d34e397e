//! Runs the machines of requests to us over a store.

use axum::body::Body;
use http::{Response, StatusCode};
use sr_auth_core::Machine;
use sr_auth_core::lifecycle::StoreFailure;
use sr_partner::inbound::{InboundEvent, InboundInput, InboundOutput, PartnerStoreRequest};
use sr_partner::store::{DisableEffect, EndCause, PartnerAnswer, Principal};
use tracing::{debug, info, warn};

use crate::Left;
use crate::body::to_socket;
use crate::service::Shared;

/// How a machine ended.
#[derive(Debug)]
pub(crate) enum Answer {
    Admitted(Principal),
    Refused(Response<Body>),
}

impl Answer {
    /// Returns the answer of a machine that admits nobody.
    pub(crate) fn into_response(self) -> Response<Body> {
        match self {
            Self::Refused(response) => response,
            Self::Admitted(_) => failed(),
        }
    }
}

/// The answer when a machine or a task of ours broke.
pub(crate) fn failed() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

impl Shared {
    /// Runs a machine to its answer, and returns with it what the application has to be told.
    pub(crate) async fn run<M>(&self, mut machine: M) -> (Answer, Option<Left>)
    where
        M: Machine<Input = InboundInput, Output = InboundOutput> + Send,
    {
        let mut now = self.clock.now();
        let mut left = None;
        loop {
            let input = match machine.poll_output() {
                Some(InboundOutput::Admit(principal)) => {
                    return (Answer::Admitted(principal), left);
                }
                Some(InboundOutput::Respond(response)) => {
                    return (Answer::Refused(to_socket(response)), left);
                }
                Some(InboundOutput::Event(event)) => {
                    tell(&event);
                    left = left.or_else(|| ended(event));
                    continue;
                }
                Some(InboundOutput::Store(request)) => {
                    let id = request.id;
                    InboundInput::Stored { id, result: self.stored(request).await }
                }
                None => {
                    let Some(at) = machine.poll_timeout() else {
                        return (Answer::Refused(failed()), left);
                    };
                    self.clock.sleep_until(at).await;
                    now = now.max(at);
                    InboundInput::Timeout
                }
            };
            now = now.max(self.clock.now());
            machine.handle_input(now, input);
        }
    }

    /// Has the store carry out an operation, as long as the machine waits for it.
    pub(crate) async fn stored(
        &self,
        request: PartnerStoreRequest,
    ) -> Result<PartnerAnswer<sr_auth_core::Secret>, StoreFailure> {
        let PartnerStoreRequest { answer_within, id: _, op } = request;
        let name = op.name();
        let answer = tokio::time::timeout(answer_within, self.store.apply_partner(op));
        match answer.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                warn!(target: "sr_partner", op = name, error = error.code(), "the store failed");
                Err(error.failure())
            }
            Err(_) => {
                warn!(target: "sr_partner", op = name, "the store is silent");
                Err(StoreFailure::OutcomeUnknown)
            }
        }
    }
}

fn tell(event: &InboundEvent) {
    match event {
        InboundEvent::Disabled { effect, principal } => {
            let (key, generation) = (&principal.key, principal.generation.number());
            info!(target: "sr_partner", %key, generation, ?effect, "disabled by its customer");
        }
        InboundEvent::Issued { generation, key, .. } => {
            debug!(target: "sr_partner", %key, generation = generation.number(), "token issued");
        }
        InboundEvent::UnknownNotification { name, principal } => {
            let key = &principal.key;
            info!(target: "sr_partner", %key, event = ?name, "a notification that nobody knows");
        }
        InboundEvent::Refused(refusal) => {
            info!(target: "sr_partner", ?refusal, "a request was refused");
        }
        other => debug!(target: "sr_partner", event = ?other, "told"),
    }
}

/// Returns what the application has to know.
fn ended(event: InboundEvent) -> Option<Left> {
    let InboundEvent::Disabled { effect: DisableEffect::Ended, principal } = event else {
        return None;
    };
    let Principal { generation, key, tenant, .. } = principal;
    Some(Left { cause: EndCause::Disabled, generation, key, tenant })
}
