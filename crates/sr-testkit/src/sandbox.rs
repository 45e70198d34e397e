//! The simulator as an HTTP server on loopback.

mod admin;
mod clock;
mod other_sites;
mod partner_admin;
mod partner_client;
mod routes;
mod serve;
mod start_page;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sr_auth_core::{ConfigError, Endpoints, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::simulator::{LoopbackPort, PartnerCallRecord, Simulator, Switches};
use crate::world::{DemoCredentials, World};
use clock::SandboxClock;

/// What a [`Sandbox`] starts with.
///
/// # Examples
///
/// ```
/// use sr_testkit::SandboxSettings;
///
/// let mut settings = SandboxSettings::default();
/// settings.port = 8700;
/// settings.switches.set("auto_decision=authorize")?;
/// # Ok::<(), sr_testkit::SwitchError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SandboxSettings {
    /// Whether the administration under `/__sandbox/` is there.
    pub admin: bool,
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The seed of the secrets; `None` takes one from the operating system.
    pub seed: Option<u64>,
    /// The switches, as documented by default, except that a loopback redirect URI matches on any
    /// port: a program on this machine cannot register its port beforehand.
    pub switches: Switches,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        let switches = Switches { loopback_port: LoopbackPort::Any, ..Switches::default() };
        Self { admin: true, port: 0, seed: None, switches }
    }
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The port could not be taken.
    #[error("the sandbox cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// Why not.
        source: std::io::Error,
    },
    /// The operating system gave no random seed.
    #[error("the operating system gave no random seed")]
    Seed,
}

/// A SmartRecruiters on this machine: authorize page, token endpoint and resources, over HTTP/1.1
/// on 127.0.0.1.
///
/// It serves [`World::demo`] until it is stopped or dropped, and needs a tokio runtime.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use sr_testkit::{Sandbox, SandboxSettings};
///
/// let sandbox = Sandbox::start(SandboxSettings::default()).await?;
/// assert!(sandbox.origin().starts_with("http://127.0.0.1:"));
/// let users = sandbox.with(|simulator| simulator.world().users().count());
/// assert_eq!(users, 4);
/// sandbox.stop().await;
/// # Ok::<(), sr_testkit::SandboxError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Sandbox {
    credentials: DemoCredentials,
    server: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
}

/// What requests and the owner of the sandbox share.
#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    admin: bool,
    clock: SandboxClock,
    simulator: Mutex<Simulator>,
}

impl Shared {
    fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    fn simulator(&self) -> MutexGuard<'_, Simulator> {
        // A panic in another request says nothing about the tables of the simulator.
        self.simulator.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sandbox {
    /// How long a stopping sandbox waits for answers that are under way.
    const STOP_WITHIN: Duration = Duration::from_secs(2);

    /// Starts a sandbox; it answers as soon as this returns.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Listen`] when the port is taken, [`SandboxError::Seed`] when no seed is
    /// given and the operating system has none.
    pub async fn start(settings: SandboxSettings) -> Result<Self, SandboxError> {
        let port = settings.port;
        let listen = |source| SandboxError::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let seed = match settings.seed {
            Some(seed) => seed,
            None => getrandom::u64().map_err(|_| SandboxError::Seed)?,
        };
        let (world, credentials) = World::demo(seed);
        let mut simulator = Simulator::new(world, seed);
        *simulator.switches_mut() = settings.switches;
        let shared = Arc::new(Shared {
            address,
            admin: settings.admin,
            clock: SandboxClock::new(),
            simulator: Mutex::new(simulator),
        });
        let router = routes::router(Arc::clone(&shared));
        let (stop, stopped) = watch::channel(false);
        let server = Some(tokio::spawn(serve::serve(listener, router, stopped)));
        Ok(Self { credentials, server, shared, stop })
    }

    /// Returns where it listens, such as `http://127.0.0.1:8700`.
    #[must_use]
    pub fn origin(&self) -> String {
        self.shared.origin()
    }

    /// Returns its endpoints, as a library takes them.
    ///
    /// # Errors
    ///
    /// None in practice: an address on loopback is always allowed.
    pub fn endpoints(&self) -> Result<Endpoints, ConfigError> {
        Endpoints::at_origin(&self.origin())
    }

    /// Returns the credentials of its world.
    #[must_use]
    pub const fn credentials(&self) -> &DemoCredentials {
        &self.credentials
    }

    /// Looks at the simulator, or changes it; no request is answered meanwhile.
    pub fn with<T>(&self, look: impl FnOnce(&mut Simulator) -> T) -> T {
        look(&mut self.shared.simulator())
    }

    /// Makes the calls of partners that the simulator has queued, and returns what became of them.
    pub async fn call_partners(&self) -> Vec<PartnerCallRecord> {
        partner_client::make_calls(&self.shared).await
    }

    /// Returns the time by the clock of the sandbox.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Moves the clock of the sandbox forward.
    pub fn advance(&self, span: Duration) {
        self.shared.clock.advance(span);
    }

    /// Stops listening, lets answers that are under way go out, and returns when all is closed.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(server) = self.server.take() {
            // A server that panicked or was cut off with its runtime has stopped as well.
            let _stopped = tokio::time::timeout(Self::STOP_WITHIN, server).await;
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}
