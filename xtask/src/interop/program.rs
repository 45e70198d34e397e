//! Programs of others: every wait has an end, and nothing outlives the check.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// A program that runs, and is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Program {
    child: Child,
    ends_at: Instant,
    lines: Receiver<String>,
    log: PathBuf,
    name: String,
}

impl Program {
    /// How many lines of its log a failure shows.
    const TAIL: usize = 20;
    /// How often an ending program is looked at.
    const GLANCE: Duration = Duration::from_millis(20);

    /// Starts a program; what it writes on standard error goes to a file in `folder`.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be started.
    pub(super) fn start(
        name: &str,
        mut command: Command,
        within: Duration,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let log = folder.join(format!("{}.log", name.replace(['/', ' '], "-")));
        // Without standard input nothing can wait for a person.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut child = command.spawn().with_context(|| format!("{name} cannot be started"))?;
        let output = child.stdout.take().context("standard output is piped")?;
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(output).lines().map_while(Result::ok);
            // A program that nobody listens to any more is read on: a full pipe would block it.
            lines.by_ref().find(|line| sender.send(line.clone()).is_err());
            lines.for_each(drop);
        });
        Ok(Self { child, ends_at: now() + within, lines, log, name: name.to_owned() })
    }

    /// Returns the next line that it says, or nothing at the end.
    ///
    /// # Errors
    ///
    /// Fails when its time is over.
    pub(super) fn line(&self) -> anyhow::Result<Option<String>> {
        match self.lines.recv_timeout(self.ends_at.saturating_duration_since(now())) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => Err(self.failed("takes too long")),
        }
    }

    /// Waits for its end, hands over the rest of what it says to `take`, and judges its status.
    ///
    /// # Errors
    ///
    /// Fails when it fails, and when its time is over.
    pub(super) fn finish(mut self, mut take: impl FnMut(String)) -> anyhow::Result<()> {
        while let Some(line) = self.line()? {
            take(line);
        }
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(self.failed(&format!("ended with {status}"))),
                None if now() >= self.ends_at => return Err(self.failed("takes too long")),
                None => std::thread::park_timeout(Self::GLANCE),
            }
        }
    }

    /// Says how it failed, with the end of its log.
    pub(super) fn failed(&self, how: &str) -> anyhow::Error {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(Self::TAIL)..).unwrap_or_default();
        anyhow::anyhow!("{} {how}\n{}", self.name, tail.join("\n"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to do about a failure in any case.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// Runs a program to its end and returns what it said.
///
/// # Errors
///
/// As [`Program::start`] and [`Program::finish`].
pub(super) fn output(
    name: &str,
    command: Command,
    within: Duration,
    folder: &Path,
) -> anyhow::Result<Vec<String>> {
    let mut said = Vec::new();
    Program::start(name, command, within, folder)?.finish(|line| said.push(line))?;
    Ok(said)
}

#[expect(clippy::disallowed_methods, reason = "programs of others run by the clock of the wall")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn folder() -> xshell::TempDir {
        xshell::Shell::new().unwrap().create_temp_dir().unwrap()
    }

    #[test]
    fn what_a_program_says_is_returned_and_its_failure_is_told_with_its_log() {
        let folder = folder();
        let span = Duration::from_secs(20);
        let said = output("good", shell("echo one; echo two"), span, folder.path()).unwrap();
        assert_eq!(said, ["one", "two"]);
        let error = output("bad", shell("echo why >&2; exit 3"), span, folder.path()).unwrap_err();
        assert_eq!(error.to_string(), "bad ended with exit status: 3\nwhy");
    }

    #[test]
    fn a_program_that_hangs_is_ended_in_time_whether_or_not_it_is_silent() {
        let folder = folder();
        for script in ["exec sleep 600", "exec sleep 600 >/dev/null"] {
            let started = now();
            let span = Duration::from_millis(300);
            let error = output("slow", shell(script), span, folder.path()).unwrap_err();
            assert!(error.to_string().starts_with("slow takes too long"), "{script}: {error}");
            assert!(started.elapsed() < Duration::from_secs(60), "{script}");
        }
    }

    #[test]
    fn a_program_does_not_outlive_its_handle() {
        let folder = folder();
        let script = "echo $$; exec sleep 600";
        let span = Duration::from_secs(20);
        let program = Program::start("orphan", shell(script), span, folder.path()).unwrap();
        let id = program.line().unwrap().unwrap();
        let alive = || Command::new("sh").args(["-c", &format!("kill -0 {id} 2>&1")]).output();
        assert!(alive().unwrap().status.success(), "before");
        drop(program);
        assert!(!alive().unwrap().status.success(), "after");
    }
}
