//! `cargo xtask deny`: protects users from licences, sources and crates that nobody decided on.
//!
//! Bans, licences and sources are judged from the lock file alone, so they always run. Advisories
//! need a database from the network; whether they ran is said each time.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::report::say;
use crate::tools;
use crate::workspace::Workspace;

/// How long the database of advisories may take to arrive.
const FETCH_WITHIN: Duration = Duration::from_secs(90);

/// Runs cargo-deny and returns what could not be judged here.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    let program = match tools::cargo_deny(workspace) {
        Some(program) => program,
        None if workspace.offline => {
            return Ok(left_out("everything: cargo-deny is not installed"));
        }
        None => tools::install_cargo_deny(workspace)?,
    };
    let check = ["--offline", "--locked", "check", "--hide-inclusion-graph"];
    let offline = ["bans", "licenses", "sources"];
    workspace.run(workspace.shell.cmd(&program).args(check).args(offline))?;
    if workspace.offline {
        return Ok(left_out("advisories: --offline"));
    }
    if !fetch_advisories(&program, workspace) {
        return Ok(left_out("advisories: their database cannot be reached from here"));
    }
    workspace.run(workspace.shell.cmd(&program).args(check).arg("advisories"))?;
    say("bans, licences, sources and advisories were checked");
    Ok(Vec::new())
}

fn left_out(what: &str) -> Vec<String> {
    say(format_args!("left out: {what}"));
    vec![what.to_owned()]
}

/// Says whether the database is here, fresh. A network that swallows packets must not hold us.
fn fetch_advisories(program: &str, workspace: &Workspace) -> bool {
    let mut command = Command::new(program);
    command.args(["fetch", "db"]).current_dir(&workspace.root);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else { return false };
    let Some(mut errors) = child.stderr.take() else { return false };
    let (ended, end) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        // Nobody listens any more once the time is over.
        let _ = errors.read_to_string(&mut text).map(|_| ended.send(text));
    });
    let in_time = end.recv_timeout(FETCH_WITHIN).is_ok();
    if !in_time && child.kill().is_err() {
        say("the fetch of the advisories could not be ended");
    }
    child.wait().is_ok_and(|status| in_time && status.success())
}
