//! A process that is killed: many companies in one `TokenSources`, as any program has them.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sr_auth_core::store::GrantKey;
use sr_auth_core::{ClientCredentials, Endpoints, FingerprintKey, Secret};
use sr_auth_http::{Events, Limits, News, ReqwestTransport, TokenSource, TokenSources, Transport};
use sr_auth_store::{SealingKeys, Store};
use tokio::io::AsyncBufReadExt as _;

use crate::Failure;
use crate::chance::Chance;
use crate::place::Place;
use crate::scale::Scale;

/// What a worker is told through its standard input: a line of JSON, since arguments show in the
/// list of processes.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Orders {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) fingerprints: [u8; 32],
    pub(crate) grants: u32,
    pub(crate) instance: u64,
    pub(crate) keys: PathBuf,
    pub(crate) origin: String,
    pub(crate) scale: u32,
    /// Where it keeps successors while the server of the store is away, and finds those of the
    /// process that had its seat before.
    pub(crate) spool: Option<PathBuf>,
    pub(crate) store: Place,
}

/// What a worker prints, a line each: `served` and `refused` count calls of the API.
pub(crate) const SERVED: &str = "served";
pub(crate) const REFUSED: &str = "refused";
pub(crate) const UNAVAILABLE: &str = "unavailable";
/// What it prints for each successor that it has found in its spool, and the store did not have.
pub(crate) const REPLAYED: &str = "replayed";

/// How long to wait before a store that is away is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// The name of a grant.
pub(crate) fn key(number: u32) -> Result<GrantKey, sr_auth_core::ConfigError> {
    GrantKey::new(&format!("torture/{number}"))
}

/// Works until it is killed or its standard input ends.
pub(crate) async fn run() -> Result<bool, Failure> {
    let mut input = tokio::io::BufReader::new(tokio::io::stdin()).lines();
    let line = input.next_line().await?.ok_or("no orders")?;
    let orders: Orders = serde_json::from_str(&line)?;
    let scale = Scale(orders.scale);
    let backend = orders.store.open(orders.instance, None).await?;
    let mut store = Store::new(backend, SealingKeys::from_file(&orders.keys)?);
    if let Some(folder) = &orders.spool {
        store = store.with_spool(folder)?;
        offer(&store).await;
    }
    let transport: Arc<dyn Transport> = Arc::new(
        ReqwestTransport::builder()
            .without_root_certificates()
            .user_agent(&format!("torture/{}", orders.instance))
            .build()?,
    );
    let client = ClientCredentials::new(&orders.client_id, Secret::new(orders.client_secret))?;
    let sources = TokenSources::authorization_code(client)
        .endpoints(Endpoints::at_origin(&orders.origin)?)
        .settings(scale.settings()?)
        .store(store, FingerprintKey::new(orders.fingerprints))
        .transport(Arc::clone(&transport))
        .build()?;
    tokio::spawn(tell(sources.events()));
    for number in 0..orders.grants {
        let caller = Caller {
            chance: Chance::new(orders.instance.wrapping_mul(1_000) + u64::from(number)),
            origin: orders.origin.clone(),
            source: sources.source(&key(number)?),
            transport: Arc::clone(&transport),
        };
        tokio::spawn(caller.go_on());
    }
    // The supervisor closes it when everything is over.
    while input.next_line().await?.is_some() {}
    sources.shutdown().await;
    Ok(true)
}

/// Offers to the store what was left behind, until it answers.
async fn offer(store: &Store) {
    loop {
        match store.replay().await {
            Ok(replay) => {
                (0..replay.saved).for_each(|_| say(REPLAYED));
                return;
            }
            Err(_away) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// One line, written at once: what was said before a kill has been said.
fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    // A supervisor that is gone has no use for it.
    let _gone = writeln!(output, "{line}").and_then(|()| output.flush());
}

async fn tell(mut events: Events) {
    while let Some(news) = events.next().await {
        match news {
            News::Fleet(event) => say(&format!("fleet {event:?}")),
            News::Grant { event, key } => say(&format!("{key} {event:?}")),
        }
    }
}

/// Whoever needs a token of one grant again and again, and uses it.
struct Caller {
    chance: Chance,
    origin: String,
    source: TokenSource,
    transport: Arc<dyn Transport>,
}

impl Caller {
    async fn go_on(mut self) {
        loop {
            match self.source.authorization_within(Duration::from_secs(1)).await {
                Err(error) => say(&format!("{UNAVAILABLE} {error}")),
                Ok(header) if self.chance.once_in(4) => {
                    let status = self.call(&header).await;
                    match status {
                        Some(401) => {
                            header
                                .fingerprint()
                                .into_iter()
                                .for_each(|it| self.source.rejected(it));
                            say(REFUSED);
                        }
                        Some(200..=299) => say(SERVED),
                        Some(_) | None => {}
                    }
                }
                Ok(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(50 + self.chance.below(300))).await;
        }
    }

    async fn call(&self, header: &sr_auth_core::Authorization) -> Option<u16> {
        let mut request = http::Request::get(format!("{}/users/me", self.origin))
            .body(sr_auth_core::SecretBytes::default())
            .ok()?;
        header.apply_to(request.headers_mut());
        let limits = Limits::new(Duration::from_secs(2), Duration::from_secs(2), 64 * 1024);
        self.transport.send(request, limits).await.ok().map(|it| it.status().as_u16())
    }
}
