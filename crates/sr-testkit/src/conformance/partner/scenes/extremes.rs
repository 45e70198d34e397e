//! Long values, great numbers, and names that are almost the same.

use std::time::Duration;

use sr_auth_core::{ClientId, ScopeSet};
use sr_auth_store::Sealed;
use sr_partner::store::{Integrated, NewAttempt, PartnerOp};
use sr_partner::{ExchangeId, IntegrationId, OutboundClient, TenantId};

use super::{Bench, apply_all};
use crate::conformance::bench::Step;
use crate::conformance::partner::values::{
    activate, arm, arm_for, begin, begin_with, client, commit, commit_with, connecting, consent,
    identify, integrated, issue_for, key, new_attempt, tenant,
};
use crate::conformance::rule::Rule;
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};
use crate::conformance::values::{Draw, LONG};

/// Milliseconds at which a smaller or a signed type turns over. Sums of moments end there, too.
const SPANS: [u64; 6] = [0, u32::MAX as u64, 1 << 32, (1 << 53) + 1, i64::MAX as u64 / 2, u64::MAX];

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    let largest = stage.suite().largest;
    let lengths = async |bench: &mut Bench<S>| long_values(bench, largest).await;
    stage.play("credentials of all lengths are kept", lengths).await?;
    stage.play("spans at the ends of their range are kept", great_spans).await?;
    stage.play("companies are told apart", names).await
}

async fn long_values<S: Subject>(bench: &mut Bench<S>, largest: usize) -> Step<()> {
    bench.about(Rule::ValuesKept);
    let mut keys = Vec::new();
    let lengths = [1, 255, 256, 4_096, 32_768, 65_535, 65_536, largest];
    for length in lengths.into_iter().filter(|it| *it <= largest) {
        let key = key("planner", &format!("of-{length}-bytes"));
        let secret = Sealed::from_bytes(Draw::new(7).bytes(length));
        let answer = Integrated { secret, ..integrated(1, 0) };
        apply_all(bench, [begin(&key, 1, 0), arm(&key, 1, 1)]).await?;
        bench.apply(0, commit_with(&key, 1, 1, answer)).await?;
        bench.apply(1, activate(&key, 1)).await?;
        keys.push(key);
    }
    let longest = key(&"a".repeat(100), &"c".repeat(100));
    let text = |length: usize| "x".repeat(length);
    let why = "the names of the suite are valid";
    let attempt = NewAttempt {
        exchange: ExchangeId::from_bytes([0xff; 16]),
        outbound: Some(OutboundClient {
            scopes: ScopeSet::parse(
                &(0..200).map(|it| format!("scope{it}_read ")).collect::<String>(),
            )
            .expect(why),
            ..client(&longest, 1)
        }),
        tenant: TenantId::new(&"\u{1f389}'\"\\%_ü".repeat(12)).expect(why),
        ..new_attempt(&longest, 1, 0)
    };
    let exchange = attempt.exchange;
    bench.apply(2, begin_with(&longest, attempt)).await?;
    let armed = PartnerOp::Arm {
        attempt: consent(1),
        exchange,
        key: longest.clone(),
        post: u32::MAX,
        provisional: LONG,
        quiet: LONG,
    };
    bench.apply(0, armed).await?;
    let answer = Integrated {
        client_id: ClientId::new(&text(1_000)).expect(why),
        integration: Some(IntegrationId::new(&text(100)).expect(why)),
        // Bytes that text would not survive.
        secret: Sealed::from_bytes((0..=255).collect::<Vec<u8>>()),
    };
    bench.apply(1, commit_with(&longest, 1, 1, answer)).await?;
    bench.apply(2, activate(&longest, 1)).await?;
    bench.apply(0, issue_for(&longest, 1, 1, 1, LONG)).await?;
    bench.apply(1, identify(&longest, 1, 1)).await?;
    keys.push(longest);
    bench.audit(&keys).await
}

async fn great_spans<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    bench.about(Rule::ValuesKept);
    let mut keys = Vec::new();
    for span in SPANS {
        let key = key("planner", &format!("for-{span}"));
        let span = Duration::from_millis(span);
        let attempt = NewAttempt { prepared_for: span, ..new_attempt(&key, 1, 0) };
        bench.apply(0, begin_with(&key, attempt)).await?;
        bench.apply(1, begin(&key, 2, 0)).await?;
        bench.apply(2, arm_for(&key, 1, 1, span, span)).await?;
        bench.apply(0, issue_for(&key, 1, 1, 1, span)).await?;
        bench.apply(1, identify(&key, 1, 1)).await?;
        let PartnerOp::Commit { attempt, generation, integrated, key, .. } = commit(&key, 1, 1)
        else {
            continue;
        };
        let confirm_within = span;
        let op =
            PartnerOp::Commit { attempt, confirm_within, generation, integrated, key: key.clone() };
        bench.apply(2, op).await?;
        keys.push(key);
    }
    bench.audit(&keys).await
}

/// Names that fold, trim or run into each other where somebody is careless.
async fn names<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    bench.about(Rule::KeysApart);
    let pairs = [
        ("planner", "acme"),
        ("planner", "Acme"),
        ("Planner", "acme"),
        ("planner", "acme-1"),
        ("planner", "acme1"),
        ("planner", "acme~"),
        ("planner", "acme_"),
        ("planner", "1"),
        ("planner", "01"),
        ("planner", "1.0"),
        ("planne", "racme"),
        ("planner.acme", "1"),
        ("planner", "acme.1"),
    ];
    let keys = pairs.map(|(app, company)| key(app, company));
    for (number, key) in (1..).zip(&keys) {
        for op in connecting(key, number, 1) {
            bench.apply(0, op).await?;
        }
        bench.audit(&keys).await?;
    }
    // Tenants, too, are told apart byte for byte.
    for name in ["Acme", "acme ", " acme", "acme\u{a0}", "ácme", "a\u{301}cme"] {
        let attempt = NewAttempt { tenant: tenant(name), ..new_attempt(&keys[0], 99, 1) };
        bench.apply(1, begin_with(&keys[0], attempt)).await?;
    }
    Ok(())
}
