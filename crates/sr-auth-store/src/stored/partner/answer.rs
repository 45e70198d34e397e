//! What a server returned: an outcome, the moment, and what belongs to it.

use sr_auth_core::SecretDigest;
use sr_auth_core::store::{Generation, Sequence, StoreIdentity};
use sr_partner::store::{
    DisableEffect, IntegrationChange, IntegrationRecord, KnownClient, PartnerAnswer, PartnerNews,
    PartnerOp, PartnerOutcome, Principal,
};
use sr_partner::{AppId, CompanyId, IntegrationKey};

use super::record::{
    PartnerFields, fixed, generation, moment, read as record, scopes_of, tenant_of,
};
use crate::Sealed;
use crate::stored::{Nonsense, unsigned};

/// Reads the answer to an operation.
pub(crate) fn read(
    op: &PartnerOp<Sealed>,
    from: &mut impl PartnerFields,
) -> Result<PartnerAnswer<Sealed>, Nonsense> {
    let outcome = from.text()?;
    let now = moment(from)?.ok_or(Nonsense)?;
    let outcome = match (op, outcome.as_str()) {
        (PartnerOp::CountRefusal { .. }, "Counted") => PartnerOutcome::Counted,
        (PartnerOp::Disable { .. } | PartnerOp::Identify { .. }, "Foreign") => {
            PartnerOutcome::Foreign
        }
        (PartnerOp::Disable { .. }, effect) => {
            let effect = effect_of(effect)?;
            PartnerOutcome::Disabled { effect, principal: principal(from, false)? }
        }
        (PartnerOp::EndAll { .. }, "AllEnded") => {
            let count = from.number()?.ok_or(Nonsense)?;
            PartnerOutcome::AllEnded { count: usize::try_from(count).map_err(|_| Nonsense)? }
        }
        (PartnerOp::FindClient { .. }, outcome) => client(outcome, from)?,
        (PartnerOp::Identify { .. }, "Current") => {
            PartnerOutcome::Identified(principal(from, true)?)
        }
        (PartnerOp::Identify { .. }, "Past") => PartnerOutcome::Identified(principal(from, false)?),
        (PartnerOp::Issue { .. }, "Issued") => {
            PartnerOutcome::Issued { expires_at: moment(from)?.ok_or(Nonsense)? }
        }
        (PartnerOp::Issue { .. }, "Missing") => PartnerOutcome::Missing,
        (PartnerOp::Pulse { .. }, "News") => PartnerOutcome::News(news(from)?),
        (PartnerOp::Unsettled { .. }, "Keys") => PartnerOutcome::Keys(keys(from)?),
        (
            PartnerOp::Activate { .. }
            | PartnerOp::Arm { .. }
            | PartnerOp::Begin { .. }
            | PartnerOp::Commit { .. }
            | PartnerOp::End { .. }
            | PartnerOp::Load { .. }
            | PartnerOp::Void { .. },
            outcome,
        ) => of_company(outcome, from)?,
        (
            PartnerOp::CountRefusal { .. }
            | PartnerOp::EndAll { .. }
            | PartnerOp::Identify { .. }
            | PartnerOp::Issue { .. }
            | PartnerOp::Pulse { .. }
            | PartnerOp::Unsettled { .. },
            _,
        ) => return Err(Nonsense),
    };
    Ok(PartnerAnswer { now, outcome })
}

fn of_company(
    outcome: &str,
    from: &mut impl PartnerFields,
) -> Result<PartnerOutcome<Sealed>, Nonsense> {
    let until = moment(from)?;
    if outcome == "Missing" {
        return Ok(PartnerOutcome::Missing);
    }
    let record = record(from)?;
    let shown = IntegrationRecord::without_secrets;
    Ok(match outcome {
        "BoundElsewhere" => PartnerOutcome::BoundElsewhere(shown(&record)),
        "Busy" => PartnerOutcome::Busy { record: shown(&record), until: until.ok_or(Nonsense)? },
        "Done" => PartnerOutcome::Done(shown(&record)),
        "Loaded" => PartnerOutcome::Loaded(record),
        "Moved" => PartnerOutcome::Moved(shown(&record)),
        "Superseded" => PartnerOutcome::Superseded(shown(&record)),
        "Taken" => PartnerOutcome::Taken(shown(&record)),
        _ => return Err(Nonsense),
    })
}

fn effect_of(outcome: &str) -> Result<DisableEffect, Nonsense> {
    match outcome {
        "AlreadyEnded" => Ok(DisableEffect::AlreadyEnded),
        "Ended" => Ok(DisableEffect::Ended),
        "Stale" => Ok(DisableEffect::Stale),
        _ => Err(Nonsense),
    }
}

fn principal(from: &mut impl PartnerFields, current: bool) -> Result<Principal, Nonsense> {
    let key = key(&from.text()?, &from.text()?)?;
    let generation = generation(from)?.ok_or(Nonsense)?;
    let expires_at = moment(from)?.ok_or(Nonsense)?;
    let scopes = scopes_of(&from.bytes()?.unwrap_or_default())?;
    let tenant = tenant_of(&from.bytes()?.ok_or(Nonsense)?)?;
    Ok(Principal { current, expires_at, generation, key, scopes, tenant })
}

fn client(
    outcome: &str,
    from: &mut impl PartnerFields,
) -> Result<PartnerOutcome<Sealed>, Nonsense> {
    let until = moment(from)?;
    match outcome {
        "Client" => {
            let key = key(&from.text()?, &from.text()?)?;
            let generation = generation(from)?.ok_or(Nonsense)?;
            let scopes = scopes_of(&from.bytes()?.unwrap_or_default())?;
            let secret = SecretDigest::from_bytes(fixed(from)?.ok_or(Nonsense)?);
            Ok(PartnerOutcome::Client(Some(KnownClient { generation, key, scopes, secret })))
        }
        "Missing" => Ok(PartnerOutcome::Client(None)),
        "Throttled" => Ok(PartnerOutcome::Throttled { until: until.ok_or(Nonsense)? }),
        _ => Err(Nonsense),
    }
}

/// Changes have numbers without gaps, so that of the newest tells them all.
fn news(from: &mut impl PartnerFields) -> Result<PartnerNews, Nonsense> {
    let newest = unsigned(from.number()?.ok_or(Nonsense)?)?;
    let identity = fixed(from)?.ok_or(Nonsense)?;
    let keys = keys(from)?;
    let lives = from.numbers()?;
    let count = u64::try_from(keys.len()).map_err(|_| Nonsense)?;
    let before = newest.checked_sub(count).ok_or(Nonsense)?;
    if lives.len() != keys.len() {
        return Err(Nonsense);
    }
    let changes = (1..).zip(keys.into_iter().zip(lives)).map(|(number, (key, live))| {
        let live = live.map(unsigned).transpose()?.map(Generation::from_number);
        Ok(IntegrationChange { key, live, sequence: Sequence(before + number) })
    });
    Ok(PartnerNews {
        changes: changes.collect::<Result<_, _>>()?,
        sequence: Sequence(newest),
        store: StoreIdentity(u128::from_be_bytes(identity)),
    })
}

fn keys(from: &mut impl PartnerFields) -> Result<Vec<IntegrationKey>, Nonsense> {
    let (apps, companies) = (from.list()?, from.list()?);
    if apps.len() != companies.len() {
        return Err(Nonsense);
    }
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| Nonsense);
    let pairs = apps.into_iter().zip(companies);
    pairs.map(|(app, company)| key(&text(app)?, &text(company)?)).collect()
}

fn key(app: &str, company: &str) -> Result<IntegrationKey, Nonsense> {
    Ok(IntegrationKey {
        app: AppId::new(app).map_err(|_| Nonsense)?,
        company: CompanyId::new(company).map_err(|_| Nonsense)?,
    })
}
