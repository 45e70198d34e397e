//! What keeps grants usable: one task that owns a fleet, and what it shares with those who ask.
//!
//! ```text
//!  TokenSource ── hit: published header, no lock ─────────────────────────┐
//!       │ miss                                                            ▼
//!       └──▶ commands ──▶ driver (owns the fleet) ──▶ pool ──▶ store, token endpoint
//!                            │ availability
//!                            └──▶ published header, whoever waits
//! ```
//!
//! The task begins with the first command. It ends when everybody who could give one is gone, or at
//! a shutdown: in both cases after it has finished what was begun. If the tokio runtime that it ran
//! on ends before, the next command begins another task, with the records of the store.

mod applications;
mod command;
mod driver;
mod entry;
mod index;
mod news;
mod obtain;
mod pool;
mod waiting;

pub(crate) use command::Command;
pub(crate) use entry::Entry;
#[cfg(feature = "tower")]
pub(crate) use entry::Recent;
pub use news::{Events, News};

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use sr_auth_core::lifecycle::Application;
use sr_auth_core::store::{GrantKey, Renewal};
use sr_auth_core::{FingerprintKey, Timestamp, fleet};
use sr_auth_store::Store;
use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::timeout;

use crate::{Clock, SourceError, Transport};
use applications::Applications;
use driver::Driver;
use index::Index;
use waiting::{Outcome, WaitingList};

/// What a runtime is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) clock: Clock,
    pub(crate) fingerprints: FingerprintKey,
    pub(crate) settings: fleet::Settings,
    pub(crate) store: Store,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) wait_within: Duration,
}

/// The side of those who ask. When the last handle is gone, so is this, and the driver finishes
/// what was begun.
#[derive(Debug)]
pub(crate) struct Runtime {
    commands: Mutex<Option<mpsc::UnboundedSender<Command>>>,
    shared: Arc<Shared>,
}

/// What both sides see.
#[derive(Debug)]
struct Shared {
    applications: Applications,
    closed: AtomicBool,
    events: OnceLock<broadcast::Sender<News>>,
    index: Index,
    parts: Parts,
    waiting: WaitingList,
}

impl Shared {
    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl Runtime {
    /// Makes a runtime for many grants, or for one.
    pub(crate) fn new(parts: Parts, many: bool) -> Arc<Self> {
        let shared = Arc::new(Shared {
            applications: Applications::default(),
            closed: AtomicBool::new(false),
            events: OnceLock::new(),
            index: Index::new(many),
            parts,
            waiting: WaitingList::default(),
        });
        Arc::new(Self { commands: Mutex::new(None), shared })
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.shared.parts
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shared.parts.clock.now()
    }

    /// Takes in an application for many grants, and returns its place.
    pub(crate) fn register(&self, application: Application, renewal: Renewal) -> u32 {
        self.shared.applications.register(application, renewal)
    }

    /// Takes in the application of one company, and returns its place.
    pub(crate) fn register_own(&self, application: Application) -> u32 {
        let placed = self.shared.applications.register_own(application.clone());
        if placed.is_replaced {
            self.send_if_running(Command::Replace { application, place: placed.place });
        }
        placed.place
    }

    /// Puts new credentials in the place of an application's.
    pub(crate) fn replace(&self, place: u32, application: Application) {
        if self.shared.applications.replace(place, &application) {
            self.send_if_running(Command::Replace { application, place });
        }
    }

    /// Returns the entry of a grant; one that is new is of `application`.
    pub(crate) fn entry(&self, key: &GrantKey, application: u32) -> Arc<Entry> {
        let (entry, wants_sweep) = self.shared.index.entry(key, application);
        if wants_sweep {
            self.send_if_running(Command::Sweep);
        }
        entry
    }

    /// Returns what happens from now on.
    pub(crate) fn events(&self) -> Events {
        let sender = self.shared.events.get_or_init(|| broadcast::Sender::new(News::KEPT));
        Events::new(sender.subscribe())
    }

    /// Begins the driver if there is a tokio runtime to run it on; otherwise the first command does.
    pub(crate) fn begin(&self) {
        if Handle::try_current().is_ok() {
            // Without random bytes the first caller is told.
            let _begun = self.send(Command::Sweep);
        }
    }

    /// Gives a command to the driver; begins one if none runs.
    pub(crate) fn send(&self, command: Command) -> Result<(), SourceError> {
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        if self.shared.is_closed() {
            return Err(SourceError::ShutDown);
        }
        let command = match commands.as_ref() {
            Some(sender) => match sender.send(command) {
                Ok(()) => return Ok(()),
                // The tokio runtime of that driver has ended.
                Err(unsent) => unsent.0,
            },
            None => command,
        };
        let runtime = Handle::try_current().map_err(|_| SourceError::NoRuntime)?;
        let (sender, receiver) = mpsc::unbounded_channel();
        let driver = Driver::new(Arc::clone(&self.shared), receiver)?;
        runtime.spawn(driver.run(command));
        *commands = Some(sender);
        Ok(())
    }

    /// Has the list of holds read at once. Without a driver nothing is handed out.
    pub(crate) fn holds_changed(&self) {
        self.send_if_running(Command::HoldsChanged);
    }

    fn send_if_running(&self, command: Command) -> bool {
        let commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        commands.as_ref().is_some_and(|it| it.send(command).is_ok())
    }

    /// Has a command carried out that answers when it is done.
    pub(crate) async fn ask<T>(
        &self,
        within: Duration,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, SourceError> {
        // The timer, too, needs one.
        Handle::try_current().map_err(|_| SourceError::NoRuntime)?;
        let (reply, answer) = oneshot::channel();
        self.send(command(reply))?;
        match timeout(within, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(SourceError::ShutDown),
            Err(_) => Err(SourceError::TimedOut),
        }
    }

    /// Begins nothing new, and returns when what was begun is finished.
    pub(crate) async fn shutdown(&self) {
        let (reply, drained) = oneshot::channel();
        {
            // Under the lock, so that no driver begins behind our back.
            let _commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
            self.shared.closed.store(true, Ordering::Release);
        }
        if self.send_if_running(Command::Shutdown { reply }) {
            // A driver that is gone has nothing more to finish.
            let _drained = drained.await;
        }
        self.shared.waiting.settle_all(&Outcome::ShutDown);
        self.shared.index.withdraw_all();
    }
}

fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}
