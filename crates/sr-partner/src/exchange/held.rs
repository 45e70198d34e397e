//! What an exchange holds beside its state: settings, secrets, and the queue.

use std::collections::VecDeque;

use http::{Method, Request, Response, StatusCode};
use sr_auth_core::lifecycle::StoreOpId;
use sr_auth_core::store::Generation;
use sr_auth_core::{
    AccessToken, ClientCredentials, Secret, SecretBytes, ServerText, Timestamp, Transmit,
    TransmitId,
};
use zeroize::Zeroizing;

use super::message::{Output, TokenOf, TokenRequest, TokenRequestId};
use super::settings::{ExchangeSettings, Probed, Verification};
use super::store_step::{Step, Storing};
use super::{ExchangeEvent, Unverified};
use crate::consent::Consent;
use crate::inbound::PartnerStoreRequest;
use crate::store::{Integrated, NewAttempt, PartnerOp, Verified};
use crate::wire::integrations;
use crate::{ExchangeId, OutboundCredentials};

#[derive(Debug)]
pub(super) struct Held {
    /// When the request was announced, or will be: counted from the asking.
    pub(super) armed_at: Timestamp,
    asked: u32,
    consent: Consent,
    pub(super) customer: Option<AccessToken>,
    /// Whether a request may have been carried out without an answer.
    pub(super) doubted: bool,
    exchange: ExchangeId,
    pub(super) generation: Generation,
    pub(super) integrated: Option<Integrated<Secret>>,
    pub(super) master: Option<AccessToken>,
    pub(super) message: Option<ServerText>,
    outbound: Option<OutboundCredentials>,
    pub(super) outputs: VecDeque<Output>,
    pub(super) posts: u32,
    pub(super) renewed: bool,
    pub(super) reposted: bool,
    sent: Option<TransmitId>,
    pub(super) settings: ExchangeSettings,
    told_of_doubt: bool,
}

impl Held {
    pub(super) fn new(settings: ExchangeSettings, consent: Consent, entropy: [u8; 80]) -> Self {
        let entropy = Zeroizing::new(entropy);
        let (mut pair, mut run) = (Zeroizing::new([0; 64]), [0; 16]);
        let (first, last) = entropy.split_at(64);
        pair.copy_from_slice(first);
        run.copy_from_slice(last);
        let scopes = settings.outbound.clone();
        let outbound = scopes.map(|scopes| OutboundCredentials::generate(*pair, scopes));
        Self {
            armed_at: Timestamp::EPOCH,
            asked: 0,
            consent,
            customer: None,
            doubted: false,
            exchange: ExchangeId::from_bytes(run),
            generation: Generation::default(),
            integrated: None,
            master: None,
            message: None,
            outbound,
            outputs: VecDeque::new(),
            posts: 0,
            renewed: false,
            reposted: false,
            sent: None,
            settings,
            told_of_doubt: false,
        }
    }

    pub(super) fn tell(&mut self, event: ExchangeEvent) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn doubt(&mut self) {
        self.doubted = true;
        if !self.told_of_doubt {
            self.told_of_doubt = true;
            self.tell(ExchangeEvent::Unsettled);
        }
    }

    /// The request in doubt was answered after all; one before it may still be.
    pub(super) const fn answered_late(&mut self) {
        self.doubted = self.reposted;
    }

    /// Offers an operation to the store.
    pub(super) fn store(&mut self, now: Timestamp, step: Step, tries: u32) -> Storing {
        let id = StoreOpId(self.ask());
        let op = self.operation(now, step);
        let answer_within = self.settings.spans.store;
        self.outputs.push_back(Output::Store(PartnerStoreRequest { answer_within, id, op }));
        Storing::offered(step, tries, id, now.after(answer_within))
    }

    /// Offers an operation again after a pause; `None` when it is given up.
    pub(super) fn offer_later(&self, now: Timestamp, storing: Storing) -> Option<Storing> {
        let spans = self.settings.spans;
        if storing.tries >= spans.store_tries && !storing.step.is_kept_up() {
            return None;
        }
        let doublings = storing.tries.saturating_sub(1).min(5);
        let pause = spans.pause.saturating_mul(1 << doublings);
        Some(storing.again(now.after(pause)))
    }

    fn operation(&mut self, now: Timestamp, step: Step) -> PartnerOp<Secret> {
        let spans = self.settings.spans;
        let (attempt, key) = (self.consent.attempt(), self.consent.key().clone());
        match (step, self.integrated.clone()) {
            (Step::Activate(verified), _) => PartnerOp::Activate { attempt, key, verified },
            (Step::Arm, _) => {
                self.armed_at = now;
                PartnerOp::Arm {
                    attempt,
                    exchange: self.exchange,
                    key,
                    post: self.posts.saturating_add(1),
                    provisional: spans.provisional,
                    quiet: spans.quiet,
                }
            }
            (Step::Begin, _) => {
                let attempt = NewAttempt {
                    exchange: self.exchange,
                    id: attempt,
                    outbound: self.outbound.as_ref().map(OutboundCredentials::to_client),
                    prepared_for: spans.prepared,
                    rebind: self.consent.rebind.clone(),
                    seen: self.consent.seen,
                    tenant: self.consent.tenant().clone(),
                };
                PartnerOp::Begin { attempt, key }
            }
            (Step::Commit, Some(integrated)) => {
                let (confirm_within, generation) = (spans.confirm, self.generation);
                PartnerOp::Commit { attempt, confirm_within, generation, integrated, key }
            }
            // Without credentials there is nothing to keep.
            (Step::Commit, None) | (Step::Void(_), _) => PartnerOp::Void { attempt, key },
        }
    }

    pub(super) fn ask_for_master_token(&mut self) -> TokenRequestId {
        let renew = self.renewed && self.master.take().is_some();
        self.ask_for(TokenOf::Master { renew })
    }

    pub(super) fn ask_for_customer_token(&mut self) -> TokenRequestId {
        let client = self.integrated.as_ref().map(|it| {
            ClientCredentials::new(it.client_id.as_str(), it.secret.clone())
                .expect("the answer was only taken with good credentials")
        });
        match client {
            Some(client) => self.ask_for(TokenOf::Customer(client)),
            None => TokenRequestId(self.ask()),
        }
    }

    fn ask_for(&mut self, of: TokenOf) -> TokenRequestId {
        let id = TokenRequestId(self.ask());
        let answer_within = self.settings.spans.token_within;
        self.outputs.push_back(Output::Token(TokenRequest { answer_within, id, of }));
        id
    }

    /// Sends the request; `None` when it may not be written any more, or nobody may send it.
    pub(super) fn post(&mut self, now: Timestamp, not_after: Timestamp) -> Option<TransmitId> {
        self.posts = self.posts.saturating_add(1);
        let master = self.master.as_ref().filter(|_| now <= not_after)?;
        let (api, profile) = (&self.settings.api, self.settings.profile);
        let (key, outbound) = (self.consent.key(), self.outbound.as_ref());
        let request = integrations::request(profile, api, key, outbound, master);
        Some(self.transmit(request, not_after, self.settings.spans.answer))
    }

    /// Makes the call that names the company.
    pub(super) fn probe(&mut self, not_after: Timestamp) -> Option<TransmitId> {
        let Verification::Probe(probe) = &self.settings.verification else { return None };
        let token = self.customer.as_ref()?;
        let url = self.settings.api.url(&probe.path).ok()?;
        let mut request = Request::new(SecretBytes::default());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = url.parse().ok()?;
        token.authorization().apply_to(request.headers_mut());
        Some(self.transmit(request, not_after, self.settings.spans.probe))
    }

    fn transmit(
        &mut self,
        request: Request<SecretBytes>,
        not_after: Timestamp,
        answer_within: std::time::Duration,
    ) -> TransmitId {
        let id = self.sent.map_or(TransmitId::FIRST, TransmitId::next);
        self.sent = Some(id);
        self.outputs.push_back(Output::Transmit(Transmit {
            id,
            request,
            not_after,
            answer_within,
        }));
        id
    }

    pub(super) fn read_probe(&self, response: &Response<SecretBytes>) -> Probed {
        let Verification::Probe(probe) = &self.settings.verification else {
            return Probed::Unreadable;
        };
        match response.status() {
            status if status.is_success() => {}
            StatusCode::TOO_MANY_REQUESTS => return Probed::Later,
            status if status.is_server_error() => return Probed::Later,
            _ => return Probed::Refused,
        }
        let body: Option<serde_json::Value> = serde_json::from_slice(response.body().expose()).ok();
        let named = body.as_ref().and_then(|it| it.pointer(&probe.pointer));
        let number = named.and_then(serde_json::Value::as_u64).map(|it| it.to_string());
        let named = named.and_then(serde_json::Value::as_str).map(str::to_owned).or(number);
        match named {
            Some(named) if named == self.consent.key().company.as_str() => Probed::Company,
            Some(_) => Probed::OtherCompany,
            None => Probed::Unreadable,
        }
    }

    pub(super) fn bound(&self, verified: Verified) -> ExchangeEvent {
        ExchangeEvent::Bound {
            back: self.consent.back.clone(),
            generation: self.generation,
            integration: self.integrated.as_ref().and_then(|it| it.integration.clone()),
            key: self.consent.key().clone(),
            verified,
        }
    }

    pub(super) fn awaits_owner(&self, why: Unverified) -> ExchangeEvent {
        ExchangeEvent::AwaitsOwner {
            back: self.consent.back.clone(),
            generation: self.generation,
            key: self.consent.key().clone(),
            why,
        }
    }

    pub(super) fn forget_secrets(&mut self) {
        (self.customer, self.master) = (None, None);
        (self.integrated, self.outbound) = (None, None);
    }

    const fn ask(&mut self) -> u32 {
        self.asked = self.asked.saturating_add(1);
        self.asked
    }
}
