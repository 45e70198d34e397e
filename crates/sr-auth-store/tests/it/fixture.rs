//! A backend whose records a test can read and change, and grants to put into it.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sr_auth_core::store::{
    End, Generation, GrantKey, Model, NewGrant, OwnerId, Record, Renewal, Sibling, StoreAnswer,
    StoreIdentity, StoreOp, StoreOutcome, StoredToken, Successor,
};
use sr_auth_core::{FingerprintKey, Secret, Timestamp};
use sr_auth_store::{Backend, BackendError, Durability, Sealed, SealingKey, SealingKeys, Store};

/// A model that says it is durable. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct OpenBackend(Arc<Mutex<Model<Sealed>>>);

impl OpenBackend {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Model::new(StoreIdentity(7)))))
    }

    pub(crate) fn record(&self, key: &GrantKey) -> Record<Sealed> {
        self.0.lock().expect("no test panics with it").record(key).expect("it was adopted").clone()
    }

    pub(crate) fn put(&self, key: &GrantKey, record: Record<Sealed>) {
        self.0.lock().expect("no test panics with it").put(key.clone(), record);
    }

    pub(crate) fn change(&self, key: &GrantKey, change: impl FnOnce(&mut Record<Sealed>)) {
        let mut record = self.record(key);
        change(&mut record);
        self.put(key, record);
    }
}

#[async_trait]
impl Backend for OpenBackend {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        Ok(self.0.lock().expect("no test panics with it").apply(Timestamp::from_unix_secs(100), op))
    }

    fn durability(&self) -> Durability {
        Durability::Durable
    }
}

pub(crate) fn keys(byte: u8) -> SealingKeys {
    SealingKeys::new(SealingKey::from_bytes([byte; 32]))
}

pub(crate) fn store(backend: &OpenBackend) -> Store {
    Store::new(backend.clone(), keys(1))
}

pub(crate) fn key(text: &str) -> GrantKey {
    GrantKey::new(text).expect("a good key")
}

pub(crate) fn token(text: &str) -> StoredToken<Secret> {
    let value = Secret::new(text.to_owned());
    StoredToken {
        ends_at: Timestamp::from_unix_secs(2_000),
        fingerprint: FingerprintKey::new([9; 32]).fingerprint(&value),
        renew_at: Timestamp::from_unix_secs(1_000),
        value,
    }
}

pub(crate) fn adopt(key: &GrantKey, access: &str, refresh: &str) -> StoreOp<Secret> {
    let (access, refresh) = (Some(token(access)), Some(token(refresh)));
    let grant = NewGrant { access, refresh, renewal: Renewal::SingleUse };
    StoreOp::Adopt { grant, key: key.clone(), only_if_missing: false }
}

/// A commit of the successor of `generation`.
pub(crate) fn commit(
    key: &GrantKey,
    generation: u64,
    access: &str,
    refresh: Option<&str>,
) -> StoreOp<Secret> {
    StoreOp::Commit {
        generation: Generation::from_number(generation),
        key: key.clone(),
        owner: OwnerId::new(1),
        successor: Successor { access: Some(token(access)), refresh: refresh.map(token) },
    }
}

pub(crate) fn end(key: &GrantKey) -> StoreOp<Secret> {
    StoreOp::End { end: End::Revoked, generation: None, key: key.clone() }
}

pub(crate) fn escrow(key: &GrantKey, from: u64, refresh: &str) -> StoreOp<Secret> {
    let sibling = Sibling { from: Generation::from_number(from), token: token(refresh) };
    StoreOp::Escrow { key: key.clone(), owner: OwnerId::new(1), sibling }
}

/// The texts of access token, refresh token and sibling.
pub(crate) type Texts = [Option<String>; 3];

pub(crate) fn texts(record: &Record<Secret>) -> Texts {
    let text = |token: Option<&StoredToken<Secret>>| token.map(|it| it.value.expose().to_owned());
    let sibling = record.sibling.as_ref().map(|it| &it.token);
    [text(record.access.as_ref()), text(record.refresh.as_ref()), text(sibling)]
}

pub(crate) async fn load(store: &Store, key: &GrantKey) -> Record<Secret> {
    let answer = store.apply(StoreOp::Load { key: key.clone() }).await;
    let StoreOutcome::Loaded(record) = answer.expect("the store can be read").outcome else {
        panic!("{key} was adopted");
    };
    record
}
