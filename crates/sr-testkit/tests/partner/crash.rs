//! A process dies after each step of an exchange, on either side of it, and the customer tries again.

use std::time::Duration;

use sr_auth_core::Machine as _;
use sr_partner::exchange::Reconciliation;
use sr_partner::store::Phase;

use crate::stage::{Stage, StoreFate, WireFate};

const REPEATED: [&str; 4] = ["refused", "replaces", "adds", "same"];

/// Runs everything that is under way, without faults, as long as anything moves.
fn run(stage: &mut Stage) {
    for _ in 0..200 {
        for at in 0..stage.running.len() {
            stage.carry_out(at, StoreFate::Carried, WireFate::Answered);
        }
        if stage.running.iter().all(|it| it.wants.is_empty()) {
            let waits = stage.running.iter().position(|it| it.machine.poll_timeout().is_some());
            let Some(at) = waits else {
                return;
            };
            stage.wait(at);
        }
    }
}

fn is_bound(stage: &Stage) -> bool {
    stage.store.record(&stage.key).is_some_and(|it| it.binding.is_some())
}

/// Has the customer begin again until the company is connected, as the pages tell them to.
fn connect_again(stage: &mut Stage) -> u32 {
    for attempt in 0..3 {
        stage.now = stage.now.after(Duration::from_secs(900));
        if attempt > 0 {
            // "Disable the integration in SmartRecruiters, then connect it again from there."
            stage.disable();
            while !stage.notices.is_empty() {
                stage.notify(0, StoreFate::Carried, false);
            }
            stage.connect();
        }
        stage.running.clear();
        let seen = stage.generation();
        stage.consent("acme", seen);
        run(stage);
        stage.confirm();
        if is_bound(stage) {
            return attempt;
        }
    }
    panic!("the company cannot be connected any more")
}

/// Lets an exchange take some steps, and dies before or after the last of them is told.
fn crash_after(steps: usize, lost: bool, repeated: &str, probes: bool) -> Stage {
    let mut stage = Stage::new(repeated, probes, Reconciliation::AskCustomer);
    stage.consent("acme", 0);
    for step in 0..steps {
        let last = step + 1 == steps;
        let store = if last && lost { StoreFate::Lost } else { StoreFate::Carried };
        let wire = if last && lost { WireFate::AnswerLost } else { WireFate::Answered };
        stage.carry_out(0, store, wire);
    }
    stage.crash(0);
    stage
}

#[test]
fn a_crash_at_any_step_leaves_a_company_that_can_be_connected() {
    let mut second_visits = 0;
    for repeated in REPEATED {
        for probes in [false, true] {
            for steps in 0..9 {
                for lost in [false, true] {
                    let mut stage = crash_after(steps, lost, repeated, probes);
                    // SmartRecruiters may have the pair already, and calls.
                    stage.call_for_token(StoreFate::Carried);
                    let again = connect_again(&mut stage);
                    second_visits += again;
                    let name = format!("{repeated}, {steps} steps, lost: {lost}");
                    assert!(again == 0 || repeated == "refused", "{name}");
                    assert!(
                        stage.kept_credentials_work(),
                        "{name}: what is kept opens the company"
                    );
                    stage.call_for_token(StoreFate::Carried);
                    let newest = stage.tokens.len() - 1;
                    assert!(stage.call_api(newest), "{name}: and SmartRecruiters can call");
                }
            }
        }
    }
    assert!(second_visits > 0, "a refused repetition needs the customer's help");
}

#[test]
fn what_a_crash_leaves_behind_ends_by_itself() {
    for steps in 0..9 {
        for lost in [false, true] {
            let mut stage = crash_after(steps, lost, "replaces", false);
            stage.call_for_token(StoreFate::Carried);
            let had = stage.tokens.len();
            stage.now = stage.now.after(Duration::from_secs(900));
            let phase = stage.store.record(&stage.key).and_then(|it| it.attempt.as_ref());
            let waits = phase.is_some_and(|it| matches!(it.phase, Phase::Integrated { .. }));
            stage.call_for_token(StoreFate::Carried);
            let name = format!("{steps} steps, lost: {lost}");
            assert_eq!(
                stage.tokens.len() > had,
                waits,
                "{name}: provisional is for fifteen minutes"
            );
            for token in 0..had {
                assert!(!stage.call_api(token) || waits, "{name}");
            }
        }
    }
}
