//! A record as columns.

use sr_auth_core::store::Generation;
use sr_auth_core::{ClientId, ScopeSet, SecretDigest, Timestamp};
use sr_partner::store::{
    Attempt, Binding, Ending, Integrated, IntegrationLedgerEntry, IntegrationRecord, Phase,
};
use sr_partner::{AttemptId, ExchangeId, IntegrationId, OutboundClient, TenantId};

use super::codes::{CAUSES, Codes, EVENTS, VERIFIED, value_of};
use crate::Sealed;
use crate::stored::record::Fields;
use crate::stored::{Nonsense, timestamp, unsigned};

/// In the order in which [`read`] reads them. The script of Redis has the same list.
#[cfg(any(feature = "postgres", test))]
pub(crate) const COLUMNS: [&str; 33] = [
    "generation",
    "attempt_generation",
    "attempt_id",
    "attempt_tenant",
    "attempt_client_id",
    "attempt_scopes",
    "attempt_secret",
    "attempt_given_id",
    "attempt_given_integration",
    "attempt_given_secret",
    "attempt_exchange",
    "attempt_begun_at",
    "attempt_used_at",
    "attempt_phase",
    "attempt_at",
    "attempt_posts",
    "attempt_quiet_until",
    "attempt_until",
    "live_generation",
    "live_id",
    "live_tenant",
    "live_client_id",
    "live_scopes",
    "live_secret",
    "live_given_id",
    "live_given_integration",
    "live_given_secret",
    "live_bound_at",
    "live_verified",
    "ended_at",
    "ended_cause",
    "ended_generation",
    "ledger",
];

/// The columns of a row, and lists in them.
pub(crate) trait PartnerFields: Fields {
    fn list(&mut self) -> Result<Vec<Vec<u8>>, Nonsense>;
    fn numbers(&mut self) -> Result<Vec<Option<i64>>, Nonsense>;
}

/// Reads a record.
pub(crate) fn read(from: &mut impl PartnerFields) -> Result<IntegrationRecord<Sealed>, Nonsense> {
    let generation = generation(from)?.ok_or(Nonsense)?;
    let attempt = attempt(from)?;
    let binding = binding(from)?;
    let ended = (moment(from)?, coded(from, &CAUSES)?, self::generation(from)?);
    let ended = match ended {
        (Some(at), Some(cause), Some(generation)) => Some(Ending { at, cause, generation }),
        (None, None, None) => None,
        (_, _, _) => return Err(Nonsense),
    };
    let ledger = from.list()?.iter().map(|it| entry(it)).collect::<Result<_, _>>()?;
    Ok(IntegrationRecord { attempt, binding, ended, generation, ledger })
}

fn attempt(from: &mut impl PartnerFields) -> Result<Option<Attempt<Sealed>>, Nonsense> {
    let party = party(from)?;
    let exchange = fixed(from)?.map(ExchangeId::from_bytes);
    let (begun_at, used_at) = (moment(from)?, moment(from)?);
    let (phase, at) = (from.bytes()?, moment(from)?);
    let (posts, quiet_until, until) = (from.number()?, moment(from)?, moment(from)?);
    let Some(Party { generation, id, tenant, outbound, integrated }) = party else {
        return Ok(None);
    };
    let until = until.ok_or(Nonsense)?;
    let phase = match (phase.as_deref(), at, posts, quiet_until, integrated) {
        (Some(b"integrated"), Some(at), None, None, Some(integrated)) => {
            Phase::Integrated { at, integrated, until }
        }
        (Some(b"posting"), Some(armed_at), Some(posts), Some(quiet_until), None) => {
            let posts = u32::try_from(posts).map_err(|_| Nonsense)?;
            Phase::Posting { armed_at, posts, quiet_until, until }
        }
        (Some(b"prepared"), None, None, None, None) => Phase::Prepared { until },
        (_, _, _, _, _) => return Err(Nonsense),
    };
    Ok(Some(Attempt {
        begun_at: begun_at.ok_or(Nonsense)?,
        exchange: exchange.ok_or(Nonsense)?,
        generation,
        id,
        outbound,
        phase,
        tenant,
        used_at,
    }))
}

fn binding(from: &mut impl PartnerFields) -> Result<Option<Binding<Sealed>>, Nonsense> {
    let party = party(from)?;
    let (bound_at, verified) = (moment(from)?, coded(from, &VERIFIED)?);
    let Some(Party { generation, id, tenant, outbound, integrated }) = party else {
        return Ok(None);
    };
    Ok(Some(Binding {
        attempt: id,
        bound_at: bound_at.ok_or(Nonsense)?,
        generation,
        integrated: integrated.ok_or(Nonsense)?,
        outbound,
        tenant,
        verified: verified.ok_or(Nonsense)?,
    }))
}

/// What attempts and integrations have in common.
struct Party {
    generation: Generation,
    id: AttemptId,
    integrated: Option<Integrated<Sealed>>,
    outbound: Option<OutboundClient>,
    tenant: TenantId,
}

fn party(from: &mut impl PartnerFields) -> Result<Option<Party>, Nonsense> {
    let (generation, id) = (generation(from)?, fixed(from)?.map(AttemptId::from_bytes));
    let tenant = from.bytes()?;
    let outbound = client(from)?;
    let integrated = integrated(from)?;
    match (generation, id, tenant) {
        (Some(generation), Some(id), Some(bytes)) => {
            let tenant = tenant_of(&bytes)?;
            Ok(Some(Party { generation, id, integrated, outbound, tenant }))
        }
        (None, None, None) if outbound.is_none() && integrated.is_none() => Ok(None),
        (_, _, _) => Err(Nonsense),
    }
}

fn client(from: &mut impl PartnerFields) -> Result<Option<OutboundClient>, Nonsense> {
    let (id, scopes, secret) = (from.bytes()?, from.bytes()?, fixed(from)?);
    match (id, scopes, secret) {
        (Some(id), scopes, Some(secret)) => Ok(Some(OutboundClient {
            id: client_id(&id)?,
            // Who may do nothing has an empty list, which some servers do not tell from none.
            scopes: scopes_of(&scopes.unwrap_or_default())?,
            secret: SecretDigest::from_bytes(secret),
        })),
        (None, None, None) => Ok(None),
        (_, _, _) => Err(Nonsense),
    }
}

fn integrated(from: &mut impl PartnerFields) -> Result<Option<Integrated<Sealed>>, Nonsense> {
    match (from.bytes()?, from.bytes()?, from.bytes()?) {
        (Some(id), integration, Some(secret)) => {
            let integration = integration.map(|it| {
                let id = str::from_utf8(&it).map_err(|_| Nonsense)?;
                IntegrationId::new(id).map_err(|_| Nonsense)
            });
            Ok(Some(Integrated {
                client_id: client_id(&id)?,
                integration: integration.transpose()?,
                secret: Sealed::from_bytes(secret),
            }))
        }
        (None, None, None) => Ok(None),
        (_, _, _) => Err(Nonsense),
    }
}

/// An entry: an event, a moment and a generation of eight bytes each, and the tenant.
fn entry(bytes: &[u8]) -> Result<IntegrationLedgerEntry, Nonsense> {
    let (&[event], rest) = bytes.split_first_chunk().ok_or(Nonsense)?;
    let (&at, rest) = rest.split_first_chunk().ok_or(Nonsense)?;
    let (&generation, tenant) = rest.split_first_chunk().ok_or(Nonsense)?;
    Ok(IntegrationLedgerEntry {
        at: timestamp(i64::from_be_bytes(at))?,
        event: value_of(&EVENTS, event)?,
        generation: Generation::from_number(unsigned(i64::from_be_bytes(generation))?),
        tenant: tenant_of(tenant)?,
    })
}

pub(crate) fn moment(from: &mut impl Fields) -> Result<Option<Timestamp>, Nonsense> {
    from.number()?.map(timestamp).transpose()
}

pub(crate) fn generation(from: &mut impl Fields) -> Result<Option<Generation>, Nonsense> {
    let number = from.number()?.map(unsigned).transpose()?;
    Ok(number.map(Generation::from_number))
}

pub(crate) fn fixed<const N: usize>(from: &mut impl Fields) -> Result<Option<[u8; N]>, Nonsense> {
    from.bytes()?.map(|it| it.try_into().map_err(|_| Nonsense)).transpose()
}

pub(crate) fn scopes_of(bytes: &[u8]) -> Result<ScopeSet, Nonsense> {
    let text = str::from_utf8(bytes).map_err(|_| Nonsense)?;
    ScopeSet::parse(text).map_err(|_| Nonsense)
}

pub(crate) fn tenant_of(bytes: &[u8]) -> Result<TenantId, Nonsense> {
    let text = str::from_utf8(bytes).map_err(|_| Nonsense)?;
    TenantId::new(text).map_err(|_| Nonsense)
}

fn client_id(bytes: &[u8]) -> Result<ClientId, Nonsense> {
    let text = str::from_utf8(bytes).map_err(|_| Nonsense)?;
    ClientId::new(text).map_err(|_| Nonsense)
}

fn coded<T: Copy, const N: usize>(
    from: &mut impl Fields,
    codes: &Codes<T, N>,
) -> Result<Option<T>, Nonsense> {
    let code = from.number()?.map(|it| u8::try_from(it).map_err(|_| Nonsense)).transpose()?;
    code.map(|code| value_of(codes, code)).transpose()
}
