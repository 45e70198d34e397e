//! A store of your own: a backend is one method, and sees no token that is not sealed.
//!
//! What each operation means is `sr_auth_core::store::Model`, which this one asks; the conformance
//! suite of `sr-testkit` checks a backend that talks to a database.

use std::error::Error;
use std::io::{Write as _, stdout};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use sr_auth_core::FingerprintKey;
use sr_auth_core::store::{GrantKey, Model, StoreAnswer, StoreIdentity, StoreOp};
use sr_auth_http::{Clock, TokenSource, entropy};
use sr_auth_store::{Backend, BackendError, Durability, Sealed, SealingKeys, Store};
use sr_testkit::{Sandbox, SandboxSettings};

/// A store that tells what it is asked for.
#[derive(Debug)]
struct Told {
    clock: Clock,
    heard: Arc<Mutex<Vec<String>>>,
    model: Mutex<Model<Sealed>>,
}

#[async_trait]
impl Backend for Told {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        // Whatever a backend prints of an operation: its tokens are sealed.
        let heard = format!("{op:?}");
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
        let mut model = self.model.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(model.apply(self.clock.now(), op))
    }

    fn durability(&self) -> Durability {
        Durability::Volatile
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(SandboxSettings::default()).await?;
    let (clock, heard) = (Clock::system(), Arc::<Mutex<Vec<String>>>::default());
    let model = Mutex::new(Model::new(StoreIdentity(1)));
    let backend = Told { clock, heard: Arc::clone(&heard), model };
    let store = Store::new(backend, SealingKeys::random()?);

    // All processes that share a store share this key; it is kept like a secret.
    let mut fingerprints = [0; 32];
    fingerprints.iter_mut().zip(entropy()?).for_each(|(byte, random)| *byte = random);
    let source = TokenSource::client_credentials(sandbox.credentials().service().clone())
        .endpoints(sandbox.endpoints()?)
        .key(GrantKey::new("planner")?)
        .store(store, FingerprintKey::new(fingerprints))
        .build()?;
    source.authorization().await?;
    source.shutdown().await;
    for op in heard.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        writeln!(stdout(), "{}", op.split([' ', '{']).next().unwrap_or_default())?;
    }
    Ok(())
}

#[cfg(test)]
#[test]
fn it_runs() {
    main().expect("it runs against the sandbox");
}
