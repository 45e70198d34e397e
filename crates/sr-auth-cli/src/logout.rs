//! `sr-auth logout`: the end of a stored grant, and what is not ended by it.

use clap::Args;
use sr_auth_core::Timestamp;
use sr_auth_core::store::{Health, Record, StoredToken};
use sr_auth_store::Sealed;

use crate::console::{BOLD, Console};
use crate::exit::{Exit, Failure};
use crate::grants::StoredArguments;
use crate::moment::moment_and_span;

/// End the stored grant of a user
///
/// Its tokens leave the store, and processes that use it learn so within seconds. Needs no secret.
/// SmartRecruiters documents no way to take a token back, so the command says until when the tokens
/// would still work if somebody had them.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  sr-auth logout
  sr-auth logout --name reporting")]
pub(crate) struct LogoutArguments {
    #[command(flatten)]
    stored: StoredArguments,
}

pub(crate) async fn run(arguments: &LogoutArguments, console: &Console) -> Result<Exit, Failure> {
    let place = arguments.stored.place()?;
    let before = place.record().await?.filter(|it| it.record.health != Health::Revoked);
    let (Some(before), Some(ended)) = (before, place.end().await?) else {
        console.line(&format!("No grant is stored: {}.", place.called))?;
        return Ok(Exit::Done);
    };
    console.line(&format!("{BOLD}The grant is ended:{BOLD:#} {}.", place.called))?;
    console.line("Its tokens have left the store; whoever used it learns so within seconds.")?;
    still_known(&before.record, ended.now).iter().try_for_each(|line| console.line(line))?;
    Ok(Exit::Done)
}

/// Says what the server would still take.
fn still_known(record: &Record<Sealed>, now: Timestamp) -> Vec<String> {
    let alive = |token: &Option<StoredToken<Sealed>>| {
        token.as_ref().map(|it| it.ends_at).filter(|it| *it > now)
    };
    let mut lines = Vec::new();
    let refresh = alive(&record.refresh).filter(|_| record.health.may_present());
    for (what, ends_at) in [("access", alive(&record.access)), ("refresh", refresh)] {
        if let Some(ends_at) = ends_at {
            let until = moment_and_span(ends_at, now);
            lines.push(format!("SmartRecruiters knows the {what} token until {until}."));
        }
    }
    if record.intent.is_some() {
        lines.push("A renewal was under way: what it brings is not kept.".to_owned());
    }
    if lines.is_empty() {
        lines.push("SmartRecruiters takes none of them any more.".to_owned());
    } else {
        lines.push(
            "It documents no way to take a token back; revoking the application's credentials in \
             the Credential Manager, or deleting the user, ends the grant there."
                .to_owned(),
        );
    }
    lines
}
