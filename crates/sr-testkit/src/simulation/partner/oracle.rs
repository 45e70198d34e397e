//! Judges what partners do by what SmartRecruiters and the store know: S13 to S17, S19, S20.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::Request;
use sr_auth_core::store::Generation;
use sr_auth_core::{Secret, SecretBytes, SecretDigest, Timestamp};
use sr_partner::consent::BrowserReturn;
use sr_partner::exchange::{ExchangeEvent, Reconciliation};
use sr_partner::store::{IntegrationRecord, PartnerOp, PartnerOutcome, Phase, Principal};
use sr_partner::{AttemptId, ClientKey, IntegrationKey, TenantId};

use crate::simulation::oracle::{Invariant, Violation};

type Record = IntegrationRecord<Secret>;

/// For so long an end may go unheard.
const HEARD_WITHIN: Duration = Duration::from_secs(5);

/// How long credentials are good for anything without an answer.
const PROVISIONAL: Duration = Duration::from_secs(900);

/// The quiet period begins with the announcement, at most two seconds before the first byte.
const QUIET: Duration = Duration::from_secs(135 - 2);

/// Where browsers come from, and go back to.
pub(super) const PAGE: &str = "https://www.smartrecruiters.com/settings/apps";

/// Tells whether what was live is not any more.
fn is_gone(old: Generation, live: Option<&(Generation, TenantId)>) -> bool {
    live.is_none_or(|it| it.0 != old)
}

/// What the judge knows of a company.
#[derive(Debug, Default)]
struct Company {
    /// To whom the owner has agreed to give it, and from whom.
    agreed: BTreeSet<(TenantId, TenantId)>,
    attempt: Option<Generation>,
    generation: Generation,
    /// Generations that are gone for ever, and since when.
    gone: BTreeMap<Generation, Timestamp>,
    live: Option<(Generation, TenantId)>,
}

/// What the judge knows of an exchange.
#[derive(Debug)]
struct Exchange {
    /// The consent that it carries out.
    attempt: AttemptId,
    company: usize,
    outcomes: u32,
    /// When each request left that may have arrived and was not proven to be undone since.
    posts: Vec<Timestamp>,
    tenant: TenantId,
}

/// A token of ours, as it was kept.
#[derive(Clone, Copy, Debug)]
struct Token {
    company: usize,
    expires_at: Timestamp,
    generation: Generation,
}

/// The judge.
#[derive(Debug)]
pub(super) struct Oracle {
    /// The clients of ours whose request was announced: what was kept of each, and how often.
    announced: BTreeMap<String, (SecretDigest, u32)>,
    /// The client ids that were sent, and by which exchange.
    clients: BTreeMap<String, usize>,
    companies: Vec<Company>,
    exchanges: Vec<Exchange>,
    reconciliation: Reconciliation,
    tokens: BTreeMap<[u8; 32], Token>,
    verdict: Option<Violation>,
}

impl Oracle {
    pub(super) fn new(companies: usize, reconciliation: Reconciliation) -> Self {
        Self {
            announced: BTreeMap::new(),
            clients: BTreeMap::new(),
            companies: (0..companies).map(|_| Company::default()).collect(),
            exchanges: Vec::new(),
            reconciliation,
            tokens: BTreeMap::new(),
            verdict: None,
        }
    }

    pub(super) const fn verdict(&self) -> Option<Violation> {
        self.verdict
    }

    pub(super) fn breaks(
        &mut self,
        at: Timestamp,
        invariant: Invariant,
        company: usize,
        detail: &'static str,
    ) {
        let grant = Some(company);
        self.verdict.get_or_insert(Violation { at, detail, grant, invariant, process: None });
    }

    /// A consent was given; returns the number of its exchange.
    pub(super) fn begun(&mut self, company: usize, attempt: AttemptId, tenant: TenantId) -> usize {
        self.exchanges.push(Exchange { attempt, company, outcomes: 0, posts: Vec::new(), tenant });
        self.exchanges.len() - 1
    }

    /// The owner of a company agrees that another tenant takes it over.
    pub(super) fn agreed(&mut self, company: usize, from: TenantId, to: TenantId) {
        if let Some(it) = self.companies.get_mut(company) {
            it.agreed.insert((from, to));
        }
    }

    /// A request may leave: what it brings is durable, is announced, is its own, and is not blindly
    /// repeated.
    pub(super) fn posts(&mut self, now: Timestamp, number: usize, request: &Request<SecretBytes>) {
        let Some(company) = self.exchanges.get(number).map(|it| it.company) else { return };
        let body: serde_json::Value =
            serde_json::from_slice(request.body().expose()).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(serde_json::Value::as_str);
        let (Some(id), Some(secret)) = (text("clientId"), text("clientSecret")) else {
            return self.breaks(now, Invariant::InventedFirst, company, "no credentials of ours");
        };
        let digest: SecretDigest = Secret::new(secret.to_owned()).digest();
        // It may have ended since: a process cannot know that before it sends.
        match self.announced.get_mut(id) {
            Some((kept, left)) if *kept == digest && *left > 0 => *left -= 1,
            _ => {
                self.breaks(now, Invariant::InventedFirst, company, "what leaves is not announced")
            }
        }
        if *self.clients.entry(id.to_owned()).or_insert(number) != number {
            self.breaks(now, Invariant::ClientsAreUnique, company, "a client id comes twice");
        }
        let of_one_consent = |(other, it): (usize, &Exchange)| {
            let attempt = self.exchanges.get(number).map(|it| it.attempt);
            other != number && Some(it.attempt) == attempt && !it.posts.is_empty()
        };
        if self.exchanges.iter().enumerate().any(of_one_consent) {
            self.breaks(now, Invariant::NoBlindRepeat, company, "one consent, two requests");
        }
        let again = self.reconciliation == Reconciliation::PostOnceMore;
        let Some(exchange) = self.exchanges.get_mut(number) else { return };
        let is_blind = match exchange.posts.last() {
            None => false,
            Some(before) => !again || exchange.posts.len() > 1 || now < before.after(QUIET),
        };
        exchange.posts.push(now);
        if is_blind {
            self.breaks(now, Invariant::NoBlindRepeat, company, "it may have arrived before");
        }
    }

    /// The last request of an exchange was certainly not carried out.
    pub(super) fn undone(&mut self, number: usize) {
        self.exchanges.get_mut(number).map(|it| it.posts.pop());
    }

    /// An exchange tells something.
    pub(super) fn told(
        &mut self,
        now: Timestamp,
        number: usize,
        event: &ExchangeEvent,
        record: Option<&Record>,
        is_theirs: impl Fn(&str) -> bool,
    ) {
        let Some(exchange) = self.exchanges.get_mut(number) else { return };
        let company = exchange.company;
        if *event != ExchangeEvent::Unsettled {
            exchange.outcomes += 1;
        }
        if exchange.outcomes > 1 || (*event == ExchangeEvent::Unsettled && exchange.outcomes > 0) {
            self.breaks(now, Invariant::OneOutcome, company, "something after the outcome");
        }
        let (ExchangeEvent::AwaitsOwner { back, generation, .. }
        | ExchangeEvent::Bound { back, generation, .. }) = event
        else {
            return;
        };
        let is_listed = matches!(back, BrowserReturn::Redirect(it) if it.as_str() == PAGE);
        if !is_listed {
            self.breaks(now, Invariant::ClosedRedirect, company, "a browser goes elsewhere");
        }
        let attempt = record.and_then(|it| it.attempt.as_ref());
        let waiting = attempt.filter(|it| it.generation == *generation);
        let waiting = waiting.and_then(|it| match &it.phase {
            Phase::Integrated { integrated, .. } => Some(integrated),
            Phase::Posting { .. } | Phase::Prepared { .. } => None,
        });
        let live = record.and_then(|it| it.binding.as_ref());
        let live = live.filter(|it| it.generation == *generation).map(|it| &it.integrated);
        let is_over = self.companies.get(company).is_some_and(|it| {
            it.gone.contains_key(generation) || record.is_some_and(|it| it.generation > *generation)
        });
        match waiting.or(live) {
            Some(kept) if !is_theirs(kept.client_id.as_str()) => {
                self.breaks(now, Invariant::NoCrossTalk, company, "credentials of another company");
            }
            None if !is_over => {
                let detail = "credentials are told of and not kept";
                self.breaks(now, Invariant::AcknowledgedWhenDurable, company, detail);
            }
            _ => {}
        }
    }

    /// An exchange has nothing more to wait for.
    pub(super) fn over(&mut self, now: Timestamp, number: usize) {
        let Some(exchange) = self.exchanges.get(number) else { return };
        let (company, outcomes) = (exchange.company, exchange.outcomes);
        if outcomes != 1 {
            self.breaks(now, Invariant::OneOutcome, company, "it ends without an outcome");
        }
    }

    /// An operation was carried out; `records` are those of all companies.
    pub(super) fn changed(
        &mut self,
        now: Timestamp,
        op: &PartnerOp<Secret>,
        outcome: &PartnerOutcome<Secret>,
        records: &[(&IntegrationKey, Option<&Record>)],
    ) {
        let mut signed = None;
        if let PartnerOp::Disable { token } = op {
            signed = self.tokens.get(token.as_bytes()).copied().filter(|it| now < it.expires_at);
        }
        for (place, (key, record)) in records.iter().enumerate() {
            self.moved(now, place, key, *record, op, signed);
        }
        if let PartnerOp::Arm { key, .. } = op {
            let record = records.iter().find(|it| it.0 == key).and_then(|it| it.1);
            self.armed(record);
        }
        if let (
            PartnerOp::Issue { client, token, generation, .. },
            PartnerOutcome::Issued { expires_at },
        ) = (op, outcome)
        {
            let kept = (*client, *generation, *expires_at);
            self.issued(now, token, kept, records);
        }
    }

    /// A request was announced, if it was: each announcement is good for one that leaves.
    fn armed(&mut self, record: Option<&Record>) {
        let Some(attempt) = record.and_then(|it| it.attempt.as_ref()) else { return };
        let Phase::Posting { posts, .. } = attempt.phase else { return };
        if let Some(client) = &attempt.outbound {
            let announced = self.announced.entry(client.id.as_str().to_owned());
            let (kept, left) = announced.or_insert((client.secret, 0));
            // One that is offered again is the same announcement.
            (*kept, *left) = (client.secret, (*left).max(1).min(posts));
        }
    }

    fn moved(
        &mut self,
        now: Timestamp,
        place: usize,
        key: &IntegrationKey,
        record: Option<&Record>,
        op: &PartnerOp<Secret>,
        signed: Option<Token>,
    ) {
        let Some(before) = self.companies.get(place) else { return };
        let attempt = record.and_then(|it| it.attempt.as_ref()).map(|it| it.generation);
        let binding = record.and_then(|it| it.binding.as_ref());
        let live = binding.map(|it| (it.generation, it.tenant.clone()));
        let generation = record.map(|it| it.generation).unwrap_or_default();
        let of_generation = |it: Generation| {
            signed.is_some_and(|token| (token.company, token.generation) == (place, it))
        };
        let ends = |it: Generation| {
            let is_signed = matches!(op, PartnerOp::Disable { .. }) && of_generation(it);
            let is_decided = matches!(op, PartnerOp::End { key: of, generation, .. }
                if of == key && generation.is_none_or(|only| only == it));
            is_signed || is_decided || matches!(op, PartnerOp::EndAll { .. })
        };
        let mut gone: Vec<Generation> =
            before.live.iter().map(|it| it.0).filter(|old| is_gone(*old, live.as_ref())).collect();
        let is_activation = matches!(op, PartnerOp::Activate { key: of, .. } if of == key);
        let ends_live = before.live.as_ref().is_some_and(|it| ends(it.0));
        let mut broken = self.binding_moved(place, live.as_ref(), is_activation, ends_live);
        if let Some(old) = before.attempt.filter(|it| attempt != Some(*it)) {
            let is_bound = live.as_ref().is_some_and(|it| it.0 == old);
            let is_over = matches!(op, PartnerOp::Void { .. } | PartnerOp::Begin { .. });
            if !is_bound && !is_over && !ends(old) {
                broken = Some((Invariant::DisablesItsOwn, "an attempt ended that nobody ended"));
            }
            if !is_bound {
                gone.push(old);
            }
        }
        if generation < before.generation {
            broken = Some((Invariant::GenerationGrows, "a generation went back"));
        }
        if let Some((invariant, detail)) = broken {
            self.breaks(now, invariant, place, detail);
        }
        if let Some(it) = self.companies.get_mut(place) {
            for of in gone {
                it.gone.entry(of).or_insert(now);
            }
            (it.attempt, it.live, it.generation) = (attempt, live, generation);
        }
    }

    /// What is live has changed, or has not: by whom, and may they?
    fn binding_moved(
        &self,
        place: usize,
        live: Option<&(Generation, TenantId)>,
        is_activation: bool,
        is_ended: bool,
    ) -> Option<(Invariant, &'static str)> {
        let before = self.companies.get(place)?;
        let unverified = Some((Invariant::BoundByConsent, "bound without a verification"));
        match (&before.live, live) {
            (old, new) if old.as_ref() == new => None,
            (None, Some((new, tenant))) => {
                let has_asked = self
                    .exchanges
                    .iter()
                    .any(|it| it.company == place && it.tenant == *tenant && !it.posts.is_empty());
                let is_verified = is_activation && before.attempt == Some(*new) && has_asked;
                if is_verified { None } else { unverified }
            }
            (Some((old, from)), Some((new, to))) => {
                let agreed = from == to || before.agreed.contains(&(from.clone(), to.clone()));
                match (is_activation && new > old, agreed) {
                    (false, _) => unverified,
                    (true, false) => Some((Invariant::BoundByConsent, "taken from another tenant")),
                    (true, true) => None,
                }
            }
            (Some(_), None) if !is_ended => {
                Some((Invariant::DisablesItsOwn, "an integration ended that nobody ended"))
            }
            (Some(_) | None, None) => None,
        }
    }

    fn issued(
        &mut self,
        now: Timestamp,
        token: &SecretDigest,
        (client, generation, expires_at): (ClientKey, Generation, Timestamp),
        records: &[(&IntegrationKey, Option<&Record>)],
    ) {
        let stands = |record: &Record| {
            if !record.clients().any(|it| it.0 == generation && it.1.key() == client) {
                return false;
            }
            let live = record.binding.as_ref().is_some_and(|it| it.generation == generation);
            let attempt = record.attempt.as_ref().filter(|it| it.generation == generation);
            let admits = attempt.is_some_and(|it| match it.phase {
                Phase::Integrated { .. } => true,
                Phase::Posting { armed_at, .. } => now < armed_at.after(PROVISIONAL),
                Phase::Prepared { .. } => false,
            });
            live || admits
        };
        let company = records.iter().position(|(_, it)| it.is_some_and(stands));
        match company {
            Some(company) => {
                let token_of = Token { company, expires_at, generation };
                self.tokens.insert(*token.as_bytes(), token_of);
            }
            None => self.breaks(now, Invariant::EndIsHeard, 0, "a token of what does not stand"),
        }
    }

    /// SmartRecruiters is told that it has a token: it is kept, or what it was for has ended.
    pub(super) fn handed_out(&mut self, now: Timestamp, token: &Secret, is_kept: bool) {
        let known = self.tokens.get(token.digest().as_bytes()).copied();
        let is_over = known.is_some_and(|known| {
            let company = self.companies.get(known.company);
            company.is_some_and(|it| it.gone.contains_key(&known.generation))
        });
        if !is_kept && !is_over {
            let detail = "a token is handed out that is not kept";
            self.breaks(now, Invariant::AcknowledgedWhenDurable, 0, detail);
        }
    }

    /// A call to the partner's own API is let in.
    pub(super) fn admitted(&mut self, now: Timestamp, token: &Secret, who: &Principal) {
        let Some(known) = self.tokens.get(token.digest().as_bytes()).copied() else {
            return self.breaks(now, Invariant::EndIsHeard, 0, "a stranger is let in");
        };
        if known.generation != who.generation {
            self.breaks(now, Invariant::NoCrossTalk, known.company, "let in as somebody else");
        }
        let gone = self.companies.get(known.company).and_then(|it| it.gone.get(&known.generation));
        if gone.is_some_and(|at| now > at.after(HEARD_WITHIN)) {
            let detail = "whose integration has ended is let in";
            self.breaks(now, Invariant::EndIsHeard, known.company, detail);
        }
    }

    /// SmartRecruiters is told that its notification is done.
    pub(super) fn acknowledged(&mut self, now: Timestamp, token: &Secret) {
        let Some(known) = self.tokens.get(token.digest().as_bytes()).copied() else { return };
        let stands = self.companies.get(known.company).is_some_and(|it| {
            let live = it.live.as_ref().map(|it| it.0);
            [live, it.attempt].contains(&Some(known.generation))
        });
        if stands {
            let detail = "a notification is acknowledged and had no effect";
            self.breaks(now, Invariant::AcknowledgedWhenDurable, known.company, detail);
        }
    }
}
