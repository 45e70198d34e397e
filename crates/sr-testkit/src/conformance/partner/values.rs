//! Made-up companies, consents, clients and tokens.

use std::time::Duration;

use sr_auth_core::store::{Generation, Sequence};
use sr_auth_core::{ClientId, ScopeSet, SecretDigest};
use sr_auth_store::Sealed;
use sr_partner::store::{
    AttemptLimits, EndCause, Integrated, NewAttempt, PartnerOp, SourceKey, Verified,
};
use sr_partner::{
    AppId, AttemptId, ClientKey, CompanyId, ExchangeId, IntegrationId, IntegrationKey,
    OutboundClient, OutboundCredentials, TenantId,
};

use crate::conformance::values::{Draw, LONG};

type Op = PartnerOp<Sealed>;

pub(super) fn key(app: &str, company: &str) -> IntegrationKey {
    let (app, company) = (AppId::new(app), CompanyId::new(company));
    let why = "the names of the suite are valid";
    IntegrationKey { app: app.expect(why), company: company.expect(why) }
}

pub(super) fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("the names of the suite are valid")
}

pub(super) fn consent(number: u64) -> AttemptId {
    AttemptId::from_bytes(drawn(number, 1))
}

pub(super) fn run(number: u64) -> ExchangeId {
    ExchangeId::from_bytes(drawn(number, 2))
}

fn drawn<const N: usize>(number: u64, salt: u64) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&Draw::new(number.wrapping_mul(977) ^ (salt << 56)).bytes(N));
    bytes
}

/// A company's own number, so that no two have the same client.
fn number_of(key: &IntegrationKey) -> u64 {
    key.to_string().bytes().fold(7, |sum, byte| sum.wrapping_mul(31) ^ u64::from(byte))
}

/// The client that a consent of a company brings.
pub(super) fn client(key: &IntegrationKey, consent: u64) -> OutboundClient {
    let entropy = drawn(number_of(key) ^ consent, 3);
    let scopes = ScopeSet::parse("candidates_read jobs_read").expect("the scopes are valid");
    OutboundCredentials::generate(entropy, scopes).to_client()
}

pub(super) fn client_key(key: &IntegrationKey, consent: u64) -> ClientKey {
    client(key, consent).key()
}

/// The token of a client by that name.
pub(super) fn token(key: &IntegrationKey, consent: u64, name: u64) -> SecretDigest {
    SecretDigest::from_bytes(drawn(number_of(key) ^ consent ^ (name << 32), 4))
}

/// What SmartRecruiters answered: its name decides the client id, its copy the sealed bytes alone.
pub(super) fn integrated(name: u64, copy: u64) -> Integrated<Sealed> {
    let bytes = Draw::new(name.wrapping_mul(31).wrapping_add(copy)).bytes(90);
    let why = "the names of the suite are valid";
    let integration = IntegrationId::new(&format!("integration-{name}")).expect(why);
    Integrated {
        client_id: ClientId::new(&format!("company-client-{name}")).expect(why),
        integration: (!name.is_multiple_of(3)).then_some(integration),
        secret: Sealed::from_bytes(bytes),
    }
}

/// A consent to join a company with "acme", given by somebody who saw this generation.
pub(super) fn new_attempt(key: &IntegrationKey, number: u64, seen: u64) -> NewAttempt {
    NewAttempt {
        exchange: run(number),
        id: consent(number),
        outbound: Some(client(key, number)),
        prepared_for: LONG,
        rebind: None,
        seen: Generation::from_number(seen),
        tenant: tenant("acme"),
    }
}

pub(super) fn begin(key: &IntegrationKey, number: u64, seen: u64) -> Op {
    begin_with(key, new_attempt(key, number, seen))
}

pub(super) fn begin_with(key: &IntegrationKey, attempt: NewAttempt) -> Op {
    PartnerOp::Begin { attempt, key: key.clone() }
}

/// Announces the request of that number.
pub(super) fn arm(key: &IntegrationKey, number: u64, post: u32) -> Op {
    arm_for(key, number, post, LONG, LONG)
}

pub(super) fn arm_for(
    key: &IntegrationKey,
    number: u64,
    post: u32,
    quiet: Duration,
    provisional: Duration,
) -> Op {
    let (attempt, exchange) = (consent(number), run(number));
    PartnerOp::Arm { attempt, exchange, key: key.clone(), post, provisional, quiet }
}

pub(super) fn commit(key: &IntegrationKey, number: u64, generation: u64) -> Op {
    commit_with(key, number, generation, integrated(number, 0))
}

pub(super) fn commit_with(
    key: &IntegrationKey,
    number: u64,
    generation: u64,
    integrated: Integrated<Sealed>,
) -> Op {
    let generation = Generation::from_number(generation);
    let (attempt, confirm_within) = (consent(number), LONG);
    PartnerOp::Commit { attempt, confirm_within, generation, integrated, key: key.clone() }
}

pub(super) fn activate(key: &IntegrationKey, number: u64) -> Op {
    let (attempt, verified) = (consent(number), Verified::ByProbe);
    PartnerOp::Activate { attempt, key: key.clone(), verified }
}

pub(super) fn void(key: &IntegrationKey, number: u64) -> Op {
    PartnerOp::Void { attempt: consent(number), key: key.clone() }
}

pub(super) fn end(key: &IntegrationKey, cause: EndCause, generation: Option<u64>) -> Op {
    let generation = generation.map(Generation::from_number);
    PartnerOp::End { cause, generation, key: key.clone() }
}

pub(super) fn issue(key: &IntegrationKey, number: u64, generation: u64, name: u64) -> Op {
    issue_for(key, number, generation, name, LONG)
}

pub(super) fn issue_for(
    key: &IntegrationKey,
    number: u64,
    generation: u64,
    name: u64,
    life: Duration,
) -> Op {
    let (client, token) = (client_key(key, number), token(key, number, name));
    PartnerOp::Issue { client, generation: Generation::from_number(generation), life, token }
}

pub(super) fn identify(key: &IntegrationKey, number: u64, name: u64) -> Op {
    PartnerOp::Identify { token: token(key, number, name) }
}

pub(super) fn disable(key: &IntegrationKey, number: u64, name: u64) -> Op {
    PartnerOp::Disable { token: token(key, number, name) }
}

pub(super) fn load(key: &IntegrationKey) -> Op {
    PartnerOp::Load { key: key.clone() }
}

pub(super) const fn pulse(since: u64) -> Op {
    PartnerOp::Pulse { since: Sequence(since) }
}

pub(super) fn find(client: ClientKey, source: Option<u64>, limits: AttemptLimits) -> Op {
    PartnerOp::FindClient { client, limits, source: source.map(self::source) }
}

pub(super) fn refuse(client: ClientKey, source: Option<u64>, limits: AttemptLimits) -> Op {
    PartnerOp::CountRefusal { client, limits, source: source.map(self::source) }
}

fn source(number: u64) -> SourceKey {
    SourceKey::of(&format!("192.0.2.{number}"))
}

/// A client that nobody has made.
pub(super) fn stranger(number: u64) -> ClientKey {
    ClientKey::from_bytes(drawn(number, 5))
}

pub(super) fn limits(per_client: u32, per_source: u32, window: Duration) -> AttemptLimits {
    AttemptLimits::new(per_client, per_source, window).expect("the limits of the suite are valid")
}

/// What makes an integration live at `generation`, from nothing or from one of the same tenant.
pub(super) fn connecting(key: &IntegrationKey, number: u64, generation: u64) -> Vec<Op> {
    vec![
        begin(key, number, generation - 1),
        arm(key, number, 1),
        commit(key, number, generation),
        activate(key, number),
    ]
}

/// The same operation with the same secret, sealed once more: other bytes.
pub(super) fn sealed_again(op: Op) -> Op {
    let PartnerOp::Commit { attempt, confirm_within, generation, integrated, key } = op else {
        return op;
    };
    let bytes = integrated.secret.as_bytes().iter().rev().map(|byte| !byte);
    let secret = Sealed::from_bytes(bytes.collect::<Vec<_>>());
    let integrated = Integrated { secret, ..integrated };
    PartnerOp::Commit { attempt, confirm_within, generation, integrated, key }
}
