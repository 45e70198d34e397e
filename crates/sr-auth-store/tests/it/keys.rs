//! Where keys come from, and what is refused.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sr_auth_core::store::StoreOp;
use sr_auth_store::{
    KeyError, KeyFault, KeyService, SealFault, SealingKey, SealingKeys, Store, StoreError,
};

use crate::fixture::{OpenBackend, adopt, key, keys, load};

fn text(byte: u8) -> String {
    STANDARD.encode([byte; 32])
}

#[test]
fn keys_are_read_the_newest_first() {
    let [one, two] = [1, 2].map(text);
    let cases = [
        ("one", one.clone(), Ok(1)),
        ("a line each", format!("{two}\n{one}\n"), Ok(2)),
        ("blanks between", format!(" {one} {two} "), Ok(1)),
        ("none", String::new(), Err(KeyFault::Missing)),
        ("blanks", " \n".to_owned(), Err(KeyFault::Missing)),
        ("a broken second", format!("{one} x"), Err(KeyFault::Malformed)),
    ];
    for (name, text, expected) in cases {
        let read = SealingKeys::parse(&text).map(|it| it.newest().id());
        let expected = expected.map(|byte| SealingKey::from_bytes([byte; 32]).id());
        assert_eq!(read.map_err(|error| error.fault()), expected, "{name}");
    }
}

#[test]
fn a_variable_that_is_not_set_is_a_missing_key() {
    let error = SealingKeys::from_env("SR_AUTH_STORE_TEST_NO_SUCH_VARIABLE").unwrap_err();
    assert_eq!(error.fault(), KeyFault::Missing);
    assert_eq!(error.code(), "sr_auth::sealing_key::missing");
}

#[cfg(unix)]
#[test]
fn k03_a_file_of_keys_that_others_may_open_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    fs::write(&path, text(1)).unwrap();
    let cases = [
        (0o600, None),
        (0o400, None),
        (0o640, Some(KeyFault::OpenToOthers)),
        (0o604, Some(KeyFault::OpenToOthers)),
    ];
    for (mode, expected) in cases {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = SealingKeys::from_file(&path).err().map(|error| error.fault());
        assert_eq!(error, expected, "{mode:o}");
    }
}

#[test]
fn a_file_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let of = |path: &std::path::Path| SealingKeys::from_file(path).unwrap_err().fault();
    assert_eq!(of(&folder.path().join("nothing")), KeyFault::Missing);
    assert_eq!(of(folder.path()), KeyFault::Unavailable);
}

/// Gives the key 1, then the keys 2 and 1.
#[derive(Debug, Default)]
struct Service(AtomicUsize);

#[async_trait]
impl KeyService for Service {
    async fn keys(&self) -> Result<SealingKeys, KeyError> {
        let [one, two] = [1, 2].map(|byte| SealingKey::from_bytes([byte; 32]));
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(SealingKeys::new(one)),
            1 => Ok(SealingKeys::new(two).and_older(one)),
            _ => Err(KeyError::new(KeyFault::Unavailable)),
        }
    }
}

#[tokio::test]
async fn a_service_is_asked_again_when_a_value_is_sealed_under_a_key_that_is_not_known() {
    let backend = OpenBackend::new();
    let store = Store::with_key_service(backend.clone(), Service::default()).await.unwrap();
    let [acme, globex] = ["acme", "globex"].map(key);
    // Another process seals under the key 2 already, a third under one that nobody knows.
    Store::new(backend.clone(), keys(2)).apply(adopt(&acme, "a1", "r1")).await.unwrap();
    Store::new(backend.clone(), keys(3)).apply(adopt(&globex, "a1", "r1")).await.unwrap();
    load(&store, &acme).await;
    // The service does not answer any more; what is known stays.
    let error = store.apply(StoreOp::Load { key: globex }).await.unwrap_err();
    let StoreError::Seal(error) = error else { panic!("{error}") };
    assert!(matches!(error.fault(), SealFault::UnknownKey(_)));
    load(&store, &acme).await;
}
