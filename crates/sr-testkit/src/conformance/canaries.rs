//! Canaries: secrets that pass through a `Store`, and must not be seen behind it.

use std::sync::Arc;

use async_trait::async_trait;
use sr_auth_core::Secret;
use sr_auth_core::store::{StoreAnswer, StoreOp};
use sr_auth_store::{Backend, BackendError, Durability, Sealed, SealingKeys, Store, StoreError};
use sr_partner::store::{PartnerAnswer, PartnerOp};

use super::bench::{Bench, Step, Stop};
use super::kind::Kind;
use super::report::Violation;
use super::rule::Rule;
use super::subject::Subject;
use crate::Canary;

/// Returns a store over a connection of the bench.
pub(super) fn store<S: Subject, K: Kind>(
    bench: &Bench<S, K>,
    connection: usize,
    keys: &SealingKeys,
) -> Store {
    Store::new(Shared(bench.connection(connection)), keys.clone()).accept_volatile()
}

/// Demands that no canary shows in what the backend writes and in its `Debug`, and that a name which
/// it does write is found: otherwise these are not all of its bytes.
pub(super) async fn look<S: Subject, K: Kind>(
    bench: &Bench<S, K>,
    scene: &str,
    canaries: &[&Canary],
    (what, name): (&'static str, &str),
) -> Step<()> {
    let shown = format!("{:?} {:?}", bench.connection(0), bench.connection(1));
    let raw = bench.subject().raw_bytes().await?;
    for canary in canaries {
        for (place, bytes) in [("Debug of the backend", shown.as_bytes()), ("raw bytes", &raw)] {
            if let Some(sighting) = canary.find(bytes).first() {
                let saw = format!("{sighting:?} in the {place}");
                return Err(broken(Rule::SecretsSealed, scene, saw));
            }
        }
    }
    if Canary::of(what, Secret::new(name.to_owned())).find(&raw).is_empty() {
        let saw = format!("the {what} is not in {} raw bytes: are these all?", raw.len());
        return Err(broken(Rule::SecretsSealed, scene, saw));
    }
    Ok(())
}

/// Returns what a store's error breaks.
pub(super) fn failed(scene: &str, error: &StoreError) -> Stop {
    // It was sealed as it should, so what cannot be opened are other bytes.
    let is_silent = matches!(error, StoreError::Backend(_));
    let rule = if is_silent { Rule::Answers } else { Rule::ValuesKept };
    broken(rule, scene, error.to_string())
}

pub(super) fn broken(rule: Rule, scene: &str, saw: String) -> Stop {
    Stop::Violation(Violation::new(rule, scene, saw))
}

/// A connection that a [`Store`] can own.
#[derive(Debug)]
struct Shared(Arc<dyn Backend>);

#[async_trait]
impl Backend for Shared {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        self.0.apply(op).await
    }

    async fn apply_partner(
        &self,
        op: PartnerOp<Sealed>,
    ) -> Result<PartnerAnswer<Sealed>, BackendError> {
        self.0.apply_partner(op).await
    }

    fn durability(&self) -> Durability {
        self.0.durability()
    }
}
