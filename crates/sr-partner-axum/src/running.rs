//! The exchanges that run in this process: a form that is posted twice waits for one of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sr_auth_core::store::Generation;
use sr_partner::AttemptId;
use sr_partner::consent::Consent;
use sr_partner::exchange::ExchangeError;
use tokio::sync::watch;

use crate::consents::Consents;
use crate::exchange;
use crate::service::Shared;

/// How far an exchange has come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Progress {
    Over(Ending),
    Running,
    /// The request may have been carried out, and its answer is not here.
    Unsettled,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    AwaitsOwner(Generation),
    Connected,
    Failed(ExchangeError),
}

/// The exchanges of this process, and how much work must not be cut off.
#[derive(Debug)]
pub(crate) struct Running {
    busy: watch::Sender<usize>,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    attempts: BTreeMap<AttemptId, watch::Receiver<Progress>>,
    consents: Consents,
}

/// Work that must not be cut off.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Shared>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.running.busy.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Default for Running {
    fn default() -> Self {
        Self { busy: watch::Sender::new(0), table: Mutex::default() }
    }
}

impl Running {
    fn table(&self) -> MutexGuard<'_, Table> {
        // What is in the table is whole after each statement.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that something must be finished before the process ends.
    pub(crate) fn busy(shared: &Arc<Shared>) -> Busy {
        shared.running.busy.send_modify(|count| *count += 1);
        Busy(Arc::clone(shared))
    }

    /// Waits until nothing is left to finish.
    pub(crate) async fn settled(&self) {
        // The sender is here, so the channel stays open.
        let mut busy = self.busy.subscribe();
        let _idle = busy.wait_for(|count| *count == 0).await;
    }

    /// Begins the exchange of a consent, or joins the one that runs; `None` when the account has had
    /// too many.
    pub(crate) fn begin(
        shared: &Arc<Shared>,
        consent: Consent,
    ) -> Option<watch::Receiver<Progress>> {
        let mut table = shared.running.table();
        let attempt = consent.attempt();
        if let Some(progress) = table.attempts.get(&attempt) {
            return Some(progress.clone());
        }
        if !table.consents.take(shared.clock.now(), consent.tenant()) {
            return None;
        }
        let (sender, progress) = watch::channel(Progress::Running);
        table.attempts.insert(attempt, progress.clone());
        drop(table);
        let listed = Listed { attempt, busy: Self::busy(shared) };
        tokio::spawn(async move {
            let shared = &listed.busy.0;
            let tell = |it| {
                sender.send_replace(it);
            };
            let ending = exchange::run(shared, consent, tell).await;
            tell(Progress::Over(ending));
        });
        Some(progress)
    }
}

/// An entry of the table, taken out when its task ends, however it ends.
#[derive(Debug)]
struct Listed {
    attempt: AttemptId,
    busy: Busy,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.busy.0.running.table().attempts.remove(&self.attempt);
    }
}
