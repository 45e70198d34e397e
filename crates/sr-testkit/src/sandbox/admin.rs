//! The administration under `/__sandbox/`: journal, clock, faults and switches, and partners.
//!
//! Changes are taken as JSON only: a page of another origin can send that type only after asking,
//! and nothing here answers that question.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Shared, other_sites, partner_admin};
use crate::simulator::{Fault, JournalEntry, Switches};

/// How far one request may move the clock: ten years.
const LONGEST_ADVANCE: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/__sandbox/clock", get(clock).post(advance))
        .route("/__sandbox/faults", post(inject).delete(clear_faults))
        .route("/__sandbox/requests", get(requests))
        .route("/__sandbox/switches", get(switches).put(set_switches))
        .merge(partner_admin::routes())
        .route_layer(middleware::from_fn(not_from_other_sites))
}

async fn not_from_other_sites(request: Request, next: Next) -> Response {
    if other_sites::is_foreign(request.headers()) {
        return (StatusCode::FORBIDDEN, "not from another site\n").into_response();
    }
    next.run(request).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u64,
}

async fn clock(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({ "now_unix_millis": shared.clock.now().as_unix_millis() }))
}

async fn advance(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Advance>, JsonRejection>,
) -> Response {
    let span = match body {
        Ok(Json(Advance { advance_seconds })) => Duration::from_secs(advance_seconds),
        Err(rejection) => return not_taken(&rejection),
    };
    if span > LONGEST_ADVANCE {
        return wrong("advance_seconds must be at most 315360000, which is ten years");
    }
    shared.clock.advance(span);
    clock(State(shared)).await.into_response()
}

async fn inject(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Fault>, JsonRejection>,
) -> Response {
    let fault = match body {
        Ok(Json(fault)) => fault,
        Err(rejection) => return not_taken(&rejection),
    };
    if !fault.effect.is_sendable() {
        return wrong("the status of a fault must be from 200 to 599");
    }
    shared.simulator().inject(fault);
    StatusCode::NO_CONTENT.into_response()
}

pub(super) fn wrong(message: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "message": message }))).into_response()
}

/// Says what is wrong with a body; data that do not fit are as wrong as a number out of range.
pub(super) fn not_taken(rejection: &JsonRejection) -> Response {
    let status = match rejection.status() {
        StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
        status => status,
    };
    (status, Json(json!({ "message": rejection.body_text() }))).into_response()
}

async fn clear_faults(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.simulator().clear_faults();
    StatusCode::NO_CONTENT
}

async fn requests(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let simulator = shared.simulator();
    let entries: Vec<Value> = simulator.journal().map(entry).collect();
    Json(json!({ "dropped": simulator.journal_dropped(), "requests": entries }))
}

fn entry(entry: &JournalEntry) -> Value {
    json!({
        "at_unix_millis": entry.at.as_unix_millis(),
        "credential": entry.credential.map(|it| it.to_string()),
        "fault": entry.fault,
        "grant": entry.grant.map(|it| it.to_string()),
        "grant_type": entry.grant_type,
        "issued": entry.issued.map(|it| it.to_string()),
        "method": entry.method.as_str(),
        "path": entry.path,
        "presented": entry.presented.map(|it| it.to_string()),
        "reason": entry.reason,
        "secret_in_url": entry.secret_in_url,
        "status": entry.status,
        "user_agent": entry.user_agent,
    })
}

async fn switches(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(list(shared.simulator().switches()))
}

fn list(switches: &Switches) -> Value {
    let all = Switches::all().iter().map(|switch| {
        json!({
            "name": switch.name(), "value": switch.value(switches),
            "values": switch.values(), "meaning": switch.meaning(),
        })
    });
    Value::Array(all.collect())
}

/// Sets all of the switches, or none of them.
async fn set_switches(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<BTreeMap<String, String>>, JsonRejection>,
) -> Response {
    let wanted = match body {
        Ok(Json(wanted)) => wanted,
        Err(rejection) => return not_taken(&rejection),
    };
    let mut simulator = shared.simulator();
    let mut switches = simulator.switches().clone();
    for (name, value) in wanted {
        if let Err(error) = switches.set(&format!("{name}={value}")) {
            return wrong(&error.to_string());
        }
    }
    let listed = list(&switches);
    *simulator.switches_mut() = switches;
    Json(listed).into_response()
}
