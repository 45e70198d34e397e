//! The threads: one that writes, and one that reads.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use rusqlite::Connection;
use sr_auth_core::lifecycle::StoreFailure;
use tokio::sync::oneshot;

use super::connection::{self, Settings};
use super::fault::Trouble;
use super::file;
use super::moment::Moments;
use super::operation::Operation;
use crate::clock::Clock;
use crate::{BackendError, BackendFault};

/// How many operations are committed together at most.
const TOGETHER: usize = 256;

/// An operation that waits, whatever it is about.
trait Job: Send {
    /// Carries it out, and keeps the answer until it may be given.
    fn carry_out(&mut self, connection: &Connection, moments: &Moments) -> Result<(), Trouble>;

    /// Tells who waits, now that what was carried out counts.
    fn answer(self: Box<Self>);

    /// Tells who waits that it was not carried out, or that nobody knows.
    fn refuse(self: Box<Self>, error: BackendError);
}

type Jobs = Sender<Box<dyn Job>>;

/// An operation, who waits for it, and what came of it.
#[derive(Debug)]
struct Waiting<O: Operation> {
    answer: oneshot::Sender<Result<O::Answer, BackendError>>,
    done: Option<O::Answer>,
    op: O,
}

impl<O: Operation> Job for Waiting<O> {
    fn carry_out(&mut self, connection: &Connection, moments: &Moments) -> Result<(), Trouble> {
        self.done = Some(self.op.clone().apply(connection, moments)?);
        Ok(())
    }

    fn answer(self: Box<Self>) {
        if let Some(answer) = self.done {
            // Who does not wait any more does not want to know.
            drop(self.answer.send(Ok(answer)));
        }
    }

    fn refuse(self: Box<Self>, error: BackendError) {
        drop(self.answer.send(Err(error)));
    }
}

/// Hands operations to the threads. Dropping it waits until they have done what waits.
#[derive(Debug)]
pub(super) struct Workers {
    reads: Option<Jobs>,
    /// The one that writes, and the one that reads.
    threads: Vec<JoinHandle<()>>,
    writes: Option<Jobs>,
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

    pub(super) async fn apply<O: Operation>(&self, op: O) -> Result<O::Answer, BackendError> {
        let closed = |failure| Err(BackendError::new(BackendFault::Closed, failure));
        let to = if op.is_read() { &self.reads } else { &self.writes };
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Waiting { answer, done: None, op });
        let sent = to.as_ref().map(|to| to.send(job).is_ok());
        if sent != Some(true) {
            return closed(StoreFailure::NotDone);
        }
        answered.await.unwrap_or_else(|_| closed(StoreFailure::OutcomeUnknown))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // One after the other: the last connection to close puts the log into the file, and of two
        // that close at once each may think that the other one will.
        self.reads = None;
        self.threads.pop().into_iter().for_each(join);
        self.writes = None;
        self.threads.drain(..).for_each(join);
    }
}

fn join(thread: JoinHandle<()>) {
    // One that panicked has told so already.
    drop(thread.join());
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
    fn write(&mut self, jobs: &Receiver<Box<dyn Job>>) {
        while let Ok(first) = jobs.recv() {
            let mut waiting = vec![first];
            waiting.extend(jobs.try_iter().take(TOGETHER - 1));
            self.write_all(waiting);
        }
    }

    /// Commits operations together; if that fails because of one of them, each alone.
    fn write_all(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        match self.commit(&mut jobs) {
            Ok(()) => jobs.into_iter().for_each(|job| job.answer()),
            Err(setback) if setback.try_alone && jobs.len() > 1 => {
                jobs.into_iter().for_each(|job| self.write_all(vec![job]));
            }
            Err(Setback { error, .. }) => {
                jobs.into_iter().for_each(|job| job.refuse(error.clone()));
            }
        }
    }

    fn commit(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Setback> {
        let moments = Arc::clone(&self.moments);
        let connection = self.connect()?;
        let execute = |sql| {
            let mut statement = connection.prepare_cached(sql)?;
            statement.execute([]).map(drop).map_err(Trouble::from)
        };
        let (trouble, is_commit, try_alone) = match execute("BEGIN IMMEDIATE") {
            Err(trouble) => (trouble, false, false),
            Ok(()) => match jobs.iter_mut().try_for_each(|it| it.carry_out(connection, &moments)) {
                Err(trouble) => (trouble, false, true),
                Ok(()) => match execute("COMMIT") {
                    Ok(()) => return Ok(()),
                    Err(trouble) => (trouble, true, true),
                },
            },
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

    fn read(&mut self, jobs: &Receiver<Box<dyn Job>>) {
        while let Ok(mut job) = jobs.recv() {
            match self.look(&mut *job) {
                Ok(()) => job.answer(),
                Err(error) => job.refuse(error),
            }
        }
    }

    fn look(&mut self, job: &mut dyn Job) -> Result<(), BackendError> {
        let moments = Arc::clone(&self.moments);
        let connection = self.connect().map_err(|setback| setback.error)?;
        let mut look = || {
            // All that one operation reads is of one moment.
            let snapshot = connection.unchecked_transaction()?;
            job.carry_out(connection, &moments)?;
            snapshot.commit()?;
            Ok(())
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
