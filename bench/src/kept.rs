//! Sources whose tokens are at hand: a store in memory that others have filled, and no request.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::fleet::Settings;
use sr_auth_core::store::{GrantKey, NewGrant, Renewal, StoreOp, StoredToken};
use sr_auth_core::{ClientCredentials, FingerprintKey, Secret, Timestamp};
use sr_auth_http::{Clock, ReqwestTransport, TokenSource, TokenSources};
use sr_auth_store::Store;
use tokio::runtime::{Builder, Runtime};

/// Users' grants of many companies, each with an access token that is good for half an hour.
pub(crate) struct Kept {
    pub(crate) clock: Clock,
    pub(crate) runtime: Runtime,
    pub(crate) sources: TokenSources,
    pub(crate) store: Store,
}

impl Kept {
    pub(crate) fn new(companies: u32, clock: Clock) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let now = clock.clone();
        let store = Store::in_memory_with_clock(move || now.now()).expect("random bytes");
        let store = store.accept_volatile();
        let number = |it| NonZeroU32::new(it).expect("not zero");
        let settings = Settings::default()
            .with_budget(number(1_000_000), number(1_000_000))
            .with_in_flight(number(companies))
            .with_capacity(number(companies));
        let transport = ReqwestTransport::builder().without_root_certificates().build();
        let sources = runtime.block_on(async {
            for number in 0..companies {
                let op = adoption(number, clock.now());
                store.apply(op).await.expect("there is room");
            }
            TokenSources::authorization_code(client())
                .clock(clock.clone())
                .settings(settings)
                .store(store.clone(), fingerprints())
                .transport(Arc::new(transport.expect("a transport without roots")))
                .build()
                .expect("the settings go together")
        });
        Self { clock, runtime, sources, store }
    }

    /// Returns the source of a company. Its key is not the one that the store holds.
    pub(crate) fn source(&self, number: u32) -> TokenSource {
        self.sources.source(&key(number))
    }

    /// Has the header of each company published.
    pub(crate) fn publish(&self, companies: u32) {
        self.runtime.block_on(async {
            for number in 0..companies {
                self.source(number).authorization().await.expect("the store has a token");
            }
        });
    }

    /// Lets time pass, in steps, with whatever the driver does meanwhile.
    pub(crate) fn pass(&self, steps: u32, step: Duration) {
        /// More turns than a step takes: the driver, its operation of the store, the driver.
        const TURNS: usize = 32;
        self.runtime.block_on(async {
            for _ in 0..steps {
                self.clock.advance(step);
                for _ in 0..TURNS {
                    tokio::task::yield_now().await;
                }
            }
        });
    }
}

/// One source with a header at hand, on the clock of the system.
pub(crate) fn one() -> (Kept, TokenSource) {
    let kept = Kept::new(1, Clock::system());
    kept.publish(1);
    let source = kept.source(0);
    assert!(source.ready().is_some(), "it is at hand");
    (kept, source)
}

pub(crate) fn client() -> ClientCredentials {
    let secret = Secret::new("9165228a82e4".to_owned());
    ClientCredentials::new("82e4424135fe", secret).expect("a client")
}

pub(crate) fn key(number: u32) -> GrantKey {
    GrantKey::new(&format!("planner/company-{number:08}")).expect("a key")
}

fn adoption(number: u32, now: Timestamp) -> StoreOp<Secret> {
    let token = |kind: &str, life: Duration| {
        let value = Secret::new(format!("{kind}{number:032x}"));
        let fingerprint = fingerprints().fingerprint(&value);
        let (renew_at, ends_at) = (now.after(life * 2 / 3), now.after(life));
        StoredToken { ends_at, fingerprint, renew_at, value }
    };
    let access = Some(token("DCRD10-", Duration::from_secs(1_799)));
    let refresh = Some(token("DCRR10-", Duration::from_secs(28 * 24 * 60 * 60)));
    let grant = NewGrant { access, refresh, renewal: Renewal::SingleUse };
    StoreOp::Adopt { grant, key: key(number), only_if_missing: false }
}

fn fingerprints() -> FingerprintKey {
    FingerprintKey::new([7; 32])
}
