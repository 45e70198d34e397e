//! Sealing anew what rests under an older key.

use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{
    Generation, GrantKey, OwnerId, Record, StoreOp, StoreOutcome, StoredToken, Successor,
};

use super::Store;
use crate::{BackendError, BackendFault, KeyId, Sealed, StoreError, random};

/// How often a record that others change meanwhile is looked at again.
const LOOKS: u8 = 4;

impl Store {
    /// Seals the tokens of a grant under the newest key, if they are not; says whether it did.
    ///
    /// Nothing else changes, and nobody is told: it is a repeat of what has been committed. A grant
    /// that rotates meanwhile is sealed under the newest key by that. When all grants have been
    /// sealed anew, in every process, the older keys can be forgotten.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the grant cannot be read or written; it can be repeated.
    pub async fn reseal(&self, key: &GrantKey) -> Result<bool, StoreError> {
        let newest = self.keys.now().newest().id();
        let mut has_changed = false;
        for _ in 0..LOOKS {
            let load = StoreOp::Load { key: key.clone() };
            let StoreOutcome::Loaded(sealed) = self.backend.apply(load).await?.outcome else {
                break;
            };
            if !is_older(&sealed, newest) {
                break;
            }
            self.repeat(key).await?;
            has_changed = true;
        }
        Ok(has_changed)
    }

    /// Commits once more what stands in the record, and puts aside once more what is put aside.
    async fn repeat(&self, key: &GrantKey) -> Result<(), StoreError> {
        let load = StoreOp::Load { key: key.clone() };
        let StoreOutcome::Loaded(record) = self.apply(load).await?.outcome else { return Ok(()) };
        let no_randomness = || BackendError::new(BackendFault::NoRandomness, StoreFailure::NotDone);
        let random = random::bytes().ok_or_else(no_randomness)?;
        let owner = OwnerId::new(u128::from_be_bytes(random));
        let Record { access, generation, refresh, sibling, .. } = record;
        let before = generation.number().checked_sub(1).map(Generation::from_number);
        if let Some(generation) = before.filter(|_| access.is_some() || refresh.is_some()) {
            let successor = Successor { access, refresh };
            let key = key.clone();
            self.apply(StoreOp::Commit { generation, key, owner, successor }).await?;
        }
        if let Some(sibling) = sibling {
            self.apply(StoreOp::Escrow { key: key.clone(), owner, sibling }).await?;
        }
        Ok(())
    }
}

fn is_older(record: &Record<Sealed>, newest: KeyId) -> bool {
    let sibling = record.sibling.as_ref().map(|it| &it.token);
    let mut tokens = [record.access.as_ref(), record.refresh.as_ref(), sibling].into_iter();
    let is_older = |it: &StoredToken<Sealed>| it.value.key_id() != Some(newest);
    tokens.any(|it| it.is_some_and(is_older))
}
