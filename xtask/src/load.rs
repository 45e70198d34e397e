//! `cargo xtask load`: protects a partner whom SmartRecruiters, or somebody else, calls often.
//!
//! The token endpoint serves good clients, first alone and then beside six hundred peers that are
//! slow or silent. The server is an example of `sr-partner-axum`, built for speed; the clients are
//! wrk, on the same machine. Figures are those of a machine that does nothing else.

mod figures;
mod slow;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::debian;
use crate::program::{Program, output};
use crate::report::say;
use crate::workspace::Workspace;
use figures::{Figures, Machine};
use slow::SlowPeers;

/// How long each measurement takes.
const SECONDS: u32 = 10;
/// How many companies ask, each with a client of its own.
const COMPANIES: &str = "256";
/// How many good connections there are.
const CONNECTIONS: &str = "64";
/// How many requests a second are answered, with the store in memory.
const RATE: u64 = 20_000;
/// How much memory the server may take, in KiB.
const RESIDENT: u64 = 64 * 1024;
/// How many peers are slow or silent.
const SLOW_PEERS: usize = 600;
/// What good clients keep of their rate beside those, in percent.
const KEPT: u64 = 80;
/// How long the server may take to be there, and to answer all.
const WITHIN: Duration = Duration::from_secs(120);

/// Loads the endpoint, and compares what it does with what it has to.
///
/// # Errors
///
/// Fails when wrk cannot be had, and when a figure is not met.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let folder = workspace.shell.create_temp_dir()?;
    let folder = folder.path();
    bring_wrk(folder)?;
    let example = build(workspace)?;
    let script = workspace.root.join("xtask/load/tokens.lua");

    let durable = Server::start(&example, "sqlite", folder)?;
    let figures = durable.load(&script, folder)?;
    say(format_args!("in a file: {figures}; {}", durable.memory()?));
    drop(durable);

    let server = Server::start(&example, "memory", folder)?;
    let alone = server.load(&script, folder)?;
    say(format_args!("in memory: {alone}; {}", server.memory()?));
    let peers = SlowPeers::begin(server.address, SLOW_PEERS)?;
    let beside = server.load(&script, folder)?;
    let cut = peers.finish();
    say(format_args!("beside {SLOW_PEERS} slow or silent peers: {beside}; {cut}"));

    ensure!(alone.failed == 0 && beside.failed == 0, "requests of good clients failed");
    ensure!(alone.rate >= RATE, "{} requests a second of {RATE} that are demanded", alone.rate);
    let resident = server.memory()?.resident;
    ensure!(resident <= RESIDENT, "{resident} KiB are resident, of {RESIDENT} that may be");
    ensure!(
        cut.left == 0 && cut.cut >= SLOW_PEERS,
        "{} slow peers were cut off, and {} were not",
        cut.cut,
        cut.left
    );
    let kept = beside.rate * 100 / alone.rate.max(1);
    ensure!(kept >= KEPT, "good clients keep {kept} % of their rate, of {KEPT} % that they must");
    say(format_args!("all met; good clients keep {kept} % of their rate"));
    Ok(())
}

fn bring_wrk(folder: &Path) -> anyhow::Result<()> {
    if has_wrk(folder) {
        return Ok(());
    }
    ensure!(debian::may_install(folder), "wrk is missing: install the package `wrk`");
    debian::install(&["wrk"], folder)?;
    ensure!(has_wrk(folder), "wrk was installed and does not answer");
    Ok(())
}

/// Says whether wrk is there; asked for its version, it fails on purpose.
fn has_wrk(folder: &Path) -> bool {
    let mut command = Command::new("sh");
    command.args(["-c", "command -v wrk"]);
    output("sh", command, Duration::from_secs(20), folder).is_ok()
}

fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let build = ["build", "--locked", "--release", "--quiet", "--package", "sr-partner-axum"];
    workspace.run(workspace.cargo(&build).args(["--example", "token_endpoint"]))?;
    let target = workspace.metadata()?.target_directory.into_std_path_buf();
    let program = target.join("release/examples/token_endpoint");
    Ok(program.with_extension(std::env::consts::EXE_EXTENSION))
}

/// The server under load.
#[derive(Debug)]
struct Server {
    address: SocketAddr,
    bodies: PathBuf,
    program: Program,
}

impl Server {
    fn start(example: &Path, store: &str, folder: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(example);
        command.args([store, COMPANIES]);
        let program = Program::start(&format!("endpoint-{store}"), command, WITHIN, folder)?;
        let address = program.line()?.context("the server says where it is")?.parse()?;
        let mut bodies = String::new();
        for _ in 0..COMPANIES.parse::<u32>()? {
            let body = program.line()?.context("the server says who may ask")?;
            bodies.push_str(&body);
            bodies.push('\n');
        }
        let path = folder.join(format!("bodies-{store}"));
        std::fs::write(&path, bodies)?;
        Ok(Self { address, bodies: path, program })
    }

    /// Has wrk ask for as long as a measurement takes.
    fn load(&self, script: &Path, folder: &Path) -> anyhow::Result<Figures> {
        let mut command = Command::new("wrk");
        command.args(["--threads", "1", "--connections", CONNECTIONS]);
        command.arg("--duration").arg(format!("{SECONDS}s")).arg("--script").arg(script);
        command.arg(format!("http://{}/oauth/token", self.address)).arg("--").arg(&self.bodies);
        let before = Machine::read(self.program.id())?;
        let mut said = Vec::new();
        Program::start("wrk", command, WITHIN, folder)?.finish(|line| said.push(line))?;
        Figures::read(&said, &Machine::read(self.program.id())?.since(&before))
    }

    fn memory(&self) -> anyhow::Result<Machine> {
        Machine::read(self.program.id())
    }
}
