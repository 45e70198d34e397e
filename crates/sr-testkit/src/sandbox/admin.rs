//! The administration under `/__sandbox/`: journal, clock, faults and switches.
//!
//! Changes are taken as JSON only: a page of another origin can send that type only after asking,
//! and nothing here answers that question.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Shared, other_sites};
use crate::simulator::{Fault, JournalEntry, Switches};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/__sandbox/clock", get(clock).post(advance))
        .route("/__sandbox/faults", post(inject).delete(clear_faults))
        .route("/__sandbox/requests", get(requests))
        .route("/__sandbox/switches", get(switches).put(set_switches))
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
    Json(Advance { advance_seconds }): Json<Advance>,
) -> Json<Value> {
    shared.clock.advance(Duration::from_secs(advance_seconds));
    Json(json!({ "now_unix_millis": shared.clock.now().as_unix_millis() }))
}

async fn inject(State(shared): State<Arc<Shared>>, Json(fault): Json<Fault>) -> StatusCode {
    shared.simulator().inject(fault);
    StatusCode::NO_CONTENT
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
        "grant_type": entry.grant_type,
        "method": entry.method.as_str(),
        "path": entry.path,
        "reason": entry.reason,
        "secret_in_url": entry.secret_in_url,
        "status": entry.status,
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
    Json(wanted): Json<BTreeMap<String, String>>,
) -> Response {
    let mut simulator = shared.simulator();
    let mut switches = simulator.switches().clone();
    for (name, value) in wanted {
        if let Err(error) = switches.set(&format!("{name}={value}")) {
            let body = Json(json!({ "message": error.to_string() }));
            return (StatusCode::BAD_REQUEST, body).into_response();
        }
    }
    let listed = list(&switches);
    *simulator.switches_mut() = switches;
    Json(listed).into_response()
}
