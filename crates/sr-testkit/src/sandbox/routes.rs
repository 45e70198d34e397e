//! What is served at which path, and who may ask.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::HOST;
use http::{Request, StatusCode};
use sr_auth_core::{Endpoints, SecretBytes};

use super::serve::Lost;
use super::{Shared, admin, other_sites, partner_client, start_page};
use crate::simulator::{PAGES, Reply};

/// How large the body of a request may be, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;
/// How large a form for the authorization or the token endpoint may be, in bytes.
const FORM_LIMIT: usize = 64 * 1024;
/// How long the body of a request may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// How long a planted delay may be: a sandbox that hangs for ever helps nobody.
const LONGEST_DELAY: Duration = Duration::from_secs(600);

pub(super) fn router(shared: Arc<Shared>) -> Router {
    let routes = Router::new().route("/", get(start_page::show));
    let routes = if shared.admin { routes.merge(admin::routes()) } else { routes };
    routes.fallback(simulate).layer(middleware::from_fn(only_loopback_names)).with_state(shared)
}

/// Refuses requests under another name than that of this machine: a page that made its own name
/// point here must not get in (DNS rebinding).
async fn only_loopback_names(request: Request<Body>, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let mut hosts = request.headers().get_all(HOST).iter();
    let one = hosts.next().is_some() && hosts.next().is_none();
    if one && host.is_some_and(is_loopback) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "this server answers to 127.0.0.1, localhost and [::1] only\n")
        .into_response()
}

fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, "")) => (address, None),
            Some((address, port)) => (address, port.strip_prefix(':').or(Some("x"))),
            None => return false,
        },
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    let named = matches!(name, "127.0.0.1" | "::1") || name.eq_ignore_ascii_case("localhost");
    named && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

async fn simulate(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    if other_sites::posts_form(&head) {
        return (StatusCode::FORBIDDEN, "forms are posted from the pages of this server only\n")
            .into_response();
    }
    let limit = match head.uri.path() {
        Endpoints::AUTHORIZATION_PATH | Endpoints::TOKEN_PATH => FORM_LIMIT,
        path if path.starts_with(PAGES) => FORM_LIMIT,
        _ => BODY_LIMIT,
    };
    let body = tokio::time::timeout(BODY_WITHIN, axum::body::to_bytes(body, limit)).await;
    let body: Bytes = match body {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    let is_page = head.uri.path().starts_with(PAGES);
    let request = Request::from_parts(head, SecretBytes::new(body.into()));
    let (reply, slot) = shared.simulator().begin(shared.clock.now(), &request);
    // Gives the slot back even when the peer hangs up and this future is dropped.
    let under_way = UnderWay { shared: &shared, slot: Some(slot) };
    // What a button had SmartRecruiters tell a partner is told before the next page shows it.
    if is_page {
        partner_client::make_calls(&shared).await;
    }
    let response = match reply {
        Reply::Answer { delay, response } => {
            wait(delay.min(LONGEST_DELAY)).await;
            let (head, body) = response.into_parts();
            Response::from_parts(head, Body::from(body.expose().to_vec()))
        }
        Reply::LostAfter | Reply::LostBefore => {
            let mut response = Response::new(Body::empty());
            response.extensions_mut().insert(Lost);
            response
        }
    };
    drop(under_way);
    response
}

#[expect(clippy::disallowed_methods, reason = "a planted delay is real time on a real socket")]
async fn wait(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

struct UnderWay<'a> {
    shared: &'a Shared,
    slot: Option<crate::simulator::Slot>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.shared.simulator().end(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_answered_to() {
        let cases = [
            ("127.0.0.1", true),
            ("127.0.0.1:8700", true),
            ("localhost:8700", true),
            ("LOCALHOST", true),
            ("[::1]:8700", true),
            ("[::1]", true),
            ("", false),
            ("evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("localhost:8700.evil.example", false),
            ("[::1]evil.example", false),
            ("evil.example:8700", false),
            ("0.0.0.0", false),
        ];
        for (host, expected) in cases {
            assert_eq!(is_loopback(host), expected, "{host}");
        }
    }
}
