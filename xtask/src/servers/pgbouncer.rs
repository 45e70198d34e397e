//! PgBouncer in transaction mode: each statement may meet another session of the server.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::postgres::{PASSWORD, Postgres, ROLE};
use super::server::{Recipe, free_port};
use super::user::User;

pub(super) const NAME: &str = "pgbouncer";

pub(super) struct PgBouncer {
    folder: PathBuf,
    port: u16,
    user: User,
}

impl PgBouncer {
    /// Writes its settings.
    ///
    /// # Errors
    ///
    /// Fails when they cannot be written.
    pub(super) fn prepare(user: &User, folder: &Path, postgres: &Postgres) -> anyhow::Result<Self> {
        let folder = folder.join(NAME);
        user.own(&folder)?;
        let port = free_port()?;
        let users = folder.join("users.txt");
        std::fs::write(&users, format!("\"{ROLE}\" \"{PASSWORD}\"\n"))?;
        user.give(&users)?;
        let settings = folder.join("pgbouncer.ini");
        std::fs::write(&settings, settings_text(port, postgres.port, &users)?)?;
        user.give(&settings)?;
        Ok(Self { folder, port, user: user.clone() })
    }
}

/// Few sessions of the server for many of ours, so that they are really shared.
fn settings_text(port: u16, server: u16, users: &Path) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "[databases]\n* = host=127.0.0.1 port={server}")?;
    writeln!(text, "[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}")?;
    writeln!(text, "unix_socket_dir =\nauth_type = scram-sha-256")?;
    writeln!(text, "auth_file = {}", users.display())?;
    writeln!(text, "pool_mode = transaction\ndefault_pool_size = 8\nmax_client_conn = 500")?;
    // A server that is down is asked again soon.
    writeln!(text, "server_login_retry = 1\nquery_wait_timeout = 20")?;
    Ok(text)
}

impl Recipe for PgBouncer {
    fn name(&self) -> &'static str {
        NAME
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut pgbouncer = self.user.command("pgbouncer")?;
        pgbouncer.arg(self.folder.join("pgbouncer.ini")).current_dir(&self.folder);
        Ok(pgbouncer)
    }

    fn answers(&self) -> bool {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()
    }

    fn addresses(&self) -> Vec<(String, String)> {
        let address = format!("postgres://{ROLE}:{PASSWORD}@127.0.0.1:{}/postgres", self.port);
        vec![("SR_AUTH_TEST_PGBOUNCER".to_owned(), address)]
    }
}
