//! Where SmartRecruiters calls: `oauthTokenUrl`, `callbackUrl`, and the deletion of the Assessment
//! sibling.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use sr_auth_core::{Machine, SecretBytes};
use sr_partner::inbound::{InboundInput, InboundOutput, Notification};
use sr_partner::wire::token_form;
use tokio::sync::oneshot;
use tracing::error;

use super::status_only;
use crate::body::read;
use crate::drive::failed;
use crate::peers::Source;
use crate::random::draw;
use crate::running::Running;
use crate::service::Shared;

/// Answers a request for a token.
pub(super) async fn token(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let source = request.extensions().get::<Source>().and_then(|it| it.0);
    let request = match read(request, token_form::BODY_LIMIT).await {
        Ok(request) => request,
        Err(status) => return status_only(status),
    };
    let entropy = match draw() {
        Ok(entropy) => entropy,
        Err(error) => {
            error!(target: "sr_partner", error = error.code(), "no token can be made");
            return failed();
        }
    };
    let machine = shared.issuer.answer(shared.clock.now(), &request, source, entropy);
    shared.run(machine).await.0.into_response()
}

/// Takes in a notification.
pub(super) async fn notification(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    finish(shared, request, |shared, request| Notification::receive(shared.clock.now(), request))
        .await
}

/// Takes in a deletion.
pub(super) async fn deletion(
    State(shared): State<Arc<Shared>>,
    Path(company): Path<String>,
    request: Request,
) -> Response {
    finish(shared, request, move |shared, request| {
        Notification::receive_deletion(shared.clock.now(), request, &company)
    })
    .await
}

/// Runs a machine to its end, whether or not the caller waits: it may have ended an integration, and
/// then the application is told.
async fn finish<M>(
    shared: Arc<Shared>,
    request: Request,
    machine: impl FnOnce(&Shared, &http::Request<SecretBytes>) -> M + Send,
) -> Response
where
    M: Machine<Input = InboundInput, Output = InboundOutput> + Send + 'static,
{
    let request = match read(request, Notification::BODY_LIMIT).await {
        Ok(request) => request,
        Err(status) => return status_only(status),
    };
    let machine = machine(&shared, &request);
    let (reply, answer) = oneshot::channel();
    let busy = Running::busy(&shared);
    tokio::spawn(async move {
        let (answer, left) = shared.run(machine).await;
        // A caller that has left needs no answer.
        let _unheard = reply.send(answer);
        if let Some(left) = left {
            shared.hooks.left(left).await;
        }
        drop(busy);
    });
    answer.await.map_or_else(|_| failed(), crate::drive::Answer::into_response)
}
