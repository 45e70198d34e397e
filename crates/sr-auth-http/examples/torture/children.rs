//! The workers: started, killed, stopped and continued.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process};
use sr_auth_core::Timestamp;
use sr_auth_http::Clock;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::Failure;
use crate::worker::{Orders, SERVED};

/// What the workers have said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sayings(Arc<Mutex<Said>>);

#[derive(Debug, Default)]
struct Said {
    lines: Vec<(Timestamp, u64, String)>,
    /// How often each kind of line was printed, by its first or second word.
    tally: BTreeMap<String, u64>,
}

impl Sayings {
    fn add(&self, instance: u64, line: String) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *said.tally.entry(kind(&line)).or_default() += 1;
        if !line.starts_with(SERVED) {
            said.lines.push((Clock::system().now(), instance, line));
        }
    }

    pub(crate) fn tally(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).tally.clone()
    }

    /// Returns all lines but those about calls, with their time and their process.
    pub(crate) fn lines(&self) -> Vec<(Timestamp, u64, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).lines.clone()
    }
}

/// A worker that runs, or stands still.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    pub(crate) continue_at: Option<Timestamp>,
    pub(crate) instance: u64,
    /// Whoever is killed leaves its seat, and its spool, to another.
    pub(crate) seat: u32,
}

impl Worker {
    pub(crate) async fn start(
        orders: &Orders,
        seat: u32,
        sayings: &Sayings,
    ) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut line = serde_json::to_vec(orders)?;
        line.push(b'\n');
        child.stdin.as_mut().ok_or("a pipe was asked for")?.write_all(&line).await?;
        let output = child.stdout.take().ok_or("a pipe was asked for")?;
        let (sayings, instance) = (sayings.clone(), orders.instance);
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                sayings.add(instance, line);
            }
        });
        Ok(Self { child, continue_at: None, instance: orders.instance, seat })
    }

    fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(kill_process(id.ok_or("the process has ended by itself")?, signal)?)
    }

    /// Kills it, and returns when it is gone.
    pub(crate) async fn kill(&mut self) -> Result<(), Failure> {
        Ok(self.child.kill().await?)
    }

    /// Has it stand still until [`go_on`](Self::go_on).
    pub(crate) fn stop(&mut self, until: Timestamp) -> Result<(), Failure> {
        self.continue_at = Some(until);
        self.signal(Signal::STOP)
    }

    pub(crate) fn go_on(&mut self) -> Result<(), Failure> {
        self.continue_at = None;
        self.signal(Signal::CONT)
    }

    /// Tells whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> Result<bool, Failure> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Asks it to end, and waits for that; tells whether it ended well.
    pub(crate) async fn end(mut self) -> Result<bool, Failure> {
        drop(self.child.stdin.take());
        let patience = std::time::Duration::from_secs(30);
        Ok(tokio::time::timeout(patience, self.child.wait()).await??.success())
    }
}

fn kind(line: &str) -> String {
    let mut words = line.split([' ', '{']);
    let first = words.next().unwrap_or_default();
    let is_of_grant = first.starts_with("torture/") || first == "fleet";
    if is_of_grant { words.next().unwrap_or_default() } else { first }.to_owned()
}
