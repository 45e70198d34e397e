//! Integrations on servers: one of each operation, and a company that is connected.

use std::time::Duration;

use sr_auth_core::store::{Generation, Sequence};
use sr_auth_core::{ClientId, ScopeSet, SecretDigest};
use sr_auth_store::Sealed;
use sr_partner::store::{
    AttemptLimits, EndCause, Integrated, NewAttempt, PartnerOp, SourceKey, Verified,
};
use sr_partner::{
    AppId, AttemptId, CompanyId, ExchangeId, IntegrationId, IntegrationKey, OutboundClient,
    TenantId,
};

const ATTEMPT: AttemptId = AttemptId::from_bytes([1; 16]);
const EXCHANGE: ExchangeId = ExchangeId::from_bytes([2; 16]);
const HOUR: Duration = Duration::from_secs(3_600);
const TOKEN: SecretDigest = SecretDigest::from_bytes([3; 32]);

pub(crate) fn key(company: &str) -> IntegrationKey {
    let company = CompanyId::new(company).unwrap();
    IntegrationKey { app: AppId::new("planner").unwrap(), company }
}

fn client(key: &IntegrationKey) -> OutboundClient {
    OutboundClient {
        id: ClientId::new(&format!("srp1-{}", key.company)).unwrap(),
        // A client that may do nothing is one, too.
        scopes: ScopeSet::default(),
        secret: SecretDigest::from_bytes([4; 32]),
    }
}

pub(crate) fn begin(key: &IntegrationKey) -> PartnerOp<Sealed> {
    let attempt = NewAttempt {
        exchange: EXCHANGE,
        id: ATTEMPT,
        outbound: Some(client(key)),
        prepared_for: HOUR,
        rebind: None,
        seen: Generation::default(),
        tenant: TenantId::new("acme").unwrap(),
    };
    PartnerOp::Begin { attempt, key: key.clone() }
}

pub(crate) fn commit(key: &IntegrationKey) -> PartnerOp<Sealed> {
    PartnerOp::Commit {
        attempt: ATTEMPT,
        confirm_within: HOUR,
        generation: Generation::from_number(1),
        integrated: Integrated {
            client_id: ClientId::new("their-client").unwrap(),
            integration: Some(IntegrationId::new("77").unwrap()),
            secret: Sealed::from_bytes(vec![5; 100]),
        },
        key: key.clone(),
    }
}

pub(crate) fn load(key: &IntegrationKey) -> PartnerOp<Sealed> {
    PartnerOp::Load { key: key.clone() }
}

/// What makes an integration of a company, from nothing.
pub(crate) fn connect(key: &IntegrationKey) -> [PartnerOp<Sealed>; 4] {
    let arm = PartnerOp::Arm {
        attempt: ATTEMPT,
        exchange: EXCHANGE,
        key: key.clone(),
        post: 1,
        provisional: HOUR,
        quiet: HOUR,
    };
    let activate =
        PartnerOp::Activate { attempt: ATTEMPT, key: key.clone(), verified: Verified::ByProbe };
    [begin(key), arm, commit(key), activate]
}

pub(crate) fn end_all() -> PartnerOp<Sealed> {
    PartnerOp::EndAll { cause: EndCause::Revoked }
}

/// One of each, in an order in which each does what it is for.
pub(crate) fn one_of_each() -> Vec<(PartnerOp<Sealed>, &'static str)> {
    let (key, limits) = (key("acme"), AttemptLimits::default());
    let (name, source) = (client(&key).key(), Some(SourceKey::of("192.0.2.1")));
    let issue = PartnerOp::Issue {
        client: name,
        generation: Generation::from_number(1),
        life: HOUR,
        token: TOKEN,
    };
    let [begin, arm, commit, activate] = connect(&key);
    let end = PartnerOp::End { cause: EndCause::Refused, generation: None, key: key.clone() };
    vec![
        (load(&key), "Missing"),
        (begin.clone(), "Done"),
        (PartnerOp::Unsettled { limit: 10 }, "Keys"),
        (arm, "Done"),
        (commit, "Done"),
        (activate, "Done"),
        (begin, "Taken"),
        (PartnerOp::FindClient { client: name, limits, source }, "Client"),
        (PartnerOp::CountRefusal { client: name, limits, source }, "Counted"),
        (issue, "Issued"),
        (PartnerOp::Identify { token: TOKEN }, "Identified"),
        (PartnerOp::Pulse { since: Sequence(0) }, "News"),
        (PartnerOp::Pulse { since: Sequence(4) }, "News"),
        (PartnerOp::Disable { token: TOKEN }, "Disabled"),
        (PartnerOp::Void { attempt: ATTEMPT, key: key.clone() }, "Done"),
        (load(&key), "Loaded"),
        (end, "Done"),
        (end_all(), "AllEnded"),
    ]
}
