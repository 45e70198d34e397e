//! What is where.

mod consent;
mod decision;
mod inbound;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{any, get};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use sr_partner::Profile;

use crate::page::{STYLE, style_path};
use crate::service::Shared;

/// Where the Assessment sibling ends the integration of a company.
pub(crate) const DELETION_PATH: &str = "/integrations/companies/";

/// Returns the routes of a service.
pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    let paths = &shared.paths;
    // The paths are literal: a colon in one of them is no parameter.
    let mut router = Router::new()
        .without_v07_checks()
        .route(&paths.consent, get(consent::show).post(decision::decide))
        .route(&style_path(&paths.consent), get(style));
    if let Some(token) = &paths.token {
        router = router.route(token, any(inbound::token));
    }
    if let Some(callback) = &paths.callback {
        router = router.route(callback, any(inbound::notification));
    }
    if shared.profile == Profile::Assessment {
        router = router.route(&format!("{DELETION_PATH}{{company}}"), any(inbound::deletion));
    }
    let admit = from_fn_with_state(Arc::clone(shared), admit);
    router.route_layer(admit).with_state(Arc::clone(shared))
}

/// Looks who is at the other end, before anything else does.
async fn admit(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    match shared.peers.admit(&mut request, shared.is_secure()) {
        Ok(source) => {
            request.extensions_mut().insert(source);
            next.run(request).await
        }
        Err(status) => status_only(status),
    }
}

async fn style() -> Response {
    let mut response = Response::new(STYLE.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, http::HeaderValue::from_static("text/css; charset=utf-8"));
    headers.insert(CACHE_CONTROL, http::HeaderValue::from_static("public, max-age=3600"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, http::HeaderValue::from_static("nosniff"));
    response
}

pub(crate) fn status_only(status: StatusCode) -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    response
}
