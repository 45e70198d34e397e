//! Small worlds, in every order of events: the rules hold, and wrong ones are found.

use std::fmt::Write as _;

use sr_testkit::exploration::{
    Case, Findings, Machines, Scope, ServerMode, Trace, Variant, Verdict, explore,
};
use sr_testkit::simulation::{Excuse, Invariant};

const TWO: Scope =
    Scope { crashes: 0, drops: 0, faults: 0, oddities: 0, pauses: 0, processes: 2, rotations: 2 };
const MODES: [ServerMode; 3] = [ServerMode::Family, ServerMode::Grace, ServerMode::Strict];

fn explored(variant: Variant, mode: ServerMode, scope: Scope) -> Findings {
    explore(Case { mode, scope, variant }, 20_000, &mut Machines::default())
}

fn broken(variant: Variant, scope: Scope) -> Option<Trace> {
    match explored(variant, ServerMode::Strict, scope).verdict {
        Verdict::Broken(trace) => Some(trace),
        Verdict::Holds | Verdict::TooLarge => None,
    }
}

#[test]
fn the_rules_as_designed_hold_whatever_happens_once() {
    let scopes = [
        TWO,
        Scope { crashes: 1, ..TWO },
        Scope { drops: 1, ..TWO },
        Scope { faults: 1, ..TWO },
        Scope { oddities: 1, ..TWO },
        Scope { pauses: 1, ..TWO },
        Scope { processes: 3, ..TWO },
    ];
    for scope in scopes {
        for mode in MODES {
            let findings = explored(Variant::AsDesigned, mode, scope);
            assert_eq!(findings.verdict, Verdict::Holds, "{mode:?}, {scope}");
            assert!(findings.rests > 0 && findings.states > 50, "{mode:?}, {scope}");
        }
    }
}

#[test]
fn a_grant_is_lost_only_when_nobody_could_have_saved_it() {
    use Excuse::{AnswerDestroyed, CommitCrossed, HolderDied, OwnerSilent};
    use ServerMode::{Family, Grace, Strict};
    let (crash, drop) = (Scope { crashes: 1, ..TWO }, Scope { drops: 1, ..TWO });
    let (pause, fault) = (Scope { pauses: 1, ..TWO }, Scope { faults: 1, ..TWO });
    let cases: [(ServerMode, Scope, &[Excuse]); 9] = [
        (Strict, crash, &[HolderDied]),
        (Family, crash, &[HolderDied]),
        (Grace, crash, &[]),
        (Strict, drop, &[AnswerDestroyed]),
        (Family, drop, &[AnswerDestroyed]),
        (Grace, drop, &[]),
        (Strict, pause, &[AnswerDestroyed]),
        (Family, pause, &[AnswerDestroyed, CommitCrossed, OwnerSilent]),
        (Strict, fault, &[]),
    ];
    for (mode, scope, expected) in cases {
        let losses = explored(Variant::AsDesigned, mode, scope).losses;
        let losses: Vec<_> = losses.into_keys().collect();
        assert_eq!(losses, expected, "{mode:?}, {scope}");
    }
}

#[test]
fn each_wrong_rule_ends_in_the_promise_that_it_breaks() {
    let (crash, drop) = (Scope { crashes: 1, ..TWO }, Scope { drops: 1, ..TWO });
    let pause = Scope { pauses: 1, ..TWO };
    let cases = [
        (Variant::CommitFencedByEpoch, pause, Invariant::NoAvoidableLoss),
        (Variant::DeathBumpsGeneration, pause, Invariant::NoAvoidableLoss),
        (Variant::LeaseEnds, drop, Invariant::TakeOverIsQuiet),
        (Variant::LeaseEnds, pause, Invariant::TakeOverIsQuiet),
        (Variant::LockFreedByDeadOwner, crash, Invariant::TakeOverIsQuiet),
    ];
    for variant in Variant::ALL.into_iter().filter(|it| !it.is_good()) {
        assert!(cases.iter().any(|it| it.0 == variant), "{variant}");
    }
    for (variant, scope, expected) in cases {
        let trace = broken(variant, scope).unwrap();
        assert_eq!(trace.invariant, expected, "{variant}");
        // The first line tells how it begins, the last how it stands.
        assert_eq!(trace.lines.len(), trace.steps + 2, "{variant}");
    }
}

#[test]
fn the_shortest_story_of_a_lock_that_its_dead_owner_frees() {
    let trace = broken(Variant::LockFreedByDeadOwner, Scope { crashes: 1, ..TWO }).unwrap();
    let mut story = format!("{:?}: {}\n", trace.invariant, trace.detail);
    trace.lines.iter().for_each(|line| writeln!(story, "{line}").unwrap());
    insta::assert_snapshot!(story);
}

#[test]
fn an_exploration_that_grows_too_large_says_so() {
    let case = Case { mode: ServerMode::Strict, scope: TWO, variant: Variant::AsDesigned };
    let findings = explore(case, 20, &mut Machines::default());
    assert_eq!(findings.verdict, Verdict::TooLarge);
}

#[test]
fn the_page_of_the_machines_is_the_same_every_time_and_grows_with_what_is_met() {
    let page = |scope| {
        let mut machines = Machines::default();
        let case = Case { mode: ServerMode::Strict, scope, variant: Variant::AsDesigned };
        explore(case, 20_000, &mut machines);
        (machines.page(), machines.unmet().len())
    };
    let (calm, unmet) = page(TWO);
    assert_eq!(page(TWO), (calm.clone(), unmet));
    assert!(calm.contains("### Arming") && calm.contains("Arming --> InFlight : Arm Armed"));
    let (odd, unmet_odd) = page(Scope { oddities: 1, ..TWO });
    assert!(odd.contains("### Disabled") && unmet_odd < unmet, "{unmet_odd} of {unmet}");
}
