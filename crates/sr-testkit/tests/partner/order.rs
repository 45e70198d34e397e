//! Any order of events and faults: two tenants, several tabs, a customer, late messages.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use sr_auth_core::Machine as _;
use sr_partner::exchange::Reconciliation;

use crate::stage::{Stage, StoreFate, WireFate};

const REPEATED: [&str; 4] = ["refused", "replaces", "adds", "same"];

fn store_fate(choice: u8) -> StoreFate {
    match choice % 16 {
        0 => StoreFate::Failed,
        1 => StoreFate::Lost,
        _ => StoreFate::Carried,
    }
}

fn wire_fate(choice: u8) -> WireFate {
    match choice % 24 {
        0 => WireFate::AnswerLost,
        1 => WireFate::Delayed,
        2 => WireFate::Fault,
        3 => WireFate::NotSent,
        4 => WireFate::Swallowed,
        _ => WireFate::Answered,
    }
}

/// Takes one step that the bytes choose.
fn step(stage: &mut Stage, (what, which, how): (u8, u8, u8)) {
    let of = |count: usize| usize::from(which) % count.max(1);
    let running = of(stage.running.len());
    match what % 24 {
        0..=9 => stage.carry_out(running, store_fate(how), wire_fate(how / 8)),
        10 => stage.wait(running),
        11 => stage.now = stage.now.after(Duration::from_secs(u64::from(how) * 8)),
        12 | 13 if stage.running.len() < 6 && !stage.is_worn_out() => {
            let seen = stage.generation();
            let stale = if how % 4 == 0 { seen.saturating_sub(1) } else { seen };
            stage.consent(if which % 3 == 0 { "globex" } else { "acme" }, stale);
        }
        14 if !stage.running.is_empty() => stage.crash(running),
        15 => stage.call_for_token(store_fate(how)),
        16 => {
            stage.call_api(of(stage.tokens.len()));
        }
        17 => stage.disable(),
        18 => stage.connect(),
        19 | 20 => {
            stage.notify(of(stage.notices.len()), store_fate(how), how % 3 == 0);
        }
        21 => stage.confirm(),
        22 => stage.deliver(of(stage.delayed.len())),
        _ => stage.timeout(running),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// S13 to S17, S19 and S20 hold after every step, and what is under way comes to its outcome.
    #[test]
    fn the_promises_hold_in_any_order(
        repeated in 0..4_usize,
        probes in any::<bool>(),
        once_more in any::<bool>(),
        steps in vec((any::<u8>(), any::<u8>(), any::<u8>()), 0..160),
    ) {
        let reconciliation = match once_more {
            true => Reconciliation::PostOnceMore,
            false => Reconciliation::AskCustomer,
        };
        let mut stage = Stage::new(REPEATED[repeated], probes, reconciliation);
        for choice in steps {
            step(&mut stage, choice);
        }
        // From here on nothing fails, and nobody stalls.
        for _ in 0..400 {
            for at in 0..stage.running.len() {
                stage.carry_out(at, StoreFate::Carried, WireFate::Answered);
            }
            let due = (0..stage.running.len()).find(|at| {
                let running = &stage.running[*at];
                running.wants.is_empty() && running.machine.poll_timeout().is_some()
            });
            match due {
                Some(at) => stage.wait(at),
                None if stage.running.iter().all(|it| it.wants.is_empty()) => break,
                None => {}
            }
        }
        for running in &stage.running {
            prop_assert!(running.machine.poll_timeout().is_none(), "it comes to an outcome");
        }
    }
}

#[test]
fn p17_one_request_for_a_double_click_two_tabs_and_a_reload() {
    for repeated in REPEATED {
        let mut stage = Stage::new(repeated, true, Reconciliation::AskCustomer);
        for _ in 0..3 {
            stage.consent("acme", 0);
        }
        for _ in 0..12 {
            for at in 0..3 {
                stage.carry_out(at, StoreFate::Carried, WireFate::Answered);
            }
        }
        assert_eq!(stage.simulator.integrations(&stage.key).len(), 1, "{repeated}");
        assert!(stage.kept_credentials_work(), "{repeated}");
    }
}

#[test]
fn p08_of_two_tenants_that_race_for_a_company_one_has_it_and_the_other_posts_nothing() {
    // Whichever comes first at each of the steps.
    for order in 0..64_u8 {
        let mut stage = Stage::new("adds", true, Reconciliation::AskCustomer);
        stage.consent("acme", 0);
        stage.consent("globex", 0);
        for turn in 0..60_u8 {
            let first = usize::from((order >> (turn % 6)) & 1);
            stage.carry_out(first, StoreFate::Carried, WireFate::Answered);
            if turn > 40 {
                stage.carry_out(1 - first, StoreFate::Carried, WireFate::Answered);
            }
        }
        let record = stage.store.record(&stage.key).expect("a record");
        assert!(record.binding.is_some(), "{order}");
        assert_eq!(stage.simulator.integrations(&stage.key).len(), 1, "{order}: one request");
    }
}

#[test]
fn i19_a_disable_that_comes_after_a_new_connection_ends_nothing() {
    let mut stage = Stage::new("replaces", true, Reconciliation::AskCustomer);
    let finish = |stage: &mut Stage| {
        for _ in 0..12 {
            stage.carry_out(0, StoreFate::Carried, WireFate::Answered);
        }
        stage.running.clear();
    };
    stage.consent("acme", 0);
    finish(&mut stage);
    stage.disable();
    assert_eq!(stage.notices.len(), 1, "it is on its way");
    stage.connect();
    let seen = stage.generation();
    stage.consent("acme", seen);
    finish(&mut stage);
    assert_eq!(stage.notify(0, StoreFate::Carried, true), 200, "late, and acknowledged");
    assert!(stage.kept_credentials_work(), "the new integration stays");
    stage.disable();
    let newest = stage.notices.len() - 1;
    assert_eq!(stage.notify(newest, StoreFate::Failed, true), 503);
    assert!(stage.store.record(&stage.key).expect("a record").binding.is_some());
    assert_eq!(stage.notify(newest, StoreFate::Lost, true), 503, "ended, and not yet sure of it");
    assert_eq!(stage.notify(newest, StoreFate::Carried, true), 200);
    assert!(stage.store.record(&stage.key).expect("a record").binding.is_none());
}

#[test]
fn smartrecruiters_may_call_before_the_answer_to_the_exchange_is_here() {
    let mut stage = Stage::new("replaces", false, Reconciliation::AskCustomer);
    stage.consent("acme", 0);
    for _ in 0..3 {
        stage.carry_out(0, StoreFate::Carried, WireFate::Answered);
    }
    stage.carry_out(0, StoreFate::Carried, WireFate::Delayed);
    stage.deliver(0);
    stage.call_for_token(StoreFate::Carried);
    assert!(stage.call_api(0), "its credentials were durable before they left");
}
