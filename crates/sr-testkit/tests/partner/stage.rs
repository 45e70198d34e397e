//! A partner and SmartRecruiters, a step at a time: processes, store, network, customer.

use http::{Request, Response};
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{Generation, StoreIdentity};
use sr_auth_core::wire::token_answer::{self, TokenAnswer};
use sr_auth_core::wire::token_request;
use sr_auth_core::{
    AccessToken, ClientCredentials, Endpoints, GrantError, Machine, ScopeSet, Secret, SecretBytes,
    Timestamp, TransmitId, TransportFailure,
};
use sr_partner::consent::{
    ConsentDisplayMode, ConsentTicket, ConsentVisit, RedirectOrigins, TicketKey, Visitor,
};
use sr_partner::exchange::{
    ExchangeSettings, Input, IntegrationExchange, Output, Probe, Reconciliation, TokenOf,
    Verification,
};
use sr_partner::inbound::{
    Admission, InboundInput, InboundOutput, Notification, PartnerStoreRequest, TokenIssuer,
};
use sr_partner::registration::InboundUrls;
use sr_partner::store::{PartnerAnswer, PartnerModel, PartnerOp, PartnerOutcome, Phase, Verified};
use sr_partner::{AppId, CompanyId, IntegrationKey, TenantId};
use sr_testkit::{Client, DemoCredentials, PartnerApp, Simulator, World};

use crate::oracle::Oracle;

pub(crate) const MASTER_SECRET: &str = "9165228a82e44244e7c5c8135fe01c16";

/// How a store operation goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum StoreFate {
    Carried,
    /// Not carried out.
    Failed,
    /// Carried out, and the answer is lost.
    Lost,
}

/// How a request goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum WireFate {
    Answered,
    /// Processed, and the answer is lost.
    AnswerLost,
    /// On its way until somebody delivers it; nobody will hear the answer.
    Delayed,
    /// A fault of the server before it did anything.
    Fault,
    NotSent,
    /// Never arrives.
    Swallowed,
}

/// One exchange that is under way in a process.
pub(crate) struct Running {
    pub(crate) machine: IntegrationExchange,
    pub(crate) number: u8,
    /// What it asked for, in order.
    pub(crate) wants: Vec<Output>,
}

pub(crate) struct Stage {
    pub(crate) delayed: Vec<Request<SecretBytes>>,
    pub(crate) key: IntegrationKey,
    /// Notifications that are on their way.
    pub(crate) notices: Vec<Request<SecretBytes>>,
    pub(crate) now: Timestamp,
    pub(crate) oracle: Oracle,
    pub(crate) running: Vec<Running>,
    /// Secrets that went over the wire, when somebody looks for them.
    pub(crate) secrets: Vec<Secret>,
    pub(crate) settings: ExchangeSettings,
    /// Everything that could stand in a log, when somebody looks at it.
    pub(crate) shown: Option<String>,
    pub(crate) simulator: Simulator,
    pub(crate) store: PartnerModel<Secret>,
    /// Tokens of ours that SmartRecruiters holds.
    pub(crate) tokens: Vec<Secret>,
    begun: u8,
    issued: u8,
    master: ClientCredentials,
}

impl Stage {
    /// Makes a stage on which the customer has connected the application.
    pub(crate) fn new(repeated: &str, probes: bool, reconciliation: Reconciliation) -> Self {
        let (world, _) = World::demo(7);
        let mut simulator = Simulator::new(world, 7);
        simulator.limit_journal(0);
        let app = AppId::new("planner").expect("valid");
        let mut companies = simulator.world().companies();
        let acme = companies.find(|it| it.identifier() == DemoCredentials::COMPANY);
        let company = CompanyId::new(acme.expect("the demo has it").id()).expect("valid");
        drop(companies);
        let inbound = InboundUrls::new("https://planner.example/oauth/token").expect("valid");
        let inbound = inbound.with_callback("https://planner.example/callback").expect("valid");
        let scopes = ScopeSet::parse("company_read jobs_read").expect("valid");
        let secret = Secret::new(MASTER_SECRET.to_owned());
        let world = simulator.world_mut();
        world.add_client(Client::master("master", secret.clone(), &app));
        world.add_partner_app(PartnerApp::new(app.clone(), scopes).with_inbound(inbound));
        let repeated = format!("repeated_integration={repeated}");
        simulator.switches_mut().set(&repeated).expect("a switch");
        assert!(simulator.consent_to(&app, &company));
        let mut settings = ExchangeSettings::new(&Endpoints::production())
            .calling_us(ScopeSet::parse("interviews_read").expect("valid"))
            .with_reconciliation(reconciliation);
        if probes {
            let probe = Probe::new("/configuration/company", "/id").expect("valid");
            settings = settings.with_verification(Verification::Probe(probe));
        }
        Self {
            delayed: Vec::new(),
            key: IntegrationKey { app, company },
            notices: Vec::new(),
            now: Timestamp::from_unix_secs(0),
            oracle: Oracle::new(reconciliation),
            running: Vec::new(),
            secrets: Vec::new(),
            settings,
            shown: None,
            simulator,
            store: PartnerModel::new(StoreIdentity(7)),
            tokens: Vec::new(),
            begun: 0,
            issued: 0,
            master: ClientCredentials::new("master", secret).expect("valid"),
        }
    }

    /// Returns the generation that a page would show now.
    pub(crate) fn generation(&self) -> u64 {
        self.store.record(&self.key).map_or(0, |it| it.generation.number())
    }

    /// Has the owner of an account consent on a page that showed this generation.
    pub(crate) fn consent(&mut self, tenant: &str, seen: u64) {
        self.begun += 1;
        let number = self.begun;
        let (session, tenant) =
            (Secret::new(format!("cookie of {tenant}")), TenantId::new(tenant).expect("valid"));
        let query =
            format!("companyId={}&redirect=https://www.smartrecruiters.com/apps", self.key.company);
        let origins = RedirectOrigins::production();
        let visit = ConsentVisit::parse(&query, ConsentDisplayMode::Redirect, &origins);
        let visit = visit.expect("a good visit");
        let (app, key, now) = (self.key.app.clone(), TicketKey::new([9; 32]), self.now);
        let seen = Generation::from_number(seen);
        let by = Visitor::new(&session, tenant.clone());
        let ticket = ConsentTicket::new(now, app.clone(), visit, by.clone(), seen, [number; 32]);
        let form = ticket.to_secret(&key);
        let consent = ConsentTicket::accept(&form, &key, now, &app, &by, &origins);
        let consent = consent.expect("a good form");
        let mut entropy = [number; 80];
        entropy.iter_mut().zip(0..).for_each(|(byte, at): (&mut u8, u8)| *byte ^= at);
        let machine = IntegrationExchange::new(now, self.settings.clone(), consent, entropy);
        self.oracle.begun(number, tenant);
        self.running.push(Running { machine, number, wants: Vec::new() });
        self.collect(self.running.len() - 1);
    }

    /// Tells whether as many exchanges were begun as a byte can count.
    pub(crate) const fn is_worn_out(&self) -> bool {
        self.begun >= 120
    }

    /// Ends a process: whatever it had in mind is gone.
    pub(crate) fn crash(&mut self, at: usize) {
        self.running.remove(at);
    }

    fn collect(&mut self, at: usize) {
        let Some(running) = self.running.get_mut(at) else { return };
        while let Some(output) = running.machine.poll_output() {
            if let Output::Event(event) = &output {
                self.oracle.told(running.number, event, self.store.record(&self.key));
            } else {
                running.wants.push(output);
            }
        }
    }

    fn show(&mut self, values: &[&dyn std::fmt::Debug]) {
        if let Some(shown) = &mut self.shown {
            values.iter().for_each(|it| shown.push_str(&format!("{it:?}\n")));
        }
    }

    /// Remembers what a message holds under the names of secrets.
    fn watch(&mut self, body: &SecretBytes) {
        if self.shown.is_none() {
            return;
        }
        let body: serde_json::Value = serde_json::from_slice(body.expose()).unwrap_or_default();
        for name in ["clientSecret", "access_token"] {
            let secret = body.get(name).and_then(serde_json::Value::as_str);
            self.secrets.extend(secret.map(|it| Secret::new(it.to_owned())));
        }
    }

    /// Feeds an exchange.
    pub(crate) fn feed(&mut self, at: usize, input: Input) {
        let now = self.now;
        self.show(&[&input]);
        if let Some(running) = self.running.get_mut(at) {
            running.machine.handle_input(now, input);
        }
        self.collect(at);
        self.look();
    }

    /// Fires the timeout of an exchange, if time has come so far.
    pub(crate) fn timeout(&mut self, at: usize) {
        self.feed(at, Input::Timeout);
    }

    /// Moves time to the next timeout of an exchange.
    pub(crate) fn wait(&mut self, at: usize) {
        let due = self.running.get(at).and_then(|it| it.machine.poll_timeout());
        if let Some(due) = due {
            self.now = self.now.max(due);
            self.timeout(at);
        }
    }

    /// Does the next thing that an exchange wants.
    pub(crate) fn carry_out(&mut self, at: usize, store: StoreFate, wire: WireFate) {
        let Some(running) = self.running.get_mut(at).filter(|it| !it.wants.is_empty()) else {
            return;
        };
        let number = running.number;
        let want = running.wants.remove(0);
        if let Some(shown) = &mut self.shown {
            shown.push_str(&format!("{want:?}\n{:?}\n", running.machine));
        }
        match want {
            Output::Event(_) => {}
            Output::Store(request) => {
                let id = request.id;
                let result = self.offer(request, store);
                self.feed(at, Input::Stored { id, result });
            }
            Output::Token(request) => {
                let result = match (&request.of, wire) {
                    (_, WireFate::Answered | WireFate::Delayed) => self.access_token(&request.of),
                    _ => Err(GrantError::Unavailable { attempts: 3, retry_at: None }),
                };
                self.feed(at, Input::Token { id: request.id, result });
            }
            Output::Transmit(transmit) => {
                let is_post = transmit.request.method() == http::Method::POST;
                let late = self.now > transmit.not_after;
                let fate = if late { WireFate::NotSent } else { wire };
                if is_post && fate != WireFate::NotSent {
                    let record = self.store.record(&self.key);
                    self.oracle.posted(self.now, number, &transmit.request, record);
                }
                let id = transmit.id;
                let input = self.send(id, transmit.request, fate);
                if is_post {
                    self.oracle.heard(number, &input);
                }
                if let Some(input) = input {
                    self.feed(at, input);
                }
            }
        }
    }

    fn send(
        &mut self,
        id: TransmitId,
        request: Request<SecretBytes>,
        fate: WireFate,
    ) -> Option<Input> {
        let failed = |failure| Some(Input::TransportFailed { failure, id, received: None });
        match fate {
            WireFate::Answered => {
                let response = self.handle(&request);
                Some(Input::Response { id, response })
            }
            WireFate::AnswerLost => {
                self.handle(&request);
                failed(TransportFailure::AfterSend)
            }
            WireFate::Delayed => {
                self.delayed.push(request);
                None
            }
            WireFate::Fault => {
                let response = Response::builder().status(503).body(SecretBytes::default());
                Some(Input::Response { id, response: response.expect("a status") })
            }
            WireFate::NotSent => failed(TransportFailure::BeforeSend),
            WireFate::Swallowed => failed(TransportFailure::AfterSend),
        }
    }

    fn handle(&mut self, request: &Request<SecretBytes>) -> Response<SecretBytes> {
        let reply = self.simulator.handle(self.now, request);
        let response = reply.into_response().expect("nothing is lost in here");
        self.watch(request.body());
        self.watch(response.body());
        response
    }

    /// Delivers a request that was on its way; its sender has long stopped to listen.
    pub(crate) fn deliver(&mut self, at: usize) {
        if at < self.delayed.len() {
            let request = self.delayed.remove(at);
            self.handle(&request);
        }
    }

    fn offer(
        &mut self,
        request: PartnerStoreRequest,
        fate: StoreFate,
    ) -> Result<PartnerAnswer<Secret>, StoreFailure> {
        match fate {
            StoreFate::Carried => Ok(self.apply(request.op)),
            StoreFate::Failed => Err(StoreFailure::NotDone),
            StoreFate::Lost => {
                self.apply(request.op);
                Err(StoreFailure::OutcomeUnknown)
            }
        }
    }

    pub(crate) fn apply(&mut self, op: PartnerOp<Secret>) -> PartnerAnswer<Secret> {
        let name = op.name();
        self.show(&[&op]);
        let answer = self.store.apply(self.now, op);
        self.show(&[&answer]);
        self.oracle.changed(self.now, name, &answer.outcome, self.store.record(&self.key));
        answer
    }

    fn look(&self) {
        let ends = self.running.iter().filter(|it| it.machine.poll_timeout().is_none());
        for running in ends {
            self.oracle.over(running.number);
        }
    }

    fn access_token(&mut self, of: &TokenOf) -> Result<AccessToken, GrantError> {
        let client = match of {
            TokenOf::Customer(client) => client.clone(),
            TokenOf::Master { .. } => self.master.clone(),
        };
        let endpoints = Endpoints::production();
        let request = token_request::client_credentials(&client, endpoints.token());
        let response = self.handle(&request);
        let answer = token_answer::classify(&response, self.now, self.now);
        let TokenAnswer::Granted(granted) = answer else { return Err(GrantError::OutcomeUnknown) };
        Ok(granted.access)
    }

    /// Has the owner look at an integration that waits, and confirm it.
    pub(crate) fn confirm(&mut self) {
        let attempt = self.store.record(&self.key).and_then(|it| it.attempt.as_ref());
        let waits = attempt.filter(|it| matches!(it.phase, Phase::Integrated { .. }));
        if let Some(attempt) = waits.map(|it| it.id) {
            let (key, verified) = (self.key.clone(), Verified::ByOwner);
            self.apply(PartnerOp::Activate { attempt, key, verified });
        }
    }

    /// Has SmartRecruiters ask us for a token, with the newest pair that it was sent.
    pub(crate) fn call_for_token(&mut self, fate: StoreFate) {
        if let Some(request) = self.simulator.partner_token_request(&self.key) {
            let response = self.token_endpoint(&request, fate);
            self.keep_token(&response);
        }
    }

    fn keep_token(&mut self, response: &Response<SecretBytes>) {
        let body: serde_json::Value =
            serde_json::from_slice(response.body().expose()).unwrap_or_default();
        let token = body.get("access_token").and_then(serde_json::Value::as_str);
        self.tokens.extend(token.map(|it| Secret::new(it.to_owned())));
    }

    fn token_endpoint(
        &mut self,
        request: &Request<SecretBytes>,
        fate: StoreFate,
    ) -> Response<SecretBytes> {
        self.issued = self.issued.wrapping_add(1);
        let mut entropy = [self.issued; 32];
        entropy[0] = self.begun;
        let issuance = TokenIssuer::default().answer(self.now, request, None, entropy);
        self.serve(issuance, fate).0
    }

    /// Answers a request to us; tells whether it was admitted.
    fn serve(
        &mut self,
        mut machine: impl Machine<Input = InboundInput, Output = InboundOutput> + std::fmt::Debug,
        fate: StoreFate,
    ) -> (Response<SecretBytes>, bool) {
        let (mut response, mut admitted) = (Response::new(SecretBytes::default()), false);
        while let Some(output) = machine.poll_output() {
            self.show(&[&output, &machine]);
            match output {
                InboundOutput::Admit(principal) => {
                    self.oracle.admitted(self.now, &principal, self.store.record(&self.key));
                    admitted = true;
                }
                InboundOutput::Event(_) => {}
                InboundOutput::Respond(it) => response = it,
                InboundOutput::Store(request) => {
                    let id = request.id;
                    let result = self.offer(request, fate);
                    machine.handle_input(self.now, InboundInput::Stored { id, result });
                }
            }
        }
        (response, admitted)
    }

    /// Has SmartRecruiters call our API with one of its tokens; tells whether it was admitted.
    pub(crate) fn call_api(&mut self, at: usize) -> bool {
        let Some(token) = self.tokens.get(at) else { return false };
        let mut request = Request::new(SecretBytes::default());
        let value = format!("Bearer {}", token.expose()).parse().expect("a header");
        request.headers_mut().insert("authorization", value);
        let admission = Admission::new(self.now, &request, None);
        self.serve(admission, StoreFate::Carried).1
    }

    /// Has the customer disable the integration: SmartRecruiters asks for a token and writes its
    /// notification, which is then on its way.
    pub(crate) fn disable(&mut self) {
        if let Some(requests) = self.simulator.disable_requests(&self.key) {
            let response = self.token_endpoint(requests.token(), StoreFate::Carried);
            self.keep_token(&response);
            self.notices.extend(requests.notification(&response));
        }
        self.simulator.disable_integration(&self.key);
    }

    /// Has the customer connect the application, on the page of SmartRecruiters.
    pub(crate) fn connect(&mut self) {
        assert!(self.simulator.consent_to(&self.key.app, &self.key.company));
    }

    /// Delivers a notification, which may come again; returns the status of the answer.
    pub(crate) fn notify(&mut self, at: usize, fate: StoreFate, again: bool) -> u16 {
        let Some(notice) = self.notices.get(at).cloned() else { return 0 };
        if !again {
            self.notices.remove(at);
        }
        let notification = Notification::receive(self.now, &notice);
        let status = self.serve(notification, fate).0.status().as_u16();
        self.oracle.notified(status, self.store.record(&self.key));
        status
    }

    /// Tells whether the credentials that are kept open the company at SmartRecruiters.
    pub(crate) fn kept_credentials_work(&mut self) -> bool {
        let op = PartnerOp::Load { key: self.key.clone() };
        let PartnerOutcome::Loaded(record) = self.apply(op).outcome else { return false };
        let Some(binding) = record.binding else { return false };
        let (id, secret) = (binding.integrated.client_id, binding.integrated.secret);
        let client = ClientCredentials::new(id.as_str(), secret).expect("they came from there");
        self.access_token(&TokenOf::Customer(client)).is_ok()
    }
}
