//! The client secret of a company: through a `Store`, and nowhere to be found in what rests.

use sr_auth_core::{ClientId, Secret};
use sr_auth_store::{SealingKeys, Store};
use sr_partner::IntegrationKey;
use sr_partner::store::{Integrated, PartnerOp, PartnerOutcome, Phase, Verified};

use super::Bench;
use crate::Canary;
use crate::conformance::bench::{Step, Stop};
use crate::conformance::canaries::{self, broken};
use crate::conformance::partner::values::{key, new_attempt};
use crate::conformance::rule::Rule;
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};
use crate::conformance::values::LONG;

const SCENE: &str = "the credentials of a company are canaries";

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    let keys = stage.suite().sealing_keys.clone();
    stage.play(SCENE, async |bench: &mut Bench<S>| tell(bench, &keys).await).await
}

async fn tell<S: Subject>(bench: &Bench<S>, keys: &SealingKeys) -> Step<()> {
    let key = key("planner", "canaries-of-the-company");
    let [secret, ours, token] =
        ["their secret", "our secret", "our token"].map(|it| Canary::new(it, 9));
    let store = canaries::store(bench, 0, keys);
    let other = canaries::store(bench, 1, keys);
    let mut attempt = new_attempt(&key, 1, 0);
    if let Some(client) = &mut attempt.outbound {
        client.secret = ours.secret().digest();
    }
    let outbound = attempt.outbound.clone();
    let client =
        outbound.ok_or_else(|| broken(Rule::ValuesKept, SCENE, "no client".to_owned()))?.key();
    let (of, exchange) = (attempt.id, attempt.exchange);
    let begun = apply(&store, PartnerOp::Begin { attempt, key: key.clone() }).await?;
    let PartnerOutcome::Done(record) = begun else {
        return Err(broken(Rule::AnsweredIsDone, SCENE, format!("{} for a consent", begun.name())));
    };
    let generation = record.generation;
    let (provisional, quiet) = (LONG, LONG);
    let arm =
        PartnerOp::Arm { attempt: of, exchange, key: key.clone(), post: 1, provisional, quiet };
    apply(&store, arm).await?;
    let (life, digest) = (LONG, token.secret().digest());
    apply(&store, PartnerOp::Issue { client, generation, life, token: digest }).await?;
    let client_id = ClientId::new("company-client").map_err(|error| Stop::Trial(error.into()))?;
    let integrated = Integrated { client_id, integration: None, secret: secret.secret().clone() };
    let (attempt, confirm_within) = (of, LONG);
    let commit =
        PartnerOp::Commit { attempt, confirm_within, generation, integrated, key: key.clone() };
    apply(&store, commit).await?;
    expect(&other, &key, secret.secret()).await?;
    let verified = Verified::ByOwner;
    apply(&other, PartnerOp::Activate { attempt, key: key.clone(), verified }).await?;
    expect(&store, &key, secret.secret()).await?;

    canaries::look(bench, SCENE, &[&secret, &ours, &token], ("company", key.company.as_str())).await
}

async fn apply(store: &Store, op: PartnerOp<Secret>) -> Step<PartnerOutcome<Secret>> {
    let answer = store.apply_partner(op).await.map_err(|error| canaries::failed(SCENE, &error))?;
    Ok(answer.outcome)
}

/// Reads the company's client secret, of its attempt or of its integration.
async fn expect(store: &Store, key: &IntegrationKey, secret: &Secret) -> Step<()> {
    let loaded = apply(store, PartnerOp::Load { key: key.clone() }).await?;
    let PartnerOutcome::Loaded(record) = loaded else {
        return Err(broken(
            Rule::AnsweredIsDone,
            SCENE,
            format!("{} for a company", loaded.name()),
        ));
    };
    let attempt = record.attempt.as_ref().and_then(|it| match &it.phase {
        Phase::Integrated { integrated, .. } => Some(integrated),
        Phase::Posting { .. } | Phase::Prepared { .. } => None,
    });
    let kept = record.binding.as_ref().map(|it| &it.integrated).or(attempt);
    if kept.is_some_and(|it| it.secret.matches(secret)) {
        return Ok(());
    }
    Err(broken(Rule::ValuesKept, SCENE, "another secret than the company's".to_owned()))
}
