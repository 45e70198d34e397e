//! The client secrets of companies: sealed on their way in, opened on their way out.
//!
//! A secret is bound to application, company and generation, which spell the key of the grant that
//! it will be used for, and to the consent that it came of, in the place of a fingerprint.

use sr_auth_core::store::{Generation, GrantKey};
use sr_auth_core::{Fingerprint, Secret};
use sr_partner::store::{IntegrationRecord, PartnerAnswer, PartnerOp, PartnerOutcome};
use sr_partner::{AttemptId, IntegrationKey};

use super::cipher::{Field, Place, open, seal};
use super::keys::SealingKeys;
use super::sealed::{Origin, Sealed};
use crate::spool::Credentials;
use crate::{SealError, SealFault};

/// Seals what an operation brings.
pub(crate) fn seal_partner_op(
    keys: &SealingKeys,
    op: PartnerOp<Secret>,
) -> Result<PartnerOp<Sealed>, SealError> {
    let consent = if let PartnerOp::Commit { attempt, .. } = &op { Some(*attempt) } else { None };
    op.try_map(|key, generation, secret: Secret| {
        // Only a commit brings a secret.
        let attempt = consent.ok_or_else(|| SealError::new(SealFault::Misplaced))?;
        let grant = key.grant_key(generation);
        seal(keys, place(&grant, attempt), Origin::Integrated(generation), &secret)
    })
}

/// Opens what an answer about `key` brings; `None` for operations that are about no company.
pub(crate) fn open_partner_answer(
    keys: &SealingKeys,
    key: Option<&IntegrationKey>,
    answer: PartnerAnswer<Sealed>,
) -> Result<PartnerAnswer<Secret>, SealError> {
    let mut known = Vec::new();
    if let PartnerOutcome::Loaded(record) = &answer.outcome {
        known = consents(record);
    }
    answer.try_map(|generation, sealed| {
        // A record that nobody asked for.
        let key = key.ok_or_else(|| SealError::new(SealFault::Forged))?;
        let consent = known.iter().find(|(of, _)| *of == generation);
        let (_, attempt) = consent.ok_or_else(|| SealError::new(SealFault::Forged))?;
        let grant = key.grant_key(generation);
        let (secret, origin) = open(keys, place(&grant, *attempt), &sealed)?;
        let is_its_own = origin == Origin::Integrated(generation);
        is_its_own.then_some(secret).ok_or_else(|| SealError::new(SealFault::Misplaced))
    })
}

/// Tells whether credentials that were left behind can be opened.
pub(crate) fn open_credentials(
    keys: &SealingKeys,
    credentials: &Credentials,
) -> Result<(), SealError> {
    let grant = credentials.key.grant_key(credentials.generation);
    open(keys, place(&grant, credentials.attempt), &credentials.integrated.secret).map(drop)
}

fn consents(record: &IntegrationRecord<Sealed>) -> Vec<(Generation, AttemptId)> {
    let attempt = record.attempt.as_ref().map(|it| (it.generation, it.id));
    let binding = record.binding.as_ref().map(|it| (it.generation, it.attempt));
    attempt.into_iter().chain(binding).collect()
}

const fn place(grant: &GrantKey, attempt: AttemptId) -> Place<'_> {
    let fingerprint = Fingerprint::from_bytes(*attempt.as_bytes());
    Place { field: Field::ClientSecret, fingerprint, grant }
}
