//! The same for programs: names instead of words, moments as milliseconds since 1970.

use serde_json::{Value, json};
use sr_auth_core::store::{CauseOfDeath, Health, Hold, LedgerEntry, LedgerEvent, StoredToken};
use sr_auth_core::{RefreshToken, Timestamp};
use sr_auth_store::Sealed;

use super::words;
use crate::grants::{Called, Found, Place};

pub(super) fn of(place: &Place, Found { now, record }: &Found, hold: Option<&Hold>) -> Value {
    let cause = match record.health {
        Health::Dead(cause) => Some(words::cause_name(cause)),
        Health::Disabled | Health::LastLeg | Health::Live | Health::Revoked | Health::Suspect => {
            None
        }
    };
    let presentation = record.intent.as_ref().map(|intent| {
        json!({
            "attempt": intent.attempt,
            "begun_at": millis(intent.armed_at),
            "quiet_until": millis(intent.armed_at.after(intent.quiet)),
        })
    });
    let mut value = json!({
        "access_token": record.access.as_ref().map(token),
        "cause_of_death": cause,
        "generation": record.generation.number(),
        "held": hold.map(held),
        "history": record.ledger.iter().map(entry).collect::<Vec<_>>(),
        "not_before": (record.not_before > *now).then(|| millis(record.not_before)),
        "now": millis(*now),
        "presentation": presentation,
        "refresh_token": record.refresh.as_ref().map(refresh_token),
        "refusals": record.refusals.count,
        "state": words::state_name(record.health),
        "successor_put_aside": record.sibling.is_some(),
        "unsettled_presentations": record.unsettled,
    });
    name(&mut value, place);
    value
}

fn held(hold: &Hold) -> Value {
    json!({ "reason": hold.reason(), "since": millis(hold.since()) })
}

pub(super) fn missing(place: &Place) -> Value {
    let mut value = json!({ "state": "missing" });
    name(&mut value, place);
    value
}

fn name(value: &mut Value, place: &Place) {
    let store = if place.at.is_server() { "store" } else { "file" };
    let told = match &place.called {
        Called::Own { name, .. } => vec![
            ("client_id", name.client.clone()),
            ("environment", name.environment.clone()),
            ("name", name.name.clone()),
        ],
        Called::OfService(key) => vec![("grant", key.as_str().to_owned())],
    };
    let Value::Object(fields) = value else { return };
    for (field, text) in told.into_iter().chain([(store, place.at.to_string())]) {
        fields.insert(field.to_owned(), json!(text));
    }
}

fn token(token: &StoredToken<Sealed>) -> Value {
    json!({
        "ends_at": millis(token.ends_at),
        "fingerprint": token.fingerprint.to_string(),
        "renewed_from": millis(token.renew_at),
    })
}

fn refresh_token(stored: &StoredToken<Sealed>) -> Value {
    let mut value = token(stored);
    if let Value::Object(fields) = &mut value {
        let obtained_at = stored.ends_at.before(RefreshToken::LIFE);
        fields.insert("obtained_at".to_owned(), json!(millis(obtained_at)));
    }
    value
}

fn entry(entry: &LedgerEntry) -> Value {
    let mut cause: Option<CauseOfDeath> = None;
    if let LedgerEvent::Buried(of) = entry.event {
        cause = Some(of);
    }
    json!({
        "at": millis(entry.at),
        "cause_of_death": cause.map(words::cause_name),
        "event": words::event_name(entry.event),
        "generation": entry.generation.number(),
        "refresh_token": entry.fingerprint.map(|it| it.to_string()),
    })
}

const fn millis(at: Timestamp) -> u64 {
    at.as_unix_millis()
}
