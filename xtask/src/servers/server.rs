//! One server, from its start to its end.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::certificates::Certificates;
use super::user::User;
use super::{pgbouncer, postgres, redis};
use crate::program::{self, Program};

/// The servers by name, in the order in which they are started.
pub(super) const NAMES: [&str; 3] = [postgres::NAME, pgbouncer::NAME, redis::NAME];

/// How long a server may take until it answers; after a crash it reads its log first.
const STARTS_WITHIN: Duration = Duration::from_secs(60);
/// How long to pause before it is asked again.
const GLANCE: Duration = Duration::from_millis(50);

/// How one server is run.
pub(super) trait Recipe: Send {
    fn name(&self) -> &'static str;

    /// Returns what starts it, again and again.
    fn command(&self) -> anyhow::Result<Command>;

    /// Tells whether it answers.
    fn answers(&self) -> bool;

    /// Returns the variables that name it to tests.
    fn addresses(&self) -> Vec<(String, String)>;
}

/// All of them.
pub(super) struct Servers {
    certificates: Certificates,
    folder: PathBuf,
    servers: Vec<Server>,
}

struct Server {
    /// `None` while it is down.
    program: Option<Program>,
    recipe: Box<dyn Recipe>,
}

impl Servers {
    /// Sets all servers up and starts them.
    ///
    /// # Errors
    ///
    /// Fails when one does not answer in time, with the end of its log.
    pub(super) fn start(user: &User, folder: &Path) -> anyhow::Result<Self> {
        let certificates = Certificates::make(user, folder)?;
        let postgres = postgres::Postgres::prepare(user, folder, &certificates)?;
        let pgbouncer = pgbouncer::PgBouncer::prepare(user, folder, &postgres)?;
        let redis = redis::Redis::prepare(user, folder, &certificates)?;
        let recipes: [Box<dyn Recipe>; 3] =
            [Box::new(postgres), Box::new(pgbouncer), Box::new(redis)];
        let servers = recipes.into_iter().map(|recipe| Server { program: None, recipe }).collect();
        let mut servers = Self { certificates, folder: folder.to_owned(), servers };
        NAMES.iter().try_for_each(|name| servers.start_one(name))?;
        Ok(servers)
    }

    /// Returns the variables that name the servers to tests.
    pub(super) fn addresses(&self) -> Vec<(String, String)> {
        let addresses = self.servers.iter().flat_map(|it| it.recipe.addresses());
        addresses.chain(self.certificates.variables()).collect()
    }

    /// Starts a server that is down, and waits until it answers.
    ///
    /// # Errors
    ///
    /// Fails when it does not, and for a name that nobody has.
    pub(super) fn start_one(&mut self, name: &str) -> anyhow::Result<()> {
        let folder = self.folder.clone();
        let server = self.find(name)?;
        let ends_at = program::now() + STARTS_WITHIN;
        while !server.recipe.answers() {
            // One that was killed may hold what the next one needs, for a moment.
            if server.program.as_mut().is_none_or(Program::has_ended) {
                let command = server.recipe.command()?;
                server.program = Some(Program::start(name, command, STARTS_WITHIN, &folder)?);
            }
            if program::now() >= ends_at {
                let error = server.program.as_ref().map(|it| it.failed("does not answer"));
                return Err(error.context("it was started a moment ago")?);
            }
            std::thread::park_timeout(GLANCE);
        }
        Ok(())
    }

    /// Kills a server with all of its processes, as a loss of power would but for the disk.
    ///
    /// # Errors
    ///
    /// Fails for a name that nobody has.
    pub(super) fn kill(&mut self, name: &str) -> anyhow::Result<()> {
        self.find(name)?.program.take().into_iter().for_each(Program::kill);
        Ok(())
    }

    fn find(&mut self, name: &str) -> anyhow::Result<&mut Server> {
        match self.servers.iter_mut().find(|it| it.recipe.name() == name) {
            Some(server) => Ok(server),
            None => bail!("{name} is none of {}", NAMES.join(", ")),
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // Who uses another goes first.
        self.servers.iter_mut().rev().for_each(|it| it.program = None);
    }
}

/// Returns a port that nobody uses at the moment.
pub(super) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
