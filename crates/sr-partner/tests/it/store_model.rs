//! What the operations of a store mean, one by one: rows K10, P08.

use std::time::Duration;

use sr_auth_core::store::{Generation, Sequence, StoreIdentity};
use sr_auth_core::{ClientId, Secret, SecretDigest};
use sr_partner::store::{
    EndCause, Integrated, IntegrationEvent, IntegrationRecord, NewAttempt, PartnerModel, PartnerOp,
    PartnerOutcome, Phase, Verified,
};
use sr_partner::{AttemptId, ExchangeId};

use crate::fixture::{Desk, at, integrated, key, new_attempt, tenant};

fn begin(desk: &mut Desk, attempt: NewAttempt) -> &'static str {
    desk.apply(PartnerOp::Begin { attempt, key: key("5f1b") }).name()
}

fn arm(number: u8, run: u8, post: u32) -> PartnerOp<Secret> {
    PartnerOp::Arm {
        attempt: AttemptId::from_bytes([number; 16]),
        exchange: ExchangeId::from_bytes([run; 16]),
        key: key("5f1b"),
        post,
        provisional: Duration::from_secs(900),
        quiet: Duration::from_secs(135),
    }
}

fn activate(number: u8) -> PartnerOp<Secret> {
    let attempt = AttemptId::from_bytes([number; 16]);
    PartnerOp::Activate { attempt, key: key("5f1b"), verified: Verified::ByOwner }
}

fn commit(number: u8) -> PartnerOp<Secret> {
    PartnerOp::Commit {
        attempt: AttemptId::from_bytes([number; 16]),
        generation: Generation::from_number(u64::from(number)),
        confirm_within: Duration::from_secs(86_400),
        integrated: integrated("theirs"),
        key: key("5f1b"),
    }
}

#[test]
fn every_change_may_be_offered_again_after_a_lost_answer() {
    let mut desk = Desk::new();
    let steps = [
        PartnerOp::Begin { attempt: new_attempt(1, "acme", 0), key: key("5f1b") },
        arm(1, 1, 1),
        commit(1),
        activate(1),
        PartnerOp::End { cause: EndCause::Revoked, generation: None, key: key("5f1b") },
    ];
    for step in steps {
        let first = desk.apply(step.clone());
        let PartnerOutcome::Done(record) = &first else { panic!("{step:?}: {first:?}") };
        let again = desk.apply(step.clone());
        let PartnerOutcome::Done(same) = &again else { panic!("{step:?}: {again:?}") };
        assert_eq!(record, same, "{step:?}");
    }
}

/// What rests is sealed anew by a repeat of the commit that brought it: row K02.
#[test]
fn k02_a_commit_that_is_repeated_brings_its_secret_anew_and_tells_nobody() {
    let mut desk = Desk::new();
    let begin = PartnerOp::Begin { attempt: new_attempt(1, "acme", 0), key: key("5f1b") };
    [begin, arm(1, 1, 1), commit(1)].into_iter().for_each(|op| drop(desk.apply(op)));
    for live in [false, true] {
        if live {
            desk.apply(activate(1));
        }
        let before = desk.store.record(&key("5f1b")).unwrap().without_secrets();
        let told = format!("{:?}", desk.apply(PartnerOp::Pulse { since: Sequence(0) }));
        for name in ["sealed under a newer key", "theirs"] {
            let PartnerOp::Commit { attempt, generation, confirm_within, integrated, key } =
                commit(1)
            else {
                unreachable!("a commit is made")
            };
            let secret = Secret::new(name.to_owned());
            let integrated = Integrated { secret: secret.clone(), ..integrated };
            desk.apply(PartnerOp::Commit {
                attempt,
                generation,
                confirm_within,
                integrated,
                key: key.clone(),
            });
            let record = desk.store.record(&key).unwrap();
            let of_attempt = record.attempt.as_ref().and_then(|it| match &it.phase {
                Phase::Integrated { integrated, .. } => Some(integrated),
                Phase::Posting { .. } | Phase::Prepared { .. } => None,
            });
            let kept = record.binding.as_ref().map(|it| &it.integrated).or(of_attempt).unwrap();
            assert!(kept.secret.matches(&secret), "{name}, live: {live}");
            assert_eq!(record.without_secrets(), before, "{name}, live: {live}");
        }
        let after = format!("{:?}", desk.apply(PartnerOp::Pulse { since: Sequence(0) }));
        assert_eq!(after, told, "live: {live}");
    }
    // Under another generation the seal would not open, and other credentials are others.
    let PartnerOp::Commit { attempt, confirm_within, integrated, key, generation } = commit(1)
    else {
        unreachable!("a commit is made")
    };
    let other = Secret::new("of another seal".to_owned());
    let foreign = Integrated { secret: other.clone(), ..integrated };
    let renamed = Integrated { client_id: ClientId::new("another").unwrap(), ..foreign.clone() };
    for (generation, integrated) in [(generation.next(), foreign), (generation, renamed)] {
        desk.apply(PartnerOp::Commit {
            attempt,
            confirm_within,
            generation,
            integrated,
            key: key.clone(),
        });
        let binding = desk.store.record(&key).unwrap().binding.clone().unwrap();
        assert!(!binding.integrated.secret.matches(&other));
    }
}

#[test]
fn secrets_are_sealed_and_opened_under_their_own_generation_and_nothing_else_is_touched() {
    let mut store = PartnerModel::<String>::new(StoreIdentity(7));
    let mut sealed = 0;
    let mut seal = |op: PartnerOp<Secret>| {
        let op = op.try_map(|key, generation, secret: Secret| {
            sealed += 1;
            Ok::<_, ()>(format!("{key} {} {}", generation.number(), secret.expose()))
        });
        store.apply(at(0), op.unwrap())
    };
    seal(PartnerOp::Begin { attempt: new_attempt(1, "acme", 0), key: key("5f1b") });
    seal(arm(1, 1, 1));
    let other = PartnerOp::Commit {
        attempt: AttemptId::from_bytes([1; 16]),
        confirm_within: Duration::from_secs(1),
        generation: Generation::from_number(7),
        integrated: integrated("theirs"),
        key: key("5f1b"),
    };
    assert_eq!(seal(other).outcome.name(), "Superseded", "of another generation");
    assert_eq!(seal(commit(1)).outcome.name(), "Done");
    assert_eq!(seal(activate(1)).outcome.name(), "Done");
    let loaded = seal(PartnerOp::Load { key: key("5f1b") });
    assert_eq!(sealed, 2, "commits hold a secret, and nothing else does");
    let opened = loaded.try_map(|generation, text| {
        assert_eq!(generation, Generation::from_number(1));
        Ok::<_, ()>(text.replace("interview-planner/5f1b 1 ", ""))
    });
    let PartnerOutcome::Loaded(record) = opened.unwrap().outcome else { panic!("no record") };
    assert_eq!(record.binding.unwrap().integrated.secret, "theirs");
}

#[test]
fn a_consent_that_was_used_by_another_run_is_taken() {
    let mut desk = Desk::new();
    assert_eq!(begin(&mut desk, new_attempt(1, "acme", 0)), "Done");
    let other =
        NewAttempt { exchange: ExchangeId::from_bytes([9; 16]), ..new_attempt(1, "acme", 0) };
    assert_eq!(begin(&mut desk, other.clone()), "Taken");
    desk.apply(arm(1, 1, 1));
    desk.commit("5f1b", 1);
    desk.activate("5f1b", 1);
    assert_eq!(begin(&mut desk, other), "Taken", "and stays so");
}

#[test]
fn only_what_was_seen_is_replaced() {
    let mut desk = Desk::new();
    assert_eq!(begin(&mut desk, new_attempt(1, "acme", 1)), "Moved");
    assert_eq!(begin(&mut desk, new_attempt(1, "acme", 0)), "Done");
    desk.now = at(3_600);
    assert_eq!(begin(&mut desk, new_attempt(2, "acme", 0)), "Moved");
    assert_eq!(begin(&mut desk, new_attempt(2, "acme", 1)), "Done");
}

#[test]
fn an_attempt_that_was_replaced_before_it_was_announced_is_never_sent() {
    let mut desk = Desk::new();
    begin(&mut desk, new_attempt(1, "acme", 0));
    desk.now = at(60);
    assert_eq!(begin(&mut desk, new_attempt(2, "acme", 1)), "Done");
    assert_eq!(desk.apply(arm(1, 1, 1)).name(), "Superseded");
    assert_eq!(desk.apply(arm(2, 9, 1)).name(), "Superseded", "another run");
    assert_eq!(desk.apply(arm(2, 2, 1)).name(), "Done");
    assert_eq!(desk.apply(commit(1)).name(), "Superseded", "its answer is nobody's");
}

#[test]
fn p08_a_company_changes_hands_only_when_its_owner_agreed() {
    let mut desk = Desk::new();
    desk.bind("5f1b", "acme", 1, 0);
    assert_eq!(begin(&mut desk, new_attempt(2, "globex", 1)), "BoundElsewhere");
    let agreed = |from| NewAttempt { rebind: Some(tenant(from)), ..new_attempt(2, "globex", 1) };
    assert_eq!(begin(&mut desk, agreed("initech")), "BoundElsewhere", "somebody else agreed");
    assert_eq!(begin(&mut desk, agreed("acme")), "Done");
    assert_eq!(desk.live("5f1b"), Some(1), "until then nothing changes");
    desk.apply(arm(2, 2, 1));
    desk.commit("5f1b", 2);
    desk.activate("5f1b", 2);
    let binding = desk.store.record(&key("5f1b")).unwrap().binding.as_ref().unwrap();
    assert_eq!(binding.tenant, tenant("globex"));
}

#[test]
fn nothing_is_live_before_somebody_verified_it() {
    let mut desk = Desk::new();
    begin(&mut desk, new_attempt(1, "acme", 0));
    assert_eq!(desk.apply(activate(1)).name(), "Superseded", "prepared");
    desk.apply(arm(1, 1, 1));
    assert_eq!(desk.apply(activate(1)).name(), "Superseded", "posting");
    let attempt = desk.store.record(&key("5f1b")).unwrap().attempt.as_ref();
    assert!(attempt.is_some(), "and it is still there");
    desk.commit("5f1b", 1);
    assert_eq!(desk.apply(activate(2)).name(), "Superseded", "another attempt");
    assert_eq!(desk.apply(activate(1)).name(), "Done");
}

#[test]
fn an_announcement_that_is_repeated_begins_its_quiet_period_anew() {
    let mut desk = Desk::new();
    begin(&mut desk, new_attempt(1, "acme", 0));
    desk.apply(arm(1, 1, 1));
    desk.now = at(10);
    desk.apply(arm(1, 1, 1));
    desk.now = at(144);
    assert_eq!(begin(&mut desk, new_attempt(2, "acme", 1)), "Busy");
    desk.now = at(145);
    assert_eq!(begin(&mut desk, new_attempt(2, "acme", 1)), "Done");
    let ledger = &desk.store.record(&key("5f1b")).unwrap().ledger;
    let armed = ledger.iter().filter(|it| it.event == IntegrationEvent::Armed).count();
    assert_eq!(armed, 1);
}

#[test]
fn an_unconfirmed_company_waits_a_day_for_its_first_tenant() {
    let mut desk = Desk::new();
    desk.arm("5f1b", "acme", 1, 0);
    desk.commit("5f1b", 1);
    assert_eq!(begin(&mut desk, new_attempt(2, "globex", 1)), "Busy");
    desk.now = at(86_400);
    assert_eq!(begin(&mut desk, new_attempt(2, "globex", 1)), "Done");
    assert_eq!(desk.apply(activate(1)).name(), "Superseded");
}

#[test]
fn a_void_attempt_leaves_no_secret_and_may_be_voided_again() {
    let mut desk = Desk::new();
    desk.bind("5f1b", "acme", 1, 0);
    desk.arm("5f1b", "acme", 2, 1);
    desk.commit("5f1b", 2);
    for _ in 0..2 {
        let attempt = AttemptId::from_bytes([2; 16]);
        assert_eq!(desk.apply(PartnerOp::Void { attempt, key: key("5f1b") }).name(), "Done");
    }
    assert_eq!(desk.live("5f1b"), Some(1), "the live one stays");
    assert!(desk.store.record(&key("5f1b")).unwrap().attempt.is_none());
}

#[test]
fn an_end_of_one_generation_leaves_the_others() {
    let mut desk = Desk::new();
    desk.bind("5f1b", "acme", 1, 0);
    desk.arm("5f1b", "acme", 2, 1);
    let end = |number| PartnerOp::End {
        cause: EndCause::Refused,
        generation: Some(Generation::from_number(number)),
        key: key("5f1b"),
    };
    desk.apply(end(7));
    assert_eq!(desk.live("5f1b"), Some(1));
    desk.apply(end(1));
    let record = desk.store.record(&key("5f1b")).unwrap();
    assert!(record.binding.is_none() && record.attempt.is_some());
    assert_eq!(record.ended.as_ref().unwrap().cause, EndCause::Refused);
}

#[test]
fn news_tell_what_changed_in_order_and_are_cut_at_a_limit() {
    let mut desk = Desk::new();
    desk.bind("5f1b", "acme", 1, 0);
    let news = |desk: &mut Desk, since| {
        let outcome = desk.apply(PartnerOp::Pulse { since });
        let PartnerOutcome::News(news) = outcome else { panic!("{outcome:?}") };
        news
    };
    let all = news(&mut desk, Sequence(0));
    assert_eq!(all.store, StoreIdentity(7));
    assert_eq!(all.changes.last().unwrap().live, Some(Generation::from_number(1)));
    assert_eq!(news(&mut desk, all.sequence).changes, []);
    for number in 0..600_u64 {
        desk.now = at(1_000 * (number + 1));
        desk.bind("5f1b", "acme", u8::try_from(2 + number % 200).unwrap(), number + 1);
    }
    assert_eq!(news(&mut desk, Sequence(0)).changes.len(), PartnerModel::<Secret>::CHANGES_LIMIT);
    let ledger = &desk.store.record(&key("5f1b")).unwrap().ledger;
    assert_eq!(ledger.len(), IntegrationRecord::<Secret>::LEDGER_LIMIT);
}

#[test]
fn k10_no_operation_returns_the_secrets_of_more_than_one_company() {
    let mut desk = Desk::new();
    desk.bind("5f1b", "acme", 1, 0);
    desk.bind("77aa", "globex", 2, 0);
    desk.arm("c3", "initech", 3, 0);
    let token = SecretDigest::from_bytes([0; 32]);
    let limits = sr_partner::store::AttemptLimits::default();
    let client = crate::fixture::outbound(1).to_client().key();
    let ops = [
        activate(1),
        arm(1, 1, 1),
        PartnerOp::Begin { attempt: new_attempt(9, "acme", 1), key: key("5f1b") },
        commit(9),
        PartnerOp::CountRefusal { client, limits, source: None },
        PartnerOp::Disable { token },
        PartnerOp::FindClient { client, limits, source: None },
        PartnerOp::Identify { token },
        PartnerOp::Issue {
            client,
            generation: Generation::from_number(1),
            life: Duration::from_secs(60),
            token,
        },
        PartnerOp::Load { key: key("5f1b") },
        PartnerOp::Pulse { since: Sequence(0) },
        PartnerOp::Unsettled { limit: 9 },
        PartnerOp::Void { attempt: AttemptId::from_bytes([9; 16]), key: key("5f1b") },
        PartnerOp::End { cause: EndCause::Revoked, generation: None, key: key("5f1b") },
        PartnerOp::EndAll { cause: EndCause::Revoked },
    ];
    for op in ops {
        let name = op.name();
        let outcome = desk.apply(op);
        // `Load` is the one outcome whose type has room for a secret, and it has room for one record.
        let opened = matches!(outcome, PartnerOutcome::Loaded(_));
        assert_eq!(opened, name == "Load", "{name}: {outcome:?}");
    }
}
