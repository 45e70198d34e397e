//! `cargo xtask servers`: protects fleets; the shared stores on real servers, which are killed.
//!
//! ```text
//!  install     the packages of Debian
//!  certificates  of an authority that nobody else trusts
//!  user        whom the servers run as: PostgreSQL and PgBouncer refuse an administrator
//!  server      one server, from its start to its end
//!  postgres, pgbouncer, redis   how each is set up, and when it answers
//!  control     a port at which tests have a server killed and started again
//! ```
//!
//! Everything is in a temporary folder and on free ports of the loopback. The tests are told the
//! addresses in their environment; without them they fail, so nothing is skipped unseen.

mod certificates;
mod control;
mod install;
mod pgbouncer;
mod postgres;
mod redis;
mod server;
mod user;

use std::path::PathBuf;

use anyhow::Context as _;

use crate::report::say;
use crate::workspace::Workspace;
use crate::{bench, flags, torture};
use control::Control;
use server::Servers;
use user::User;

/// Runs the tests that need servers, or the command that is given, with the servers up.
///
/// # Errors
///
/// Fails when a server cannot be had or does not start, and when a test or the command fails.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Servers) -> anyhow::Result<()> {
    let Some((program, arguments)) = flags.command.split_first() else {
        return stage(workspace).map(drop);
    };
    with_servers(|environment| {
        let command = workspace.shell.cmd(program).args(arguments);
        workspace.run(command.envs(environment.iter().cloned()))
    })
}

/// Runs the tests that need servers, and returns what was left out.
///
/// # Errors
///
/// Like [`run`].
pub(crate) fn stage(workspace: &Workspace) -> anyhow::Result<Vec<String>> {
    if workspace.offline {
        let names = server::NAMES.join(", ");
        return Ok(vec![format!(
            "conformance, torture and bench on {names}: packages need a network"
        )]);
    }
    let mut left_out = Vec::new();
    with_servers(|environment| {
        for package in ["sr-auth-store", "sr-testkit", "sr-auth-cli"] {
            // One after the other: some of them kill the servers.
            let test = ["test", "--locked", "--all-features", "--package", package];
            let command = workspace.cargo(&test).args(["--test", "servers", "--"]);
            workspace.run(command.arg("--test-threads=1").envs(environment.iter().cloned()))?;
        }
        torture::on_servers(workspace, environment)?;
        left_out = bench::on_servers(workspace, environment)?;
        Ok(())
    })?;
    Ok(left_out)
}

/// Starts all servers, does something with them, and ends them, whatever came of it.
pub(crate) fn with_servers(
    work: impl FnOnce(&[(String, String)]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    // Removed with everything in it when this ends, however it ends; after the servers.
    let folder = Folder::make()?;
    install::servers(&folder.0)?;
    let user = User::choose(&folder.0)?;
    let servers = Servers::start(&user, &folder.0)?;
    let mut environment = servers.addresses();
    let control = Control::open(servers).context("the port of the servers")?;
    environment.push(("SR_AUTH_TEST_SERVERS".to_owned(), control.address()));
    let told = environment.iter().map(|(name, value)| format!("{name}={value}"));
    told.for_each(say);
    work(&environment)
}

/// A folder in memory where the system has one, so that thousands of syncs cost little. What is
/// killed here are processes, and what they have written survives them there as on a disk.
struct Folder(PathBuf);

impl Folder {
    fn make() -> anyhow::Result<Self> {
        let in_memory = PathBuf::from("/dev/shm");
        let parent = if in_memory.is_dir() { in_memory } else { std::env::temp_dir() };
        let folder = parent.join(format!("sr-auth-servers-{}", std::process::id()));
        std::fs::create_dir(&folder).with_context(|| folder.display().to_string())?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to the system.
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}
