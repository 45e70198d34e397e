//! The threads: one that writes, and one that reads.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use rusqlite::Connection;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{StoreAnswer, StoreOp};
use tokio::sync::oneshot;

use super::connection::{self, Settings};
use super::fault::Trouble;
use super::file;
use super::moment::Moments;
use super::operation;
use crate::clock::Clock;
use crate::{BackendError, BackendFault, Sealed};

/// How many operations are committed together at most.
const TOGETHER: usize = 256;

type Answer = Result<StoreAnswer<Sealed>, BackendError>;

/// An operation that waits, and who waits for it.
#[derive(Debug)]
struct Job {
    answer: oneshot::Sender<Answer>,
    op: StoreOp<Sealed>,
}

impl Job {
    fn answer(self, answer: Answer) {
        // Who does not wait any more does not want to know.
        drop(self.answer.send(answer));
    }
}

/// Hands operations to the threads. Dropping it waits until they have done what waits.
#[derive(Debug)]
pub(super) struct Workers {
    reads: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    writes: Option<Sender<Job>>,
}

impl Workers {
    pub(super) fn start(
        path: &Path,
        settings: Settings,
        clock: Option<Clock>,
    ) -> Result<Self, BackendError> {
        let (connection, moments) = connection::begin(path, settings, clock.clone())?;
        let moments = Arc::new(moments);
        let desk = |connection| Desk {
            clock: clock.clone(),
            connection: Some(connection),
            file: file::identify(path),
            moments: Arc::clone(&moments),
            path: path.to_owned(),
            settings,
        };
        let mut writer = desk(connection);
        let mut reader = desk(connection::open(path, settings)?);
        let (writes, to_write) = channel();
        let (reads, to_read) = channel();
        let threads = vec![
            spawn("sr-auth-sqlite-w", move || writer.write(&to_write))?,
            spawn("sr-auth-sqlite-r", move || reader.read(&to_read))?,
        ];
        Ok(Self { reads: Some(reads), threads, writes: Some(writes) })
    }

    pub(super) async fn apply(&self, op: StoreOp<Sealed>) -> Answer {
        let closed = |failure| Err(BackendError::new(BackendFault::Closed, failure));
        let to = if operation::is_read(&op) { &self.reads } else { &self.writes };
        let (answer, answered) = oneshot::channel();
        let sent = to.as_ref().map(|to| to.send(Job { answer, op }).is_ok());
        if sent != Some(true) {
            return closed(StoreFailure::NotDone);
        }
        answered.await.unwrap_or_else(|_| closed(StoreFailure::OutcomeUnknown))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        (self.reads, self.writes) = (None, None);
        for thread in self.threads.drain(..) {
            // One that panicked has told so already.
            drop(thread.join());
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, BackendError> {
    Builder::new().name(name.to_owned()).spawn(work).map_err(|error| {
        BackendError::new(BackendFault::Unreadable, StoreFailure::NotDone).with_source(error)
    })
}

/// What one thread works with.
#[derive(Debug)]
struct Desk {
    clock: Option<Clock>,
    /// `None` after trouble that may have spoilt it.
    connection: Option<Connection>,
    /// The file that is open.
    file: Option<(u64, u64)>,
    moments: Arc<Moments>,
    path: PathBuf,
    settings: Settings,
}

/// Why operations that were to be committed together were not.
struct Setback {
    error: BackendError,
    /// Whether one of them alone may be to blame.
    try_alone: bool,
}

impl Desk {
    fn write(&mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut waiting = vec![first];
            waiting.extend(jobs.try_iter().take(TOGETHER - 1));
            self.write_all(waiting);
        }
    }

    /// Commits operations together; if that fails because of one of them, each alone.
    fn write_all(&mut self, jobs: Vec<Job>) {
        match self.commit(&jobs) {
            Ok(answers) => {
                jobs.into_iter().zip(answers).for_each(|(job, answer)| job.answer(Ok(answer)));
            }
            Err(setback) if setback.try_alone && jobs.len() > 1 => {
                jobs.into_iter().for_each(|job| self.write_all(vec![job]));
            }
            Err(Setback { error, .. }) => {
                jobs.into_iter().for_each(|job| job.answer(Err(error.clone())));
            }
        }
    }

    fn commit(&mut self, jobs: &[Job]) -> Result<Vec<StoreAnswer<Sealed>>, Setback> {
        let moments = Arc::clone(&self.moments);
        let connection = self.connect()?;
        let execute = |sql| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.execute([]).map(drop).map_err(Trouble::from)
        };
        let (trouble, is_commit, try_alone) = match execute("BEGIN IMMEDIATE") {
            Err(trouble) => (trouble, false, false),
            Ok(()) => {
                let apply = |job: &Job| operation::apply(connection, &moments, job.op.clone());
                match jobs.iter().map(apply).collect::<Result<Vec<_>, _>>() {
                    Err(trouble) => (trouble, false, true),
                    Ok(answers) => match execute("COMMIT") {
                        Ok(()) => return Ok(answers),
                        Err(trouble) => (trouble, true, true),
                    },
                }
            }
        };
        let is_rolled_back = connection.is_autocommit() || execute("ROLLBACK").is_ok();
        if trouble.spoils_connection() || !is_rolled_back {
            self.connection = None;
        }
        let error = if is_commit { trouble.at_commit() } else { trouble.before_commit() };
        // What may have been done is not done again here.
        let try_alone = try_alone && error.failure() == StoreFailure::NotDone;
        Err(Setback { error, try_alone })
    }

    fn read(&mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            let answer = self.look(job.op.clone());
            job.answer(answer);
        }
    }

    fn look(&mut self, op: StoreOp<Sealed>) -> Answer {
        let moments = Arc::clone(&self.moments);
        let connection = self.connect().map_err(|setback| setback.error)?;
        let look = || {
            // All that one operation reads is of one moment.
            let snapshot = connection.unchecked_transaction()?;
            let answer = operation::read(connection, &moments, op)?;
            snapshot.commit()?;
            Ok(answer)
        };
        look().map_err(|trouble: Trouble| {
            if trouble.spoils_connection() {
                self.connection = None;
            }
            trouble.before_commit()
        })
    }

    /// Returns the connection, opened anew after trouble, or when another file stands there: what
    /// is written to one that was replaced or removed is lost.
    fn connect(&mut self) -> Result<&Connection, Setback> {
        let is_replaced = file::identify(&self.path) != self.file;
        let connection = match self.connection.take().filter(|_| !is_replaced) {
            Some(connection) => Ok(connection),
            None if is_replaced => connection::begin(&self.path, self.settings, self.clock.clone())
                .map(|(connection, _)| connection),
            None => connection::open(&self.path, self.settings),
        };
        let connection = connection.map_err(|error| Setback { error, try_alone: false })?;
        if is_replaced {
            self.file = file::identify(&self.path);
        }
        Ok(self.connection.insert(connection))
    }
}
