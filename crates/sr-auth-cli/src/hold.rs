//! `sr-auth hold` and `sr-auth release`: the operator's switch.

use clap::Args;
use sr_auth_core::store::{GrantKey, Hold, HoldScope};

use crate::console::{BOLD, Console, harmless};
use crate::exit::{Exit, Failure};
use crate::grants::SharedArguments;
use crate::moment::date_and_time;

/// Hold grants: nothing of them is presented or handed out until they are released
///
/// Every process that shares the store obeys within seconds. What was begun is finished, and no token
/// is lost; but refresh tokens grow older, and die at 28 days. Without a name and without --all, shows
/// what is held. Needs the sealing key, for the list is sealed like a token.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  sr-auth hold planner/acme --store /var/lib/planner/grants.db --reason 'leaked key, ask the office'
      one company: the grant planner/acme, and all whose keys begin with planner/acme/
  sr-auth hold --all
      everything in the store of your own grants
  sr-auth hold
      what is held")]
pub(crate) struct HoldArguments {
    /// Hold every grant of the store
    #[arg(long, conflicts_with = "grants")]
    all: bool,
    /// The key of a grant, or what the keys of a company's grants have before a slash
    grants: Option<String>,
    /// Why, for the people who will ask; it is shown to all of them
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    shared: SharedArguments,
}

/// Release what is held
///
/// Every process that shares the store goes on within seconds.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  sr-auth release planner/acme --store /var/lib/planner/grants.db
  sr-auth release --all
      whatever was held, one by one or together")]
pub(crate) struct ReleaseArguments {
    /// Take back every order
    #[arg(long, conflicts_with = "grants", required_unless_present = "grants")]
    all: bool,
    /// What the order was about, as it was written
    grants: Option<String>,
    #[command(flatten)]
    shared: SharedArguments,
}

pub(crate) async fn hold(arguments: &HoldArguments, console: &Console) -> Result<Exit, Failure> {
    let (at, store) = arguments.shared.open().await?;
    let failure = |error| Failure::of_hold(&at, error);
    let Some(scope) = scope(arguments.all, arguments.grants.as_deref())? else {
        let holds = store.holds().await.map_err(failure)?;
        if holds.is_empty() {
            console.line("Nothing is held.")?;
        }
        holds.iter().try_for_each(|it| console.line(&told(it)))?;
        return Ok(Exit::Done);
    };
    let reason = arguments.reason.as_deref().unwrap_or_default();
    let hold = store.hold(scope, reason).await.map_err(failure)?;
    console.line(&format!("{BOLD}Held:{BOLD:#} {}", told(&hold)))?;
    console.line("Every process that shares the store stops within seconds; no token is lost.")?;
    Ok(Exit::Done)
}

pub(crate) async fn release(
    arguments: &ReleaseArguments,
    console: &Console,
) -> Result<Exit, Failure> {
    let (at, store) = arguments.shared.open().await?;
    let scope = scope(arguments.all, arguments.grants.as_deref())?.unwrap_or(HoldScope::All);
    let released = store.release(&scope).await.map_err(|error| Failure::of_hold(&at, error))?;
    if released.is_empty() {
        console.line("Nothing was held by such an order; `sr-auth hold` shows what is.")?;
    }
    for hold in released {
        console.line(&format!("{BOLD}Released:{BOLD:#} {}", told(&hold)))?;
    }
    Ok(Exit::Done)
}

fn scope(all: bool, grants: Option<&str>) -> Result<Option<HoldScope>, Failure> {
    if all {
        return Ok(Some(HoldScope::All));
    }
    Ok(grants.map(GrantKey::new).transpose()?.map(HoldScope::Under))
}

/// Says what an order is about, since when and why.
pub(crate) fn told(hold: &Hold) -> String {
    let what = match hold.scope() {
        HoldScope::All => "all grants".to_owned(),
        HoldScope::Under(key) => harmless(key.as_str()),
    };
    let since = date_and_time(hold.since());
    match hold.reason() {
        "" => format!("{what}, since {since}"),
        reason => format!("{what}, since {since}: {}", harmless(reason)),
    }
}
