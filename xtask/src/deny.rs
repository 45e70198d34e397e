//! `cargo xtask deny`: protects users from licences, sources and crates that nobody decided on.
//!
//! Bans, licences and sources are judged from the lock file alone, so they always run. Advisories
//! need a database from the network; whether they ran is said each time.

use std::process::Command;
use std::time::Duration;

use anyhow::ensure;

use crate::program;
use crate::report::say;
use crate::tools;
use crate::workspace::Workspace;

/// How long the database of advisories may take to arrive.
const FETCH_WITHIN: Duration = Duration::from_secs(90);

/// What a network may keep from us, and nothing else may.
pub(crate) const UNREACHABLE: &str = "advisories: their database cannot be reached from here";

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
    if !fetch_advisories(&program, workspace)? {
        return Ok(left_out(UNREACHABLE));
    }
    workspace.run(workspace.shell.cmd(&program).args(check).arg("advisories"))?;
    say("bans, licences, sources and advisories were checked");
    Ok(Vec::new())
}

fn left_out(what: &str) -> Vec<String> {
    say(format_args!("left out: {what}"));
    vec![what.to_owned()]
}

/// Fetches the database, and says whether it is here. Only a network may keep it away: anything
/// else would leave the advisories out for good, and nobody would know.
fn fetch_advisories(program: &str, workspace: &Workspace) -> anyhow::Result<bool> {
    let folder = workspace.shell.create_temp_dir()?;
    let mut command = Command::new(program);
    command.args(["fetch", "db"]).current_dir(&workspace.root);
    match program::output("cargo-deny fetch db", command, FETCH_WITHIN, folder.path()) {
        Ok(_) => Ok(true),
        Err(error) => {
            let error = error.to_string();
            say(&error);
            ensure!(
                is_of_network(&error),
                "the advisories cannot be fetched, and the network is not why"
            );
            Ok(false)
        }
    }
}

/// What programs say when a network is absent, closed or slow.
const OF_NETWORK: [&str; 15] = [
    "connection aborted",
    "connection refused",
    "connection reset",
    "could not connect",
    "could not resolve",
    "couldn't connect",
    "couldn't resolve",
    "dns error",
    "error sending request",
    "error trying to connect",
    "failed to lookup address",
    "network is unreachable",
    "takes too long",
    "timed out",
    "tunnel failed",
];

fn is_of_network(error: &str) -> bool {
    let error = error.to_lowercase();
    OF_NETWORK.iter().any(|said| error.contains(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_network_excuses_missing_advisories() {
        let cases = [
            ("cargo-deny fetch db takes too long\n", true),
            ("ended with exit status: 1\nCould not resolve host: github.com", true),
            ("ended with exit status: 1\n[ERROR] error trying to connect: dns error", true),
            ("ended with exit status: 2\nerror: unexpected argument 'db' found", false),
            ("ended with exit status: 1\n[ERROR] failed to deserialize config", false),
            ("ended with exit status: 1\nNo space left on device", false),
            ("cargo-deny fetch db cannot be started", false),
        ];
        for (error, expected) in cases {
            assert_eq!(is_of_network(error), expected, "{error}");
        }
    }

    #[test]
    fn a_fetch_that_fails_for_another_reason_fails() {
        let workspace = Workspace::open(false).unwrap();
        let error = fetch_advisories("false", &workspace).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the advisories cannot be fetched, and the network is not why"
        );
    }
}
