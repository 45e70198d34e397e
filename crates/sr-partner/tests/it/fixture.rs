//! What the tests have in common: names, consents, and a desk where requests meet a store.

use http::{Request, Response};
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{Generation, StoreIdentity};
use sr_auth_core::{
    AccessToken, ClientId, Endpoints, GrantedScope, Machine, ScopeSet, Secret, SecretBytes,
    Timestamp,
};
use sr_partner::consent::{
    Consent, ConsentDisplayMode, ConsentTicket, ConsentVisit, RedirectOrigins, TicketKey, Visitor,
};
use sr_partner::exchange::ExchangeSettings;
use sr_partner::inbound::{
    Admission, InboundEvent, InboundInput, InboundOutput, Notification, TokenIssuer,
};
use sr_partner::store::{
    Integrated, NewAttempt, PartnerModel, PartnerOp, PartnerOutcome, Principal, Verified,
};
use sr_partner::{
    AppId, AttemptId, CompanyId, ExchangeId, IntegrationKey, OutboundCredentials, TenantId,
};

pub(crate) const BACK: &str = "https://www.smartrecruiters.com/settings/apps";

pub(crate) fn at(secs: u64) -> Timestamp {
    Timestamp::from_unix_secs(secs)
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

pub(crate) fn app() -> AppId {
    AppId::new("interview-planner").expect("valid")
}

pub(crate) fn company(id: &str) -> CompanyId {
    CompanyId::new(id).expect("valid")
}

pub(crate) fn tenant(id: &str) -> TenantId {
    TenantId::new(id).expect("valid")
}

pub(crate) fn key(id: &str) -> IntegrationKey {
    IntegrationKey { app: app(), company: company(id) }
}

pub(crate) fn scopes() -> ScopeSet {
    ScopeSet::parse("interviews_read interviews_manage").expect("valid")
}

pub(crate) fn visit(id: &str) -> ConsentVisit {
    let query = format!("companyId={id}&redirect={BACK}");
    let origins = RedirectOrigins::production();
    ConsentVisit::parse(&query, ConsentDisplayMode::Redirect, &origins).expect("a good visit")
}

/// A consent of the owner of `who` for a company; `number` tells tickets apart.
pub(crate) fn consent(id: &str, who: &str, seen: u64, number: u8) -> Consent {
    let visitor = Visitor::new(&secret("cookie-of-the-owner"), tenant(who));
    let key = TicketKey::new([9; 32]);
    let seen = Generation::from_number(seen);
    let now = at(0);
    let ticket = ConsentTicket::new(now, app(), visit(id), visitor.clone(), seen, [number; 32]);
    let form = ticket.to_secret(&key);
    let origins = RedirectOrigins::production();
    ConsentTicket::accept(&form, &key, now, &app(), &visitor, &origins).expect("a consent")
}

pub(crate) fn settings() -> ExchangeSettings {
    ExchangeSettings::new(&Endpoints::production()).calling_us(scopes())
}

pub(crate) fn access_token(text: &str) -> AccessToken {
    AccessToken::new(secret(text), at(1_799), GrantedScope::AsRequested).expect("a good token")
}

pub(crate) fn integrated(text: &str) -> Integrated<Secret> {
    Integrated {
        client_id: ClientId::new("customer-82e4").expect("valid"),
        integration: None,
        secret: secret(text),
    }
}

/// Our credentials for SmartRecruiters, different for each number.
pub(crate) fn outbound(number: u8) -> OutboundCredentials {
    let mut entropy = [number; 64];
    entropy.iter_mut().skip(32).for_each(|byte| *byte ^= 0x5a);
    OutboundCredentials::generate(entropy, scopes())
}

pub(crate) fn new_attempt(number: u8, who: &str, seen: u64) -> NewAttempt {
    NewAttempt {
        exchange: ExchangeId::from_bytes([number; 16]),
        id: AttemptId::from_bytes([number; 16]),
        outbound: Some(outbound(number).to_client()),
        prepared_for: std::time::Duration::from_secs(60),
        rebind: None,
        seen: Generation::from_number(seen),
        tenant: tenant(who),
    }
}

pub(crate) fn form(fields: &[(&str, &str)]) -> Request<SecretBytes> {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    raw_form(&body.finish())
}

pub(crate) fn raw_form(body: &str) -> Request<SecretBytes> {
    Request::post("https://planner.example/oauth/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(SecretBytes::new(body.as_bytes().to_vec()))
        .expect("a good request")
}

pub(crate) fn token_form(credentials: &OutboundCredentials) -> Request<SecretBytes> {
    form(&[
        ("client_id", credentials.id().as_str()),
        ("client_secret", credentials.secret().expose()),
        ("grant_type", "client_credentials"),
    ])
}

pub(crate) fn with_token(method: &str, uri: &str, token: &str, body: &str) -> Request<SecretBytes> {
    Request::builder()
        .method(method)
        .uri(uri)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .body(SecretBytes::new(body.as_bytes().to_vec()))
        .expect("a good request")
}

pub(crate) fn disabled(token: &str) -> Request<SecretBytes> {
    let body = r#"{"eventType":"INTEGRATION_DISABLED"}"#;
    with_token("POST", "https://planner.example/callback", token, body)
}

/// What became of a request to us.
#[derive(Debug, Default)]
pub(crate) struct Served {
    pub(crate) admitted: Option<Principal>,
    pub(crate) events: Vec<InboundEvent>,
    pub(crate) ops: Vec<&'static str>,
    pub(crate) response: Option<Response<SecretBytes>>,
}

impl Served {
    #[track_caller]
    pub(crate) fn status(&self) -> u16 {
        self.response.as_ref().expect("an answer").status().as_u16()
    }

    #[track_caller]
    pub(crate) fn body(&self) -> String {
        let body = self.response.as_ref().expect("an answer").body().expose();
        String::from_utf8(body.to_vec()).expect("text")
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let headers = self.response.as_ref().expect("an answer").headers();
        let values: Vec<&str> =
            headers.get_all(name).iter().map(|it| it.to_str().expect("text")).collect();
        assert!(values.len() < 2, "{name} twice");
        values.first().map(|it| (*it).to_owned())
    }

    /// Everything of the answer, for comparing two of them.
    pub(crate) fn whole(&self) -> String {
        let response = self.response.as_ref().expect("an answer");
        format!("{} {:?} {}", response.status(), response.headers(), self.body())
    }

    #[track_caller]
    pub(crate) fn token(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body()).expect("JSON");
        let token = body.get("access_token").and_then(serde_json::Value::as_str);
        token.expect("a token").to_owned()
    }
}

/// Where requests to us meet a store.
pub(crate) struct Desk {
    /// Operations of these names fail, so many times, after they were carried out or not.
    pub(crate) failing: Vec<(&'static str, u32, bool)>,
    pub(crate) issuer: TokenIssuer,
    pub(crate) now: Timestamp,
    pub(crate) store: PartnerModel<Secret>,
    drawn: u8,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            failing: Vec::new(),
            issuer: TokenIssuer::default(),
            now: at(0),
            store: PartnerModel::new(StoreIdentity(7)),
            drawn: 100,
        }
    }

    pub(crate) fn apply(&mut self, op: PartnerOp<Secret>) -> PartnerOutcome<Secret> {
        self.store.apply(self.now, op).outcome
    }

    pub(crate) fn serve(
        &mut self,
        mut machine: impl Machine<Input = InboundInput, Output = InboundOutput>,
    ) -> Served {
        let mut served = Served::default();
        while let Some(output) = machine.poll_output() {
            assert!(served.response.is_none() && served.admitted.is_none(), "more after the end");
            match output {
                InboundOutput::Admit(principal) => served.admitted = Some(principal),
                InboundOutput::Event(event) => served.events.push(event),
                InboundOutput::Respond(response) => served.response = Some(response),
                InboundOutput::Store(request) => {
                    served.ops.push(request.op.name());
                    let result = self.offer(request.op);
                    machine.handle_input(self.now, InboundInput::Stored { id: request.id, result });
                }
            }
        }
        assert!(machine.poll_timeout().is_none(), "it is over");
        served
    }

    fn offer(
        &mut self,
        op: PartnerOp<Secret>,
    ) -> Result<sr_partner::store::PartnerAnswer<Secret>, StoreFailure> {
        let name = op.name();
        let failing = self.failing.iter_mut().find(|it| it.0 == name && it.1 > 0);
        let Some((_, left, done)) = failing else { return Ok(self.store.apply(self.now, op)) };
        *left -= 1;
        if *done {
            self.store.apply(self.now, op);
            return Err(StoreFailure::OutcomeUnknown);
        }
        Err(StoreFailure::NotDone)
    }

    pub(crate) fn token(&mut self, request: &Request<SecretBytes>) -> Served {
        self.drawn += 1;
        let issuance = self.issuer.answer(self.now, request, None, [self.drawn; 32]);
        self.serve(issuance)
    }

    /// Gets a token for our own credentials of that number.
    #[track_caller]
    pub(crate) fn token_of(&mut self, number: u8) -> String {
        let served = self.token(&token_form(&outbound(number)));
        assert_eq!(served.status(), 200, "{:?}", served.events);
        served.token()
    }

    pub(crate) fn notify(&mut self, request: &Request<SecretBytes>) -> Served {
        let notification = Notification::receive(self.now, request);
        self.serve(notification)
    }

    pub(crate) fn call(&mut self, token: &str, needs: Option<&str>) -> Served {
        let needs = needs.map(|it| sr_auth_core::Scope::new(it).expect("valid"));
        let request = with_token("GET", "https://planner.example/interviews", token, "");
        let admission = Admission::new(self.now, &request, needs);
        self.serve(admission)
    }

    /// Carries an attempt to the phase *Posting*.
    #[track_caller]
    pub(crate) fn arm(&mut self, id: &str, who: &str, number: u8, seen: u64) {
        let begun =
            self.apply(PartnerOp::Begin { attempt: new_attempt(number, who, seen), key: key(id) });
        assert_eq!(begun.name(), "Done", "{begun:?}");
        let armed = self.apply(PartnerOp::Arm {
            attempt: AttemptId::from_bytes([number; 16]),
            exchange: ExchangeId::from_bytes([number; 16]),
            key: key(id),
            post: 1,
            provisional: std::time::Duration::from_secs(900),
            quiet: std::time::Duration::from_secs(135),
        });
        assert_eq!(armed.name(), "Done");
    }

    #[track_caller]
    pub(crate) fn commit(&mut self, id: &str, number: u8) {
        let generation = self.store.record(&key(id)).expect("a record").generation;
        let committed = self.apply(PartnerOp::Commit {
            attempt: AttemptId::from_bytes([number; 16]),
            generation,
            confirm_within: std::time::Duration::from_secs(86_400),
            integrated: integrated(&format!("customer-secret-{number}")),
            key: key(id),
        });
        assert_eq!(committed.name(), "Done");
    }

    #[track_caller]
    pub(crate) fn activate(&mut self, id: &str, number: u8) {
        let attempt = AttemptId::from_bytes([number; 16]);
        let op = PartnerOp::Activate { attempt, key: key(id), verified: Verified::ByOwner };
        let activated = self.apply(op);
        assert_eq!(activated.name(), "Done", "{activated:?}");
    }

    /// Joins a company with a tenant; `number` names the attempt, and `seen` counts those before.
    #[track_caller]
    pub(crate) fn bind(&mut self, id: &str, who: &str, number: u8, seen: u64) {
        self.arm(id, who, number, seen);
        self.commit(id, number);
        self.activate(id, number);
    }

    pub(crate) fn live(&self, id: &str) -> Option<u64> {
        let binding = self.store.record(&key(id))?.binding.as_ref()?;
        Some(binding.generation.number())
    }
}
