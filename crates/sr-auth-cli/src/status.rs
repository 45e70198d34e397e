//! `sr-auth status`: what is known of a stored grant, without its secrets.

mod json;
mod words;

use clap::Args;
use sr_auth_core::Timestamp;
use sr_auth_core::store::{Health, Hold, LedgerEntry, Record, StoredToken};
use sr_auth_store::Sealed;

use crate::console::{BOLD, Console};
use crate::exit::{Exit, Failure};
use crate::grants::{Found, Place, StoredArguments};
use crate::hold::told;
use crate::moment::{date_and_time, moment_and_span};

/// Show the stored grant of a user: generation, ages, deadlines, and what happened to it
///
/// Reads the record of the grant and its ledger, by the clock of the store. Tokens are named by
/// fingerprints; no secret is needed, and none is shown. Ends with 0 while the grant can bring
/// tokens, and with 3 when the user has to consent again.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  sr-auth status
  sr-auth status --json | jq -r .state")]
pub(crate) struct StatusArguments {
    /// Print JSON; moments are milliseconds since 1970
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    stored: StoredArguments,
}

pub(crate) async fn run(arguments: &StatusArguments, console: &Console) -> Result<Exit, Failure> {
    let place = arguments.stored.place()?;
    let Some(found) = place.record().await? else {
        if arguments.json {
            console.line(&json::missing(&place).to_string())?;
        }
        return Err(place.missing());
    };
    let hold = place.hold().await;
    if arguments.json {
        console.line(&json::of(&place, &found, hold.as_ref()).to_string())?;
    } else {
        lines(&place, &found, hold.as_ref()).iter().try_for_each(|line| console.line(line))?;
    }
    words::failure(&found.record).map_or(Ok(Exit::Done), Err)
}

fn lines(place: &Place, Found { now, record }: &Found, hold: Option<&Hold>) -> Vec<String> {
    let row = |name: &str, value: String| format!("{:<15} {value}", format!("{name}:"));
    let mut lines = vec![
        format!("{BOLD}{}{BOLD:#}", place.called),
        row(if place.at.is_server() { "store" } else { "file" }, place.at.to_string()),
        row("state", words::state(record)),
        row("generation", generation(record, *now)),
        row("access token", token(record.access.as_ref(), "served until", *now)),
        row("refresh token", token(record.refresh.as_ref(), "ends", *now)),
        row("renewal", renewal(record, *now)),
    ];
    if let Some(hold) = hold {
        lines.insert(3, row("held", told(hold)));
    }
    if record.sibling.is_some() {
        lines.push(row("put aside", "a successor that came too late; it is tried next".to_owned()));
    }
    if let Some(last) = record.ledger.last() {
        let when = moment_and_span(last.at, *now);
        lines.push(row("last event", format!("{}, {when}", words::event(last.event))));
    }
    lines.push(String::new());
    lines.push(format!("{BOLD}history{BOLD:#}, the newest last:"));
    lines.extend(record.ledger.iter().map(entry));
    lines
}

fn generation(record: &Record<Sealed>, now: Timestamp) -> String {
    let number = record.generation.number();
    let since = record.ledger.iter().find(|it| it.generation == record.generation);
    match since {
        Some(entry) => format!("{number}, since {}", moment_and_span(entry.at, now)),
        None => number.to_string(),
    }
}

fn token(token: Option<&StoredToken<Sealed>>, until: &str, now: Timestamp) -> String {
    let Some(StoredToken { ends_at, fingerprint, renew_at, .. }) = token else {
        return "none".to_owned();
    };
    let (ends, renewed) = (moment_and_span(*ends_at, now), moment_and_span(*renew_at, now));
    format!("{fingerprint}, {until} {ends}, renewed from {renewed}")
}

fn renewal(record: &Record<Sealed>, now: Timestamp) -> String {
    if let Some(intent) = &record.intent {
        let quiet_until = intent.armed_at.after(intent.quiet);
        let (armed, quiet) =
            (moment_and_span(intent.armed_at, now), moment_and_span(quiet_until, now));
        return format!(
            "attempt {}, begun {armed}; its outcome is not known, and nobody presents again \
             before {quiet}",
            intent.attempt
        );
    }
    if record.health.may_present() && record.not_before > now {
        return format!("none before {}", moment_and_span(record.not_before, now));
    }
    match record.health {
        Health::Dead(_) | Health::Disabled | Health::Revoked => "none any more".to_owned(),
        Health::LastLeg | Health::Live | Health::Suspect => "none under way".to_owned(),
    }
}

fn entry(entry: &LedgerEntry) -> String {
    let token = entry.fingerprint.map(|it| format!(", refresh token {it}")).unwrap_or_default();
    let (at, number) = (date_and_time(entry.at), entry.generation.number());
    format!("  {at}  generation {number}: {}{token}", words::event(entry.event))
}
