//! Laws over the token lifecycle: whatever comes, in whatever order and at whatever time.

mod chaos;
mod endpoint;
mod model;
mod others;
mod rest;
mod stage;
mod store;

use proptest::prelude::*;
use sr_auth_core::Secret;
use sr_auth_core::store::Renewal;
use sr_testkit::Canary;

use stage::{CLIENT_SECRET, Stage};

proptest! {
    /// No refresh token leaves without a durable intent that names it, outside of the fence, or
    /// while an earlier presentation of it may still act; nothing is told before it is durable; a
    /// successor that was received is kept until it is; a good token is always served, one past its
    /// end never; and a caller who waits, waits for something.
    #[test]
    fn the_rules_hold_over_any_run(run in chaos::run()) {
        Stage::play(Renewal::SingleUse, run)?;
    }

    /// The same for client credentials.
    #[test]
    fn the_rules_hold_for_client_credentials(run in chaos::run()) {
        Stage::play(Renewal::Repeatable, run)?;
    }

    /// A process that is about to end presents nothing more.
    #[test]
    fn a_process_that_ends_begins_nothing(run in chaos::run_and_shutdown()) {
        Stage::play(Renewal::SingleUse, run)?;
    }

    /// When all trouble is over, callers get a token or the reason why nobody will, and whatever
    /// was received is durable.
    #[test]
    fn every_run_comes_to_rest(run in chaos::run()) {
        for renewal in [Renewal::SingleUse, Renewal::Repeatable] {
            Stage::play(renewal, run.clone())?.comes_to_rest()?;
        }
    }

    /// The same over a store that goes back or forgets; what is presented has its intent even then.
    #[test]
    fn a_store_that_goes_back_stops_nothing(run in chaos::run_with_backups()) {
        Stage::play(Renewal::SingleUse, run)?.comes_to_rest()?;
    }

    /// Input that no longer matters changes nothing.
    #[test]
    fn stale_input_changes_nothing(run in chaos::run()) {
        for renewal in [Renewal::SingleUse, Renewal::Repeatable] {
            Stage::play(renewal, run.clone())?.ignores_stale_input()?;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Nothing that a lifecycle shows holds a secret: inputs, outputs, events, views, itself.
    #[test]
    fn k04_no_secret_is_shown(run in chaos::run()) {
        let shown = Stage::show(Renewal::SingleUse, run)?;
        prop_assert!(!shown.contains("canary-"), "a secret shows");
        // In other spellings, in as much as can be searched.
        let part: String = shown.chars().take(20_000).collect();
        for secret in [CLIENT_SECRET, "canary-refresh-000001-b259"] {
            let canary = Canary::of("a secret of the stage", Secret::new(secret.to_owned()));
            prop_assert_eq!(canary.find(part.as_bytes()), []);
        }
    }
}
