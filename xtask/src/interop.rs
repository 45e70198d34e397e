//! `cargo xtask interop`: protects those who bring another library, or another server.
//!
//! Foreign OAuth clients get tokens from the sandbox and from a partner's endpoint, and our client
//! gets tokens from a foreign server. The programs are in `xtask/interop`; their packages are installed into a temporary
//! folder. Each says what it did, a line each, and must say all that the table in `peers` asks for.

mod install;
mod partner;
mod peers;
mod sandbox;
pub(crate) mod verdict;

pub(crate) use install::node_packages;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;

use crate::program::Program;
use crate::report::say;
use crate::workspace::Workspace;
use partner::Partner;
use peers::{Interpreter, PEERS, Peer, Role};
use sandbox::Sandbox;

/// How long one peer may take; each needs a few seconds.
const PEER_WITHIN: Duration = Duration::from_secs(60);

/// Runs every peer, and returns what was left out.
///
/// # Errors
///
/// Fails when an interpreter or a package cannot be had, and when a peer fails or does not show all
/// that it should.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    if workspace.offline {
        let names: Vec<&str> = PEERS.iter().map(|peer| peer.name).collect();
        return Ok(vec![format!("{}: their packages need a network", names.join(", "))]);
    }
    // Removed with everything in it when this ends, however it ends.
    let folder = workspace.shell.create_temp_dir()?;
    let folder = folder.path();
    install::interpreters(folder)?;
    copy_programs(workspace, folder)?;
    node_packages(folder)?;
    install::python_packages(folder)?;
    let ours = Ours::build(workspace)?;
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    for peer in &PEERS {
        let mut said = Vec::new();
        let outcome = run_peer(peer, &ours, folder, &mut said);
        failures.extend(outcome.err().map(|error| format!("{error:#}")));
        rows.extend(verdict::judge(peer.name, &peer.expected(), &said));
        say(format_args!("{}: with {}", peer.name, verdict::versions(&said).join(", ")));
    }
    rows.iter().for_each(say);
    failures.iter().for_each(say);
    let bad = rows.iter().filter(|row| !row.verdict.is_good()).count();
    ensure!(
        bad == 0 && failures.is_empty(),
        "interop: {bad} row(s) not as expected, {} peer(s) failed",
        failures.len()
    );
    say(format_args!("{} peers showed {} rows", PEERS.len(), rows.len()));
    Ok(Vec::new())
}

fn copy_programs(workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
    for path in workspace.shell.read_dir("xtask/interop")? {
        workspace.shell.copy_file(path, folder)?;
    }
    Ok(())
}

/// Our side, built.
#[derive(Debug)]
struct Ours {
    /// The client that meets the foreign server.
    foreign_server: PathBuf,
    /// The token endpoint of a partner.
    partner: PathBuf,
    /// The program with the sandbox.
    sr_auth: PathBuf,
}

impl Ours {
    fn build(workspace: &Workspace) -> anyhow::Result<Self> {
        // As the tests build them, so that nothing is built twice.
        let arguments = ["build", "--locked", "--workspace", "--all-features"];
        let examples = ["--example", "foreign_server", "--example", "token_endpoint"];
        let build = workspace.cargo(&arguments).args(["--bin", "sr-auth"]).args(examples);
        workspace.run(build)?;
        let debug = workspace.metadata()?.target_directory.into_std_path_buf().join("debug");
        let program = |path: &str| debug.join(path).with_extension(std::env::consts::EXE_EXTENSION);
        Ok(Self {
            foreign_server: program("examples/foreign_server"),
            partner: program("examples/token_endpoint"),
            sr_auth: program("sr-auth"),
        })
    }
}

fn run_peer(peer: &Peer, ours: &Ours, folder: &Path, said: &mut Vec<String>) -> anyhow::Result<()> {
    let mut command = Command::new(match peer.runs_on {
        Interpreter::Node => PathBuf::from("node"),
        Interpreter::Python => folder.join("venv/bin/python"),
    });
    command.arg(peer.script).current_dir(folder);
    // A sandbox for each: what one peer leaves there is no matter of the next.
    let sandbox = match peer.role {
        Role::Client => {
            let partner = Partner::start(&ours.partner, folder)?;
            Some((Sandbox::start(&ours.sr_auth, folder)?, partner))
        }
        Role::Server => None,
    };
    match &sandbox {
        Some((sandbox, partner)) => command.envs(sandbox.exports()).envs(partner.exports()),
        None => command.env("FOREIGN_SERVER_EXAMPLE", &ours.foreign_server),
    };
    // What a proxy of this machine answers is no answer of the sandbox.
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    let program = Program::start(peer.name, command, PEER_WITHIN, folder)?;
    program.finish(|line| said.push(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offline_every_peer_is_left_out_by_name() {
        let left_out = run(&Workspace::open(true).unwrap()).unwrap().join("\n");
        for peer in &PEERS {
            assert!(left_out.contains(peer.name), "{left_out}");
        }
    }
}
