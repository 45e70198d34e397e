//! Laws of the exchange and of the requests to us, over any trace of inputs.

use std::collections::BTreeMap;

use http::{Request, Response};
use proptest::collection::vec;
use proptest::prelude::*;
use sr_auth_core::lifecycle::{StoreFailure, StoreOpId};
use sr_auth_core::store::{Generation, StoreIdentity};
use sr_auth_core::{
    AccessToken, Endpoints, GrantError, GrantedScope, Machine, ScopeSet, Secret, SecretBytes,
    Timestamp, TransmitId, TransportFailure,
};
use sr_partner::consent::{
    ConsentDisplayMode, ConsentTicket, ConsentVisit, RedirectOrigins, TicketKey, Visitor,
};
use sr_partner::exchange::{
    ExchangeEvent, ExchangeSettings, Input, IntegrationExchange, Output, Probe, Reconciliation,
    TokenRequestId, Verification,
};
use sr_partner::inbound::{
    Admission, InboundInput, InboundOutput, Notification, TokenIssuance, TokenIssuer,
};
use sr_partner::store::{
    DisableEffect, IntegrationRecord, KnownClient, PartnerAnswer, PartnerModel, PartnerOutcome,
    Principal,
};
use sr_partner::{AppId, CompanyId, IntegrationKey, TenantId};

const BEGIN: Timestamp = Timestamp::from_unix_secs(1_000);

fn app() -> AppId {
    AppId::new("planner").expect("valid")
}

fn tenant() -> TenantId {
    TenantId::new("acme").expect("valid")
}

fn key() -> IntegrationKey {
    IntegrationKey { app: app(), company: CompanyId::new("5f1b").expect("valid") }
}

fn scopes() -> ScopeSet {
    ScopeSet::parse("interviews_read").expect("valid")
}

fn exchange(reconciliation: Reconciliation) -> IntegrationExchange {
    let origins = RedirectOrigins::production();
    let visit = ConsentVisit::parse("companyId=5f1b", ConsentDisplayMode::Popup, &origins);
    let (session, signing) = (Secret::new("cookie".to_owned()), TicketKey::new([9; 32]));
    let by = Visitor::new(&session, tenant());
    let (visit, seen) = (visit.expect("a good visit"), Generation::default());
    let ticket = ConsentTicket::new(BEGIN, app(), visit, by.clone(), seen, [1; 32]);
    let form = ticket.to_secret(&signing);
    let consent = ConsentTicket::accept(&form, &signing, BEGIN, &app(), &by, &origins);
    let probe = Probe::new("/configuration/company", "/id").expect("valid");
    let settings = ExchangeSettings::new(&Endpoints::production())
        .calling_us(scopes())
        .with_reconciliation(reconciliation)
        .with_verification(Verification::Probe(probe));
    IntegrationExchange::new(BEGIN, settings, consent.expect("a good form"), [7; 80])
}

/// How far time moves, in milliseconds, now and then backwards.
fn step() -> impl Strategy<Value = i64> {
    prop_oneof![3 => Just(0), 4 => 1..3_000_i64, 3 => 3_000..200_000_i64, 1 => -50_000..0_i64]
}

fn answers() -> impl Strategy<Value = Response<SecretBytes>> {
    let good = r#"{"clientId":"c","clientSecret":"theirs","integrationId":"i"}"#;
    let body = prop_oneof![
        4 => Just(good.to_owned()),
        2 => Just(r#"{"id":"5f1b"}"#.to_owned()),
        1 => Just(r#"{"id":"other"}"#.to_owned()),
        1 => Just("{}".to_owned()),
        1 => "[ -~]{0,20}",
    ];
    let status = prop_oneof![
        8 => Just(200_u16), 2 => Just(401), 1 => Just(403), 1 => Just(409), 1 => Just(429),
        1 => Just(500), 1 => Just(307),
    ];
    (status, body).prop_map(|(status, body)| {
        let body = SecretBytes::new(body.into_bytes());
        Response::builder().status(status).body(body).expect("a status")
    })
}

fn outcomes() -> impl Strategy<Value = PartnerOutcome<Secret>> {
    let record = IntegrationRecord::default;
    let principal = Principal {
        current: true,
        expires_at: Timestamp::MAX,
        generation: Generation::from_number(1),
        key: key(),
        scopes: scopes(),
        tenant: tenant(),
    };
    let known = KnownClient {
        generation: Generation::from_number(1),
        key: key(),
        scopes: scopes(),
        secret: Secret::new("right".to_owned()).digest(),
    };
    let disabled =
        PartnerOutcome::Disabled { effect: DisableEffect::Ended, principal: principal.clone() };
    prop_oneof![
        8 => Just(PartnerOutcome::Done(record())),
        1 => Just(PartnerOutcome::BoundElsewhere(record())),
        1 => Just(PartnerOutcome::Busy { record: record(), until: Timestamp::MAX }),
        3 => Just(PartnerOutcome::Client(Some(known))),
        1 => Just(PartnerOutcome::Client(None)),
        1 => Just(PartnerOutcome::Counted),
        2 => Just(disabled),
        1 => Just(PartnerOutcome::Foreign),
        2 => Just(PartnerOutcome::Identified(principal)),
        2 => Just(PartnerOutcome::Issued { expires_at: Timestamp::MAX }),
        1 => Just(PartnerOutcome::Missing),
        1 => Just(PartnerOutcome::Moved(record())),
        1 => Just(PartnerOutcome::Superseded(record())),
        1 => Just(PartnerOutcome::Taken(record())),
        1 => Just(PartnerOutcome::Throttled { until: Timestamp::MAX }),
    ]
}

type Stored = Result<PartnerAnswer<Secret>, StoreFailure>;

fn stored() -> impl Strategy<Value = Stored> {
    prop_oneof![
        6 => outcomes().prop_map(|outcome| Ok(PartnerAnswer { now: BEGIN, outcome })),
        1 => Just(Err(StoreFailure::NotDone)),
        1 => Just(Err(StoreFailure::OutcomeUnknown)),
    ]
}

fn transmit_id() -> impl Strategy<Value = TransmitId> {
    (1..5_u32).prop_map(|count| (1..count).fold(TransmitId::FIRST, |id, _| id.next()))
}

fn token() -> impl Strategy<Value = Result<AccessToken, GrantError>> {
    let token = AccessToken::new(
        Secret::new("token".to_owned()),
        Timestamp::MAX,
        GrantedScope::AsRequested,
    );
    let error = GrantError::Unavailable { attempts: 3, retry_at: None };
    prop_oneof![4 => Just(Ok(token.expect("a good token"))), 1 => Just(Err(error))]
}

fn input() -> impl Strategy<Value = Input> {
    let failure =
        prop_oneof![Just(TransportFailure::BeforeSend), Just(TransportFailure::AfterSend)];
    prop_oneof![
        4 => (transmit_id(), answers()).prop_map(|(id, response)| Input::Response { id, response }),
        8 => (1..9_u32, stored())
            .prop_map(|(id, result)| Input::Stored { id: StoreOpId(id), result }),
        2 => Just(Input::Timeout),
        6 => (1..9_u32, token())
            .prop_map(|(id, result)| Input::Token { id: TokenRequestId(id), result }),
        3 => (transmit_id(), failure)
            .prop_map(|(id, failure)| Input::TransportFailed { failure, id, received: None }),
    ]
}

fn trace() -> impl Strategy<Value = Vec<(Timestamp, Input)>> {
    vec((step(), input()), 0..60).prop_map(|steps| {
        let mut millis = BEGIN.as_unix_millis();
        let moments = steps.into_iter().map(|(step, input)| {
            millis = millis.saturating_add_signed(step);
            (Timestamp::from_unix_millis(millis), input)
        });
        moments.collect()
    })
}

/// What an exchange did, and what it had been promised by then.
#[derive(Default)]
struct Run {
    asked: BTreeMap<StoreOpId, &'static str>,
    done: Vec<&'static str>,
    outcomes: Vec<ExchangeEvent>,
    posts: u32,
    unsettled: u32,
}

impl Run {
    /// Notes what the store is about to say.
    fn hears(&mut self, input: &Input) {
        let Input::Stored { id, result: Ok(answer) } = input else { return };
        if let (PartnerOutcome::Done(_), Some(op)) = (&answer.outcome, self.asked.get(id)) {
            self.done.push(op);
        }
    }

    fn drain(&mut self, machine: &mut IntegrationExchange) -> Result<Vec<Output>, TestCaseError> {
        let mut open = Vec::new();
        while let Some(output) = machine.poll_output() {
            match &output {
                Output::Event(ExchangeEvent::Unsettled) => self.unsettled += 1,
                Output::Event(event) => {
                    let good = matches!(
                        event,
                        ExchangeEvent::AwaitsOwner { .. } | ExchangeEvent::Bound { .. }
                    );
                    prop_assert!(!good || self.done.contains(&"Commit"), "told before it is kept");
                    self.outcomes.push(event.clone());
                }
                Output::Store(request) => {
                    self.asked.insert(request.id, request.op.name());
                }
                Output::Token(_) => {}
                Output::Transmit(it) if it.request.method() == http::Method::POST => {
                    prop_assert!(self.done.contains(&"Begin"), "sent before its client is durable");
                    let armed = self.done.iter().filter(|it| **it == "Arm").count();
                    self.posts += 1;
                    prop_assert!(armed >= self.posts as usize, "sent without an announcement");
                    let path = it.request.uri().to_string();
                    prop_assert!(path.starts_with("https://api.smartrecruiters.com/apps-int"));
                }
                Output::Transmit(_) => {}
            }
            open.push(output);
        }
        prop_assert!(self.outcomes.len() <= 1, "{:?}", self.outcomes);
        prop_assert!(self.unsettled <= 1 && self.posts <= 6, "{} requests", self.posts);
        let over = self.outcomes.len() == 1;
        prop_assert_eq!(machine.poll_timeout().is_none(), over, "it stalls");
        Ok(open)
    }
}

fn run(
    reconciliation: Reconciliation,
    trace: Vec<(Timestamp, Input)>,
) -> Result<(IntegrationExchange, Run, Vec<Output>), TestCaseError> {
    let mut machine = exchange(reconciliation);
    let mut run = Run::default();
    let mut open = run.drain(&mut machine)?;
    for (now, input) in trace {
        run.hears(&input);
        machine.handle_input(now, input);
        open.extend(run.drain(&mut machine)?);
    }
    Ok((machine, run, open))
}

const RECONCILIATIONS: [Reconciliation; 2] =
    [Reconciliation::AskCustomer, Reconciliation::PostOnceMore];

proptest! {
    /// An exchange announces one outcome, always says what it waits for until then, sends nothing that
    /// was not announced to the store, and tells nothing that is not kept; left alone with a store
    /// that works, it comes to its outcome.
    #[test]
    fn an_exchange_has_one_outcome_and_never_stalls(trace in trace()) {
        for reconciliation in RECONCILIATIONS {
            let (mut machine, mut run, mut open) = run(reconciliation, trace.clone())?;
            let mut store = PartnerModel::new(StoreIdentity(7));
            let mut now = Timestamp::from_unix_secs(100_000_000);
            for _ in 0..200 {
                let stored = open.drain(..).rev().find_map(|output| match output {
                    Output::Store(request) => Some(request),
                    Output::Event(_) | Output::Token(_) | Output::Transmit(_) => None,
                });
                let input = match stored {
                    Some(it) => Input::Stored { id: it.id, result: Ok(store.apply(now, it.op)) },
                    None => Input::Timeout,
                };
                now = machine.poll_timeout().map_or(now, |due| due.max(now));
                run.hears(&input);
                machine.handle_input(now, input);
                open = run.drain(&mut machine)?;
            }
            prop_assert_eq!(run.outcomes.len(), 1);
        }
    }

    /// Input that no longer matters changes nothing: for an operation, a token or a transmission that
    /// nobody waits for, a timeout before its time, and anything at all after the end.
    #[test]
    fn stale_input_changes_nothing(trace in trace(), answer in answers(), early in 1..50_000_u64) {
        let (mut machine, _, _) = run(Reconciliation::PostOnceMore, trace)?;
        let before = format!("{machine:?}");
        let now = machine.poll_timeout().unwrap_or(BEGIN);
        let now = now.before(std::time::Duration::from_millis(early));
        let id = (0..99).fold(TransmitId::FIRST, |id, _| id.next());
        let failure = TransportFailure::BeforeSend;
        machine.handle_input(now, Input::Response { id, response: answer });
        machine.handle_input(now, Input::TransportFailed { failure, id, received: None });
        let result = Err(StoreFailure::NotDone);
        machine.handle_input(now, Input::Stored { id: StoreOpId(99), result });
        let result = Err(GrantError::OutcomeUnknown);
        machine.handle_input(now, Input::Token { id: TokenRequestId(99), result });
        machine.handle_input(now, Input::Timeout);
        prop_assert_eq!(format!("{machine:?}"), before);
        prop_assert!(machine.poll_output().is_none());
    }

    /// A request to us has one answer, which is the last output; a token, a success and an admission
    /// come only after the store has said so.
    #[test]
    fn i21_a_request_to_us_has_one_answer_and_promises_nothing_before_it_is_durable(
        which in 0..5_usize,
        inputs in vec((1..5_u32, stored(), step()), 0..12),
    ) {
        let (mut machine, mut said) = (inbound(which), Vec::new());
        let mut outputs = machine.drain();
        let mut now = BEGIN;
        for (id, result, step) in inputs {
            let waits = machine.poll_timeout().is_some();
            if let (Ok(answer), true) = (&result, waits) {
                said.push(answer.outcome.name());
            }
            now = Timestamp::from_unix_millis(now.as_unix_millis().saturating_add_signed(step));
            machine.handle_input(now, InboundInput::Stored { id: StoreOpId(id), result });
            outputs.extend(machine.drain());
        }
        for _ in 0..9 {
            let Some(due) = machine.poll_timeout() else { break };
            machine.handle_input(due, InboundInput::Timeout);
            outputs.extend(machine.drain());
        }
        prop_assert!(machine.poll_timeout().is_none(), "it stalls");
        let finals = outputs.iter().filter(|it| is_final(it)).count();
        prop_assert_eq!(finals, 1, "{:?}", outputs);
        let last = outputs.last().expect("an answer");
        prop_assert!(is_final(last), "something after the answer");
        if let InboundOutput::Admit(_) = last {
            prop_assert!(said.contains(&"Identified"));
        }
        if matches!(last, InboundOutput::Respond(it) if it.status() == 200) {
            let word = if which == 0 { "Issued" } else { "Disabled" };
            prop_assert!(said.contains(&word), "{:?}", said);
        }
    }
}

fn is_final(output: &InboundOutput) -> bool {
    matches!(output, InboundOutput::Admit(_) | InboundOutput::Respond(_))
}

/// Any of the machines that answer a request.
enum Inbound {
    Admission(Admission),
    Issuance(TokenIssuance),
    Notification(Notification),
}

fn inbound(which: usize) -> Inbound {
    let bearer = |method: &str, body: &str| {
        Request::builder()
            .method(method)
            .uri("https://planner.example/callback")
            .header("authorization", "Bearer 0123")
            .body(SecretBytes::new(body.as_bytes().to_vec()))
            .expect("a good request")
    };
    let disabled = r#"{"eventType":"INTEGRATION_DISABLED"}"#;
    match which {
        0 => {
            let form = "client_id=c&client_secret=right&grant_type=client_credentials";
            let mut request = bearer("POST", form);
            request.headers_mut().remove("authorization");
            let kind = "application/x-www-form-urlencoded".parse().expect("a header");
            request.headers_mut().insert("content-type", kind);
            Inbound::Issuance(TokenIssuer::default().answer(BEGIN, &request, None, [3; 32]))
        }
        1 => Inbound::Notification(Notification::receive(BEGIN, &bearer("POST", disabled))),
        2 => Inbound::Notification(Notification::receive(BEGIN, &bearer("POST", "{}"))),
        3 => {
            let request = bearer("DELETE", "");
            Inbound::Notification(Notification::receive_deletion(BEGIN, &request, "5f1b"))
        }
        _ => Inbound::Admission(Admission::new(BEGIN, &bearer("GET", ""), None)),
    }
}

impl Inbound {
    fn handle_input(&mut self, now: Timestamp, input: InboundInput) {
        match self {
            Self::Admission(it) => it.handle_input(now, input),
            Self::Issuance(it) => it.handle_input(now, input),
            Self::Notification(it) => it.handle_input(now, input),
        }
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        match self {
            Self::Admission(it) => it.poll_timeout(),
            Self::Issuance(it) => it.poll_timeout(),
            Self::Notification(it) => it.poll_timeout(),
        }
    }

    fn drain(&mut self) -> Vec<InboundOutput> {
        std::iter::from_fn(|| match self {
            Self::Admission(it) => it.poll_output(),
            Self::Issuance(it) => it.poll_output(),
            Self::Notification(it) => it.poll_output(),
        })
        .collect()
    }
}
