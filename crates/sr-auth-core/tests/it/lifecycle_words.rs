//! The words of the lifecycle's stories: tokens, steps of the server, of the store and of others.

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use sr_auth_core::store::{
    End, Generation, Health, IntentId, NewGrant, NewIntent, OwnerId, Record, Refusals, Renewal,
    Sequence, Sibling, StoreOp, StoreOutcome, StoredToken, Successor, TakeOver,
};
use sr_auth_core::{Fingerprint, Secret, Timestamp};

use crate::fixture::{at, secret};
use crate::lifecycle_scene::{A, B, Reply, Step, fingerprint, key};

pub(crate) const DAY: u64 = 86_400;

/// An access token with the documented life, sent for at `secs`.
pub(crate) fn access(number: u8, secs: u64) -> StoredToken<Secret> {
    token(&format!("at{number}"), secs + 1_769, secs + 1_200)
}

/// A refresh token with the documented life, sent for at `secs`.
pub(crate) fn refresh(number: u8, secs: u64) -> StoredToken<Secret> {
    token(&format!("rt{number}"), secs + 28 * DAY, secs + 18 * DAY)
}

fn token(text: &str, ends_at: u64, renew_at: u64) -> StoredToken<Secret> {
    let fingerprint = fingerprint(text);
    StoredToken { ends_at: at(ends_at), fingerprint, renew_at: at(renew_at), value: secret(text) }
}

pub(crate) fn grant(number: u8, secs: u64) -> NewGrant<Secret> {
    let (access, refresh) = (Some(access(number, secs)), Some(refresh(number, secs)));
    NewGrant { access, refresh, renewal: Renewal::SingleUse }
}

/// A user consents, and a process takes the grant in.
pub(crate) fn consent(number: u8, secs: u64) -> StoreOp<Secret> {
    StoreOp::Adopt { grant: grant(number, secs), key: key(), only_if_missing: false }
}

/// Another process writes an intent for the refresh token of a generation.
pub(crate) fn peer_arms(generation: u64, number: u64, token: &str) -> Step {
    let id = IntentId { number, owner: B };
    let quiet = Duration::from_secs(135);
    let intent = NewIntent { fingerprint: Some(fingerprint(token)), id, quiet };
    let generation = Generation::from_number(generation);
    Step::Elsewhere(StoreOp::Arm { generation, intent, key: key(), over: None })
}

/// Another process removes its intent, with a pause for everybody.
pub(crate) fn peer_disarms(number: u64, not_before: u64) -> Step {
    let (intent, not_before) = (IntentId { number, owner: B }, at(not_before));
    let refusals = Refusals::default();
    Step::Elsewhere(StoreOp::Disarm { intent, key: key(), not_before, refusals })
}

/// Another process commits tokens.
pub(crate) fn peer_commits(generation: u64, number: u8, secs: u64) -> Step {
    let successor =
        Successor { access: Some(access(number, secs)), refresh: Some(refresh(number, secs)) };
    let generation = Generation::from_number(generation);
    Step::Elsewhere(StoreOp::Commit { generation, key: key(), owner: B, successor })
}

/// Another process puts the successor of a generation aside.
pub(crate) fn peer_escrows(from: u64, number: u8, secs: u64) -> Step {
    let token = refresh(number, secs);
    Step::Elsewhere(escrow(from, token))
}

/// The same as an operation alone.
pub(crate) fn sibling(from: u64, number: u8) -> StoreOp<Secret> {
    escrow(from, refresh(number, 0))
}

fn escrow(from: u64, token: StoredToken<Secret>) -> StoreOp<Secret> {
    let sibling = Sibling { from: Generation::from_number(from), token };
    StoreOp::Escrow { key: key(), owner: B, sibling }
}

/// Another process shows a sign of life.
pub(crate) fn peer_lives() -> Step {
    Step::Elsewhere(StoreOp::Pulse { alive: true, owner: B, since: Sequence(0) })
}

pub(crate) fn disabled_elsewhere() -> Step {
    Step::Elsewhere(StoreOp::End { end: End::Disabled, generation: None, key: key() })
}

/// A success with a new refresh token.
pub(crate) fn rotated(number: u8) -> Step {
    Step::Answer(Reply::Body(200, tokens(number)))
}

pub(crate) fn tokens(number: u8) -> String {
    format!(r#"{{"access_token":"at{number}","expires_in":1799,"refresh_token":"rt{number}"}}"#)
}

/// A success without one.
pub(crate) fn granted(number: u8) -> Step {
    let body = format!(r#"{{"access_token":"at{number}","expires_in":1799}}"#);
    Step::Answer(Reply::Body(200, body))
}

pub(crate) fn refused(status: u16, code: &str) -> Step {
    Step::Answer(Reply::Body(status, format!(r#"{{"error":"{code}"}}"#)))
}

pub(crate) fn invalid_grant() -> Step {
    refused(400, "invalid_grant")
}

/// Writes a moment as `12.000 s`, with days and hours once there are any.
pub(crate) fn moment(at: Timestamp) -> String {
    let millis = at.as_unix_millis();
    let (secs, millis) = (millis / 1_000, millis % 1_000);
    let (days, hours) = (secs / DAY, secs % DAY / 3_600);
    match (days, hours) {
        (0, 0..=1) => format!("{secs}.{millis:03} s"),
        (0, _) => format!("{hours:02}:{:02}:{:02}.{millis:03}", secs % 3_600 / 60, secs % 60),
        _ => {
            let (minutes, secs) = (secs % 3_600 / 60, secs % 60);
            format!("{days}d {hours:02}:{minutes:02}:{secs:02}.{millis:03}")
        }
    }
}

/// The fingerprints of all tokens, and their names.
static NAMES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let names = ["at", "rt"].iter().flat_map(|kind| (1..=9).map(move |it| format!("{kind}{it}")));
    names.map(|name| (format!("{:?}", fingerprint(&name)), name)).collect()
});

/// Puts the names of tokens in the place of their fingerprints.
pub(crate) fn named(text: &str) -> String {
    let mut text = text.to_owned();
    for (fingerprint, name) in &*NAMES {
        text = text.replace(fingerprint, name);
    }
    for number in 0..=20 {
        text = text.replace(&format!("Generation({number})"), &number.to_string());
    }
    text
}

fn name(of: Option<Fingerprint>) -> String {
    of.map_or_else(|| "none".to_owned(), |it| named(&format!("{it:?}")))
}

fn of_token(token: Option<&StoredToken<Secret>>) -> String {
    name(token.map(|it| it.fingerprint))
}

fn of_owner(owner: OwnerId) -> &'static str {
    match owner {
        A => "A",
        B => "B",
        _ => "?",
    }
}

fn of_intent(id: IntentId) -> String {
    format!("{}{}", of_owner(id.owner), id.number)
}

/// Writes an operation as one line.
pub(crate) fn of_op(op: &StoreOp<Secret>) -> String {
    match op {
        StoreOp::Adopt { grant, only_if_missing, .. } => {
            let (access, refresh) = (grant.access.as_ref(), grant.refresh.as_ref());
            let verb = if *only_if_missing { "found" } else { "adopt" };
            format!("{verb} {} and {}", of_token(access), of_token(refresh))
        }
        StoreOp::Arm { generation, intent, over, .. } => {
            let over = over.map(|TakeOver { even_if_alive, intent }| {
                let whether = if even_if_alive { ", alive or not" } else { "" };
                format!(" over {}{whether}", of_intent(intent))
            });
            let (id, token) = (of_intent(intent.id), name(intent.fingerprint));
            let (number, over) = (generation.number(), over.unwrap_or_default());
            format!("arm {id}{over} for {token} of generation {number}, quiet {:?}", intent.quiet)
        }
        StoreOp::Bury { cause, generation, refused, .. } => {
            format!("bury {} of generation {}: {cause:?}", name(*refused), generation.number())
        }
        StoreOp::Commit { generation, successor, .. } => {
            let (access, refresh) = (successor.access.as_ref(), successor.refresh.as_ref());
            let after = generation.number();
            format!(
                "commit {} and {} after generation {after}",
                of_token(access),
                of_token(refresh)
            )
        }
        StoreOp::Disarm { intent, not_before, refusals, .. } => {
            let mut text = format!("disarm {}", of_intent(*intent));
            if *not_before > Timestamp::EPOCH {
                write!(text, ", not before {}", moment(*not_before)).expect("writing to a text");
            }
            if refusals.count > 0 {
                let (count, status) = (refusals.count, refusals.status);
                write!(text, ", {count} refusals with {status}").expect("writing to a text");
            }
            text
        }
        StoreOp::Due { .. } => "what is due".to_owned(),
        StoreOp::End { end, generation, .. } => {
            let only = generation.map(|it| format!(" if it is generation {}", it.number()));
            format!("end as {end:?}{}", only.unwrap_or_default())
        }
        StoreOp::Escrow { sibling, .. } => {
            let token = of_token(Some(&sibling.token));
            format!("put {token} aside, after generation {}", sibling.from.number())
        }
        StoreOp::Load { .. } => "load".to_owned(),
        StoreOp::Pulse { owner, .. } => format!("{} is alive", of_owner(*owner)),
    }
}

/// Writes an outcome as one line.
pub(crate) fn of_answer(outcome: &StoreOutcome<Secret>) -> String {
    match outcome {
        StoreOutcome::Armed(record)
        | StoreOutcome::Done(record)
        | StoreOutcome::Ended(record)
        | StoreOutcome::Loaded(record)
        | StoreOutcome::Moved(record) => format!("{}, {}", outcome.name(), of_record(record)),
        StoreOutcome::Busy { until, .. } | StoreOutcome::NotDue { until, .. } => {
            format!("{} until {}", outcome.name(), moment(*until))
        }
        StoreOutcome::Due(_) | StoreOutcome::Missing | StoreOutcome::Pulse(_) => {
            outcome.name().to_owned()
        }
    }
}

fn of_record(record: &Record<Secret>) -> String {
    let (access, refresh) = (of_token(record.access.as_ref()), of_token(record.refresh.as_ref()));
    let mut text = format!("generation {}: {access} and {refresh}", record.generation.number());
    if record.health != Health::Live {
        write!(text, ", {:?}", record.health).expect("writing to a text");
    }
    if let Some(intent) = &record.intent {
        let (id, attempt) = (of_intent(intent.id), intent.attempt);
        write!(text, ", intent {id}, attempt {attempt}").expect("writing to a text");
    }
    if let Some(sibling) = &record.sibling {
        write!(text, ", beside {}", of_token(Some(&sibling.token))).expect("writing to a text");
    }
    text
}

/// Writes a ledger as one line for each entry.
pub(crate) fn of_ledger(record: &Record<Secret>) -> String {
    let mut text = String::new();
    for it in &record.ledger {
        let (when, token) = (moment(it.at), name(it.fingerprint));
        let who = it.owner.map_or("-", of_owner);
        let (event, after) = (it.event, it.generation.number());
        writeln!(text, "{when:>14}  {event:?} {token}, by {who}, generation {after}")
            .expect("writing to a text");
    }
    text
}
