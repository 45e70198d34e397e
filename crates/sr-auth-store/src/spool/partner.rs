//! Credentials of one company as a file: what their commit needs, and a digest of it.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use sr_auth_core::ClientId;
use sr_auth_core::store::Generation;
use sr_partner::store::{Integrated, PartnerOp};
use sr_partner::{AppId, AttemptId, CompanyId, IntegrationId, IntegrationKey};

use super::Spooled;
use super::entry::{put, short, take, take_bytes, whole};
use crate::Sealed;

/// The form of the files that this version writes.
const FORMAT: &[u8; 8] = b"srcreds1";

/// A commit that is under way: SmartRecruiters shows these credentials once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Credentials {
    pub(crate) attempt: AttemptId,
    pub(crate) confirm_within: Duration,
    pub(crate) generation: Generation,
    pub(crate) integrated: Integrated<Sealed>,
    pub(crate) key: IntegrationKey,
}

impl Credentials {
    /// Takes a commit; `None` for every other operation.
    pub(crate) fn of(op: &PartnerOp<Sealed>) -> Option<Self> {
        let PartnerOp::Commit { attempt, confirm_within, generation, integrated, key } = op else {
            return None;
        };
        Some(Self {
            attempt: *attempt,
            confirm_within: *confirm_within,
            generation: *generation,
            integrated: integrated.clone(),
            key: key.clone(),
        })
    }
}

impl Spooled for Credentials {
    const ENDING: &'static str = "credentials";

    fn stem(&self) -> String {
        let digest = Sha256::new()
            .chain_update(self.attempt.as_bytes())
            .chain_update(self.key.grant_key(self.generation).as_str())
            .chain_update(self.integrated.client_id.as_str());
        short(&digest.finalize())
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = FORMAT.to_vec();
        bytes.extend(self.generation.number().to_be_bytes());
        bytes.extend(self.attempt.as_bytes());
        let confirm_within = u64::try_from(self.confirm_within.as_millis()).unwrap_or(u64::MAX);
        bytes.extend(confirm_within.to_be_bytes());
        put(&mut bytes, self.key.app.as_str().as_bytes());
        put(&mut bytes, self.key.company.as_str().as_bytes());
        put(&mut bytes, self.integrated.client_id.as_str().as_bytes());
        // No id is empty.
        let integration = self.integrated.integration.as_ref().map_or("", |it| it.as_str());
        put(&mut bytes, integration.as_bytes());
        put(&mut bytes, self.integrated.secret.as_bytes());
        let digest = Sha256::digest(&bytes);
        bytes.extend(digest);
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = whole(bytes)?.strip_prefix(FORMAT)?;
        let generation = Generation::from_number(u64::from_be_bytes(take(&mut rest)?));
        let attempt = AttemptId::from_bytes(take(&mut rest)?);
        let confirm_within = Duration::from_millis(u64::from_be_bytes(take(&mut rest)?));
        let app = AppId::new(take_text(&mut rest)?).ok()?;
        let company = CompanyId::new(take_text(&mut rest)?).ok()?;
        let client_id = ClientId::new(take_text(&mut rest)?).ok()?;
        let integration = match take_text(&mut rest)? {
            "" => None,
            id => Some(IntegrationId::new(id).ok()?),
        };
        let secret = Sealed::from_bytes(take_bytes(&mut rest)?);
        let integrated = Integrated { client_id, integration, secret };
        let key = IntegrationKey { app, company };
        rest.is_empty().then_some(Self { attempt, confirm_within, generation, integrated, key })
    }
}

fn take_text<'b>(bytes: &mut &'b [u8]) -> Option<&'b str> {
    str::from_utf8(take_bytes(bytes)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(integration: Option<&str>) -> Credentials {
        Credentials {
            attempt: AttemptId::from_bytes([1; 16]),
            confirm_within: Duration::from_millis(86_400_001),
            generation: Generation::from_number(3),
            integrated: Integrated {
                client_id: ClientId::new("82e4").unwrap(),
                integration: integration.map(|it| IntegrationId::new(it).unwrap()),
                secret: Sealed::from_bytes(vec![7; 90]),
            },
            key: IntegrationKey {
                app: AppId::new("planner").unwrap(),
                company: CompanyId::new("5f1b").unwrap(),
            },
        }
    }

    #[test]
    fn credentials_are_read_as_they_were_written() {
        for integration in [None, Some("7cbc")] {
            let credentials = credentials(integration);
            assert_eq!(Credentials::parse(&credentials.to_bytes()), Some(credentials));
        }
    }

    #[test]
    fn what_is_cut_or_changed_is_not_read() {
        let whole = credentials(Some("7cbc")).to_bytes();
        for length in 0..whole.len() {
            assert_eq!(Credentials::parse(&whole[..length]), None, "cut to {length}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert_eq!(Credentials::parse(&changed), None, "changed at {at}");
        }
    }
}
