//! What is live of a company, and what is not any more.

use std::fmt::Write as _;
use std::time::Duration;

use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{End, Generation, GrantKey};
use sr_auth_core::{ClientCredentials, Secret};
use sr_partner::store::{Binding, EndCause, IntegrationRecord, PartnerOp, PartnerOutcome};
use sr_partner::{AttemptId, IntegrationKey};
use tokio::time::timeout;
use tracing::{info, warn};

use super::ended::Gone;
use super::{Inner, Known};
use crate::Left;

/// What became of an integration that was live here.
#[derive(Clone, Copy, Debug)]
enum Past {
    Ended(EndCause),
    /// The store does not know it.
    Lost,
    /// Another consent took its place.
    Replaced,
}

impl Inner {
    /// Reads the record of a company, and remembers what is live.
    pub(super) async fn read(
        &self,
        key: &IntegrationKey,
        within: Duration,
    ) -> Result<Option<Known>, StoreFailure> {
        let Some(binding) = self.live(key, within).await? else { return Ok(None) };
        let Binding { attempt, generation, integrated, tenant, .. } = binding;
        let client = ClientCredentials::new(integrated.client_id.as_str(), integrated.secret);
        // A record is only taken with good credentials.
        let client = client.map_err(|_| StoreFailure::NotDone)?;
        let mut known = self.known();
        let as_before = known.by_key.get(key).filter(|it| it.attempt == attempt);
        let grant = as_before.map(|it| it.grant.clone());
        let grant =
            grant.unwrap_or_else(|| grant_key(key, generation, attempt, known.ended.losses()));
        let source = self.sources.client(&grant, client);
        let it = Known { attempt, generation, grant: grant.clone(), source, tenant };
        known.by_grant.insert(grant, key.clone());
        known.by_key.insert(key.clone(), it.clone());
        Ok(Some(it))
    }

    /// Reads what is live of a company, and retires what is not. What had ended stays so.
    pub(super) async fn live(
        &self,
        key: &IntegrationKey,
        within: Duration,
    ) -> Result<Option<Binding<Secret>>, StoreFailure> {
        let load = self.service.apply(PartnerOp::Load { key: key.clone() });
        let outcome = timeout(within, load).await.map_err(|_| StoreFailure::OutcomeUnknown)??;
        // Whatever else: there is no such company.
        let PartnerOutcome::Loaded(record) = outcome else {
            self.retire(key, Past::Lost);
            return Ok(None);
        };
        self.live_is(key, &record);
        let mut known = self.known();
        let mut is_back = |it: &Binding<_>| known.ended.is_back(key, it.attempt, it.generation);
        Ok(record.binding.filter(|it| !is_back(it)))
    }

    /// Retires what is known of a company, unless it is what its record says is live.
    fn live_is<V>(&self, key: &IntegrationKey, record: &IntegrationRecord<V>) {
        let live = record.binding.as_ref().map(|it| it.attempt);
        let known = self.known().by_key.get(key).map(|it| (it.attempt, it.generation));
        let Some((_, generation)) = known.filter(|(attempt, _)| live != Some(*attempt)) else {
            return;
        };
        // A record that has not come so far is from before the consent, and knows of no end.
        let past = (record.generation >= generation).then(|| {
            let ended = record.ended.as_ref().filter(|it| it.generation == generation);
            ended.map_or(Past::Replaced, |it| Past::Ended(it.cause))
        });
        self.retire(key, past.unwrap_or(Past::Lost));
    }

    /// Gives no token of a company any more.
    fn retire(&self, key: &IntegrationKey, past: Past) {
        let mut known = self.known();
        let Some(Known { attempt, generation, grant, .. }) = known.by_key.remove(key) else {
            return;
        };
        known.by_grant.remove(&grant);
        match past {
            Past::Ended(cause) => known.ended.remember(key, attempt, Some(cause)),
            Past::Lost => known.ended.lost(key),
            Past::Replaced => known.ended.remember(key, attempt, None),
        }
        drop(known);
        info!(target: "sr_partner", %key, generation = generation.number(), "retired");
        // Nobody gets a token from here on; the rest is for those who share a store of grants.
        let durable = self.sources.retire(&grant, End::Disabled);
        tokio::spawn(async move {
            if let Err(error) = durable.await {
                warn!(target: "sr_partner", error = error.code(), "the end is not durable yet");
            }
        });
    }

    /// Ends an integration in the store, if it is the one that is live there, and tells the
    /// application.
    pub(super) async fn end(&self, key: &IntegrationKey, gone: Gone) -> Result<(), StoreFailure> {
        let Gone { attempt, cause, generation } = gone;
        let record = self.service.record(key).await?.unwrap_or_default();
        let is_it = |it: &&Binding<()>| it.attempt == attempt && it.generation == generation;
        let Some(binding) = record.binding.as_ref().filter(is_it) else {
            // Another process was first.
            self.live_is(key, &record);
            return Ok(());
        };
        let tenant = binding.tenant.clone();
        let op = PartnerOp::End { cause, generation: Some(generation), key: key.clone() };
        self.service.apply(op).await?;
        info!(target: "sr_partner", %key, generation = generation.number(), ?cause, "ended");
        self.retire(key, Past::Ended(cause));
        self.service.hooks.left(Left { cause, generation, key: key.clone(), tenant }).await;
        Ok(())
    }
}

/// Names the credentials of one consent: a generation that a store gave twice is two grants. So are
/// credentials that were lost and are back, for a source that was retired stays so.
fn grant_key(
    key: &IntegrationKey,
    generation: Generation,
    attempt: AttemptId,
    losses: u32,
) -> GrantKey {
    let mut text = key.grant_key(generation).to_string();
    text.push('/');
    let written = attempt.as_bytes().iter().take(6).try_for_each(|it| write!(text, "{it:02x}"));
    let written = written.and_then(|()| write!(text, "-{losses}"));
    written.expect("a text takes in all that is written");
    GrantKey::new(&text).expect("the name of a generation leaves room for 24 characters")
}

#[cfg(test)]
mod tests {
    use sr_partner::{AppId, CompanyId};

    use super::*;

    #[test]
    fn each_consent_has_a_grant_of_its_own_whatever_its_generation() {
        let id = |letter: &str| letter.repeat(100);
        let app = AppId::new(&id("a")).expect("an id");
        let company = CompanyId::new(&id("b")).expect("an id");
        let key = IntegrationKey { app, company };
        let newest = Generation::from_number(u64::MAX);
        let of =
            |consent, losses| grant_key(&key, newest, AttemptId::from_bytes([consent; 16]), losses);
        assert_ne!(of(1, 0), of(2, 0));
        assert_ne!(of(1, 0), of(1, 1));
        let longest = of(0xff, u32::MAX).to_string();
        assert!(longest.ends_with("/18446744073709551615/ffffffffffff-4294967295"), "{longest}");
    }
}
