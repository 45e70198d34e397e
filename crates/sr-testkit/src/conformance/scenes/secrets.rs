//! Secrets: through a `Store`, and nowhere to be found in what rests.

use sr_auth_core::store::{
    GrantKey, NewGrant, Record, Renewal, Sibling, StoreOp, StoreOutcome, StoredToken, Successor,
};
use sr_auth_core::{FingerprintKey, Secret, Timestamp};
use sr_auth_store::{SealingKeys, Store};

use crate::Canary;
use crate::conformance::bench::{Bench, Step};
use crate::conformance::canaries::{self, broken};
use crate::conformance::rule::Rule;
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};
use crate::conformance::values::{FAR, at, key, owner};

const SCENE: &str = "canaries rest in the store";

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    let keys = stage.suite().sealing_keys.clone();
    stage.play(SCENE, async |bench: &mut Bench<S>| tell(bench, &keys).await).await
}

fn token(canary: &Canary) -> StoredToken<Secret> {
    let value = canary.secret().clone();
    let fingerprint = FingerprintKey::new([7; 32]).fingerprint(&value);
    StoredToken { ends_at: FAR, fingerprint, renew_at: Timestamp::EPOCH, value }
}

async fn tell<S: Subject>(bench: &Bench<S>, keys: &SealingKeys) -> Step<()> {
    let key = key("planner/canaries");
    let [access, refresh, successor, sibling] =
        ["access token", "refresh token", "successor", "sibling"].map(|it| Canary::new(it, 7));
    let store = canaries::store(bench, 0, keys);
    let other = canaries::store(bench, 1, keys);
    let (new, renewal) = (Some(token(&access)), Renewal::SingleUse);
    let grant = NewGrant { access: new, refresh: Some(token(&refresh)), renewal };
    apply(&store, StoreOp::Adopt { grant, key: key.clone(), only_if_missing: false }).await?;
    expect(&other, &key, [Some(&access), Some(&refresh), None]).await?;
    let tokens = Successor { access: None, refresh: Some(token(&successor)) };
    let (generation, by) = (at(1), owner(1));
    let commit = StoreOp::Commit { generation, key: key.clone(), owner: by, successor: tokens };
    apply(&store, commit).await?;
    let aside = Sibling { from: at(1), token: token(&sibling) };
    apply(&store, StoreOp::Escrow { key: key.clone(), owner: by, sibling: aside }).await?;
    expect(&other, &key, [None, Some(&successor), Some(&sibling)]).await?;

    canaries::look(
        bench,
        SCENE,
        &[&access, &refresh, &successor, &sibling],
        ("key of the grant", key.as_str()),
    )
    .await
}

async fn apply(store: &Store, op: StoreOp<Secret>) -> Step<Record<Secret>> {
    let answer = store.apply(op).await.map_err(|error| canaries::failed(SCENE, &error))?;
    let name = answer.outcome.name();
    if let StoreOutcome::Done(record) | StoreOutcome::Loaded(record) = answer.outcome {
        return Ok(record);
    }
    Err(broken(Rule::AnsweredIsDone, SCENE, format!("{name} for a grant in order")))
}

/// Reads access token, refresh token and sibling, and compares them with the canaries.
async fn expect(store: &Store, key: &GrantKey, expected: [Option<&Canary>; 3]) -> Step<()> {
    let record = apply(store, StoreOp::Load { key: key.clone() }).await?;
    let sibling = record.sibling.map(|it| it.token);
    for (token, canary) in [record.access, record.refresh, sibling].into_iter().zip(expected) {
        let is_right = match (&token, canary) {
            (Some(token), Some(canary)) => token.value.matches(canary.secret()),
            (token, canary) => token.is_none() && canary.is_none(),
        };
        if !is_right {
            let saw = format!("another token than {canary:?}");
            return Err(broken(Rule::ValuesKept, SCENE, saw));
        }
    }
    Ok(())
}
