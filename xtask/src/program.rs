//! Programs: every wait has an end, and nothing outlives the check.
//!
//! A program leads a group of processes, and the group is ended with it: first asked, then forced.

use std::fs::File;
use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// A program that runs, and is ended with all that it started when this is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    ends_at: Instant,
    lines: Receiver<String>,
    log: PathBuf,
    name: String,
}

/// How often an ending program is looked at.
const GLANCE: Duration = Duration::from_millis(20);
/// How long a program that was asked to end may take to clear up.
const CLEARS_UP_WITHIN: Duration = Duration::from_secs(5);

impl Program {
    /// How many lines of its log a failure shows.
    const TAIL: usize = 20;

    /// Starts a program; what it writes on standard error goes to a file in `folder`.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be started.
    pub(crate) fn start(
        name: &str,
        mut command: Command,
        within: Duration,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let log = folder.join(format!("{}.log", name.replace(['/', ' '], "-")));
        // Without standard input nothing can wait for a person.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        lead_group(&mut command);
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

    /// Returns the number by which the system knows it.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the next line that it says, or nothing at the end.
    ///
    /// # Errors
    ///
    /// Fails when its time is over.
    pub(crate) fn line(&self) -> anyhow::Result<Option<String>> {
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
    pub(crate) fn finish(mut self, mut take: impl FnMut(String)) -> anyhow::Result<()> {
        while let Some(line) = self.line()? {
            take(line);
        }
        match wait(&mut self.child, Some(self.ends_at))? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(self.failed(&format!("ended with {status}"))),
            None => Err(self.failed("takes too long")),
        }
    }

    /// Tells whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills it with its children, also those that lead groups of their own, and asks none first.
    pub(crate) fn kill(mut self) {
        let id = self.child.id();
        // Whatever is gone already is what this is for.
        let script = format!(
            "kill -STOP {id}; of=$(cat /proc/{id}/task/{id}/children); \
             kill -KILL -- -{id} $of"
        );
        let mut kill = Command::new("sh");
        kill.args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::null());
        let _killed = kill.stderr(Stdio::null()).status();
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }

    /// Says how it failed, with the end of its log.
    pub(crate) fn failed(&self, how: &str) -> anyhow::Error {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(Self::TAIL)..).unwrap_or_default();
        anyhow::anyhow!("{} {how}\n{}", self.name, tail.join("\n"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // What ended well has cleared up after itself.
        if !matches!(self.child.try_wait(), Ok(Some(status)) if status.success()) {
            end_group(&mut self.child);
        }
    }
}

/// Runs a program that speaks where we speak, to its end.
///
/// # Errors
///
/// Fails when it cannot be started, when it fails, and when it still runs at `ends_at`.
pub(crate) fn run(
    name: &str,
    mut command: Command,
    ends_at: Option<Instant>,
) -> anyhow::Result<()> {
    command.stdin(Stdio::null());
    // A person at a terminal has Ctrl-C, which reaches one group only.
    let leads = !std::io::stdin().is_terminal();
    if leads {
        lead_group(&mut command);
    }
    let mut child = command.spawn().with_context(|| format!("`{name}` cannot be started"))?;
    match wait(&mut child, ends_at)? {
        Some(status) if status.success() => return Ok(()),
        Some(status) => bail!("`{name}` ended with {status}"),
        None if leads => end_group(&mut child),
        None => drop(child.kill().and_then(|()| child.wait())),
    }
    bail!("`{name}` takes too long and was ended: a stage has {LIMIT_IN_BUDGETS} times its budget");
}

/// How often the time that it should take a stage has before it is ended.
pub(crate) const LIMIT_IN_BUDGETS: u32 = 3;

/// Waits for the end of a program; at `ends_at` it is nothing.
fn wait(child: &mut Child, ends_at: Option<Instant>) -> std::io::Result<Option<ExitStatus>> {
    let Some(ends_at) = ends_at else { return child.wait().map(Some) };
    loop {
        let status = child.try_wait()?;
        if status.is_some() || now() >= ends_at {
            return Ok(status);
        }
        std::thread::park_timeout(GLANCE);
    }
}

/// Makes a program the first of a group, so that what it starts can be ended with it.
fn lead_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _: &mut Command = command;
}

/// Ends a group. An installer that is not asked first leaves its database locked and half written.
fn end_group(child: &mut Child) {
    let group = child.id();
    // The shell's own `kill`: a small system lacks the program.
    let signal = |name: &str| {
        let mut kill = Command::new("sh");
        kill.args(["-c", &format!("kill -{name} -{group}")]);
        kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()
    };
    // Each may fail because the group is gone, which is what it is for.
    let _asked = signal("TERM");
    let _cleared_up = wait(child, Some(now() + CLEARS_UP_WITHIN));
    let _forced = signal("KILL");
    let _ended = child.kill().and_then(|()| child.wait());
}

/// Runs a program to its end and returns what it said.
///
/// # Errors
///
/// As [`Program::start`] and [`Program::finish`].
pub(crate) fn output(
    name: &str,
    command: Command,
    within: Duration,
    folder: &Path,
) -> anyhow::Result<Vec<String>> {
    let mut said = Vec::new();
    Program::start(name, command, within, folder)?.finish(|line| said.push(line))?;
    Ok(said)
}

/// Returns the time on the wall: programs run by no other clock.
#[expect(clippy::disallowed_methods, reason = "programs of others run by the clock of the wall")]
pub(crate) fn now() -> Instant {
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
            assert!(now().duration_since(started) < Duration::from_secs(60), "{script}");
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

    #[test]
    fn what_a_program_started_is_ended_with_it_and_may_clear_up_first() {
        let folder = folder();
        let script = "trap 'echo cleared >&2; exit 1' TERM\n\
                      sh -c 'echo $$; exec sleep 600' &\nwhile wait; do :; done";
        let span = Duration::from_secs(20);
        let program = Program::start("parent", shell(script), span, folder.path()).unwrap();
        let id = program.line().unwrap().unwrap();
        let ended = || {
            let state = Command::new("sh").args(["-c", &format!("kill -0 {id} 2>&1")]).output();
            !state.unwrap().status.success()
        };
        assert!(!ended(), "before");
        drop(program);
        let log = std::fs::read_to_string(folder.path().join("parent.log")).unwrap();
        assert_eq!(log.trim(), "cleared");
        let ends_at = now() + span;
        while !ended() && now() < ends_at {
            std::thread::park_timeout(GLANCE);
        }
        assert!(ended(), "a child outlives its parent");
    }

    #[test]
    fn a_command_of_a_stage_ends_in_time_and_says_so() {
        let started = now();
        let soon = Some(started + Duration::from_millis(300));
        let error = run("sleep", shell("exec sleep 600"), soon).unwrap_err();
        let said = "`sleep` takes too long and was ended: a stage has 3 times its budget";
        assert_eq!(error.to_string(), said);
        assert!(now().duration_since(started) < Duration::from_secs(60));
        run("true", shell("exit 0"), Some(now() + Duration::from_secs(20))).unwrap();
        let error = run("false", shell("exit 3"), None).unwrap_err();
        assert_eq!(error.to_string(), "`false` ended with exit status: 3");
    }
}
