//! One successor as a file: what its commit needs, and a digest of it.

use sha2::{Digest as _, Sha256};
use sr_auth_core::store::{Generation, GrantKey, OwnerId, StoredToken, Successor};
use sr_auth_core::{Fingerprint, Timestamp};

use super::Spooled;
use crate::Sealed;

/// The form of the files that this version writes.
const FORMAT: &[u8; 8] = b"srspool1";

/// A commit that is under way: the refresh token that must not be lost, and what came with it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    pub(crate) access: Option<StoredToken<Sealed>>,
    pub(crate) generation: Generation,
    pub(crate) key: GrantKey,
    pub(crate) owner: OwnerId,
    pub(crate) refresh: StoredToken<Sealed>,
}

impl Entry {
    /// Takes a commit; `None` when it brings no refresh token, so that nothing can be lost.
    pub(crate) fn of_commit(
        key: &GrantKey,
        generation: Generation,
        owner: OwnerId,
        successor: &Successor<Sealed>,
    ) -> Option<Self> {
        let Successor { access, refresh } = successor.clone();
        Some(Self { access, generation, key: key.clone(), owner, refresh: refresh? })
    }
}

impl Spooled for Entry {
    const ENDING: &'static str = "successor";

    fn stem(&self) -> String {
        stem(&self.key, self.refresh.fingerprint)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = FORMAT.to_vec();
        bytes.extend(self.generation.number().to_be_bytes());
        bytes.extend(self.owner.number().to_be_bytes());
        put(&mut bytes, self.key.as_str().as_bytes());
        put_token(&mut bytes, &self.refresh);
        if let Some(access) = &self.access {
            put_token(&mut bytes, access);
        }
        let digest = Sha256::digest(&bytes);
        bytes.extend(digest);
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = whole(bytes)?.strip_prefix(FORMAT)?;
        let generation = Generation::from_number(u64::from_be_bytes(take(&mut rest)?));
        let owner = OwnerId::new(u128::from_be_bytes(take(&mut rest)?));
        let key = GrantKey::new(str::from_utf8(take_bytes(&mut rest)?).ok()?).ok()?;
        let refresh = take_token(&mut rest)?;
        let access = if rest.is_empty() { None } else { Some(take_token(&mut rest)?) };
        rest.is_empty().then_some(Self { access, generation, key, owner, refresh })
    }
}

/// Names the file of a refresh token, without the ending.
pub(super) fn stem(key: &GrantKey, fingerprint: Fingerprint) -> String {
    let digest = Sha256::new().chain_update(fingerprint.as_bytes()).chain_update(key.as_str());
    short(&digest.finalize())
}

/// Spells half a digest.
pub(super) fn short(digest: &[u8]) -> String {
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns what stands before the digest of it, if that is right.
pub(super) fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let (content, digest) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
    (Sha256::digest(content).as_slice() == digest).then_some(content)
}

pub(super) fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    // A record is far smaller than 4 GiB.
    bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend(part);
}

fn put_token(bytes: &mut Vec<u8>, token: &StoredToken<Sealed>) {
    bytes.extend(token.fingerprint.as_bytes());
    bytes.extend(token.renew_at.as_unix_millis().to_be_bytes());
    bytes.extend(token.ends_at.as_unix_millis().to_be_bytes());
    put(bytes, token.value.as_bytes());
}

pub(super) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

pub(super) fn take_bytes<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(u32::from_be_bytes(take(bytes)?)).ok()?;
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn take_token(bytes: &mut &[u8]) -> Option<StoredToken<Sealed>> {
    let fingerprint = Fingerprint::from_bytes(take(bytes)?);
    let renew_at = Timestamp::from_unix_millis(u64::from_be_bytes(take(bytes)?));
    let ends_at = Timestamp::from_unix_millis(u64::from_be_bytes(take(bytes)?));
    let value = Sealed::from_bytes(take_bytes(bytes)?);
    Some(StoredToken { ends_at, fingerprint, renew_at, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: u8) -> StoredToken<Sealed> {
        StoredToken {
            ends_at: Timestamp::from_unix_secs(9),
            fingerprint: Fingerprint::from_bytes([number; 16]),
            renew_at: Timestamp::from_unix_secs(7),
            value: Sealed::from_bytes(vec![number; 90]),
        }
    }

    fn entry(access: Option<StoredToken<Sealed>>) -> Entry {
        Entry {
            access,
            generation: Generation::from_number(3),
            key: GrantKey::new("acme/ä").unwrap(),
            owner: OwnerId::new(u128::MAX),
            refresh: token(1),
        }
    }

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        for access in [None, Some(token(2))] {
            let entry = entry(access);
            assert_eq!(Entry::parse(&entry.to_bytes()), Some(entry));
        }
    }

    #[test]
    fn what_is_cut_or_changed_is_not_read() {
        let whole = entry(Some(token(2))).to_bytes();
        for length in 0..whole.len() {
            assert_eq!(Entry::parse(&whole[..length]), None, "cut to {length}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert_eq!(Entry::parse(&changed), None, "changed at {at}");
        }
    }

    #[test]
    fn the_name_of_a_file_depends_on_grant_and_token_only() {
        let one = entry(None);
        let other_grant = Entry { key: GrantKey::new("globex").unwrap(), ..one.clone() };
        let other_token = Entry { refresh: token(2), ..one.clone() };
        assert_eq!(one.stem(), entry(Some(token(2))).stem());
        assert_ne!(one.stem(), other_grant.stem());
        assert_ne!(one.stem(), other_token.stem());
    }
}
