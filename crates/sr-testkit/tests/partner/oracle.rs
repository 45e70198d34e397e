//! What must be true after every step, whatever happens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::Request;
use sr_auth_core::store::Generation;
use sr_auth_core::{Secret, SecretBytes, SecretDigest, Timestamp, TransportFailure};
use sr_partner::TenantId;
use sr_partner::consent::BrowserReturn;
use sr_partner::exchange::{ExchangeEvent, Input, Reconciliation};
use sr_partner::store::{DisableEffect, IntegrationRecord, PartnerOutcome, Phase, Principal};

type Record = IntegrationRecord<Secret>;

/// One exchange, as it looks from outside.
#[derive(Debug)]
struct Seen {
    outcomes: u32,
    /// When each request left that may have arrived, and was not proven to be undone since.
    posts: Vec<Timestamp>,
    tenant: TenantId,
}

#[derive(Debug)]
pub(crate) struct Oracle {
    /// The client ids that were sent, and by which exchange.
    clients: BTreeMap<String, u8>,
    /// Generations that have ended or were replaced, for ever.
    gone: BTreeSet<Generation>,
    live: Option<(Generation, TenantId)>,
    reconciliation: Reconciliation,
    seen: BTreeMap<u8, Seen>,
}

impl Oracle {
    pub(crate) fn new(reconciliation: Reconciliation) -> Self {
        let (clients, gone, seen) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Self { clients, gone, live: None, reconciliation, seen }
    }

    pub(crate) fn begun(&mut self, number: u8, tenant: TenantId) {
        self.seen.insert(number, Seen { outcomes: 0, posts: Vec::new(), tenant });
    }

    /// S14 and S15, and no blind repeat: judged when a request may leave.
    pub(crate) fn posted(
        &mut self,
        now: Timestamp,
        number: u8,
        request: &Request<SecretBytes>,
        record: Option<&Record>,
    ) {
        let body: serde_json::Value =
            serde_json::from_slice(request.body().expose()).expect("JSON");
        let text = |name: &str| body.get(name).and_then(serde_json::Value::as_str).expect("a text");
        let (id, secret) = (text("clientId").to_owned(), text("clientSecret").to_owned());
        let digest: SecretDigest = Secret::new(secret).digest();
        let attempt = record.and_then(|it| it.attempt.as_ref()).expect("S14: an attempt stands");
        let client = attempt.outbound.as_ref().expect("S14: its client is durable");
        assert_eq!((client.id.as_str(), client.secret), (id.as_str(), digest), "S14: as a digest");
        assert!(matches!(attempt.phase, Phase::Posting { .. }), "S14: and announced");
        let owner = *self.clients.entry(id).or_insert(number);
        assert_eq!(owner, number, "S15: a client id belongs to one exchange");
        let seen = self.seen.get_mut(&number).expect("it has begun");
        // The quiet period begins with the announcement, at most two seconds before the first byte.
        let quiet = Duration::from_secs(135 - 2);
        match (seen.posts.last(), self.reconciliation) {
            (None, _) => {}
            (Some(before), Reconciliation::PostOnceMore) => {
                assert!(now >= before.after(quiet), "the first request is certainly over");
                assert!(seen.posts.len() < 2, "once more, and no more");
            }
            (Some(_), _) => panic!("a request that may have arrived is repeated"),
        }
        seen.posts.push(now);
    }

    /// What an exchange was told about its request: a proof that nothing was done takes it back.
    pub(crate) fn heard(&mut self, number: u8, input: &Option<Input>) {
        let undone = match input {
            Some(Input::Response { response, .. }) => response.status().is_client_error(),
            Some(Input::TransportFailed { failure, .. }) => {
                *failure == TransportFailure::BeforeSend
            }
            _ => false,
        };
        let sent = !matches!(
            input,
            Some(Input::TransportFailed { failure: TransportFailure::BeforeSend, .. })
        );
        if undone && sent {
            self.seen.get_mut(&number).map(|it| it.posts.pop());
        }
    }

    /// One outcome, whose promise is durable, and a way back that is on the list.
    pub(crate) fn told(&mut self, number: u8, event: &ExchangeEvent, record: Option<&Record>) {
        let seen = self.seen.get_mut(&number).expect("it has begun");
        if *event == ExchangeEvent::Unsettled {
            assert_eq!(seen.outcomes, 0, "nothing after the outcome");
            return;
        }
        seen.outcomes += 1;
        assert_eq!(seen.outcomes, 1, "one outcome: {event:?}");
        let (ExchangeEvent::AwaitsOwner { back, generation, .. }
        | ExchangeEvent::Bound { back, generation, .. }) = event
        else {
            return;
        };
        let BrowserReturn::Redirect(back) = back else { panic!("this mode redirects") };
        assert!(back.as_str().starts_with("https://www.smartrecruiters.com/"), "S16: {back:?}");
        // Somebody may have ended it since its credentials were kept; then there is a trace of that.
        let record = record.expect("S20: what is told is kept");
        let kept = record.attempt.as_ref().is_some_and(|it| {
            it.generation == *generation && matches!(it.phase, Phase::Integrated { .. })
        });
        let live = record.binding.as_ref().is_some_and(|it| it.generation == *generation);
        assert!(
            kept || live || self.gone.contains(generation) || record.generation > *generation,
            "S20"
        );
    }

    /// An exchange without a timeout has told its outcome.
    pub(crate) fn over(&self, number: u8) {
        let outcomes = self.seen.get(&number).map_or(0, |it| it.outcomes);
        assert_eq!(outcomes, 1, "an exchange ends with its outcome");
    }

    /// S13, S17 and S19, judged after every operation.
    pub(crate) fn changed(
        &mut self,
        now: Timestamp,
        op: &str,
        outcome: &PartnerOutcome<Secret>,
        record: Option<&Record>,
    ) {
        let binding = record.and_then(|it| it.binding.as_ref());
        let live = binding.map(|it| (it.generation, it.tenant.clone()));
        match (&self.live, &live) {
            (before, after) if before == after => {}
            (None, Some((_, tenant))) => {
                assert_eq!(op, "Activate", "S17: only a verification binds");
                self.assert_consented(tenant);
            }
            (Some((old, from)), Some((new, to))) => {
                assert_eq!(op, "Activate", "S17: only a verification binds");
                assert!(new > old, "a newer generation");
                assert_eq!(from, to, "S17: never over another tenant");
                self.gone.insert(*old);
            }
            (Some((old, _)), None) => {
                assert_eq!(op, "Disable", "S13: only a notification ends it here");
                let PartnerOutcome::Disabled { principal, .. } = outcome else {
                    panic!("S13: {outcome:?}")
                };
                assert_eq!(principal.generation, *old, "S13: of its own generation");
                self.gone.insert(*old);
            }
            (None, None) => {}
        }
        self.live = live;
        if let PartnerOutcome::Disabled { effect: DisableEffect::Ended, principal } = outcome {
            // An attempt, perhaps, that was never live.
            self.gone.insert(principal.generation);
        }
        if let (PartnerOutcome::Issued { .. }, Some(record)) = (outcome, record) {
            let attempt = record.attempt.as_ref();
            let provisional = attempt.is_some_and(|it| it.admits_at(now));
            assert!(
                self.live.is_some() || provisional,
                "S19: nothing is issued for what has ended"
            );
        }
    }

    fn assert_consented(&self, tenant: &TenantId) {
        let known = self.seen.values().any(|it| it.tenant == *tenant && !it.posts.is_empty());
        assert!(known, "S17: {tenant} has consented, and a request was posted");
    }

    /// S19: whoever is admitted speaks for something that stands.
    pub(crate) fn admitted(&self, now: Timestamp, principal: &Principal, record: Option<&Record>) {
        assert!(!self.gone.contains(&principal.generation), "S19: {principal:?} has ended");
        let record = record.expect("a record");
        let live = record.binding.as_ref().is_some_and(|it| it.generation == principal.generation);
        let attempt = record.attempt.as_ref();
        let provisional =
            attempt.is_some_and(|it| it.generation == principal.generation && it.admits_at(now));
        assert!(live || provisional, "S19: {principal:?}");
    }

    /// S20: a notification that is acknowledged has had its effect.
    pub(crate) fn notified(&self, status: u16, record: Option<&Record>) {
        let gone = |generation| self.gone.contains(&generation);
        let live = record.and_then(|it| it.binding.as_ref()).map(|it| it.generation);
        assert!(status != 200 || live.is_none_or(|it| !gone(it)), "S20: {live:?}");
        assert!([200, 401, 503].contains(&status), "{status}");
    }
}
