//! Redis that waits for its disk.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use sr_auth_core::Secret;
use sr_auth_store::{Backend, RedisBackend};
use sr_testkit::conformance::{Subject, Suite, TrialError};

use crate::fixture::{bytes_below, crash, fresh_name, variable};

/// A store with a name of its own. Each connection is one of a process of its own.
struct Redis {
    address: Secret,
    name: String,
}

impl Redis {
    fn new() -> Self {
        Self { address: Secret::new(variable("SR_AUTH_TEST_REDIS")), name: fresh_name() }
    }
}

#[async_trait]
impl Subject for Redis {
    async fn connect(&self) -> Result<Arc<dyn Backend>, TrialError> {
        let builder = RedisBackend::builder(&self.address)?.name(&self.name)?;
        Ok(Arc::new(builder.open().await?))
    }

    async fn restart(&self) -> Result<(), TrialError> {
        tokio::task::spawn_blocking(|| crash("redis")).await?
    }

    /// The log of all changes.
    async fn raw_bytes(&self) -> Result<Vec<u8>, TrialError> {
        bytes_below(&PathBuf::from(variable("SR_AUTH_TEST_REDIS_FOLDER")))
    }
}

#[test]
fn redis_keeps_to_the_contract() {
    let report = Suite::new().check(async || Ok(Redis::new())).unwrap();
    assert!(report.conforms(), "{report}");
    let waits = "the end of a sign of life: the store's clock cannot be moved";
    assert_eq!(report.left_out(), [waits], "{report}");
}

#[test]
fn redis_keeps_integrations_to_the_contract() {
    let report = Suite::new().check_partner(async || Ok(Redis::new())).unwrap();
    assert!(report.conforms(), "{report}");
    assert!(report.left_out().is_empty(), "{report}");
}
