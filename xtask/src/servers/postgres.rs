//! PostgreSQL, with its own cluster.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::certificates::Certificates;
use super::server::{Recipe, free_port};
use super::user::User;
use crate::program::output;

pub(super) const NAME: &str = "postgres";

/// The role that owns everything, and its password: for this run, on loopback.
pub(super) const ROLE: &str = "sr_auth";
pub(super) const PASSWORD: &str = "only-on-loopback";

const INITDB_WITHIN: Duration = Duration::from_secs(120);

/// What differs from what the package is set to: durable, small, and with little written ahead, as
/// tests read all of it.
const SETTINGS: [&str; 12] = [
    "ssl=on",
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=on",
    // In the folder, so that a server that was killed leaves nothing elsewhere.
    "dynamic_shared_memory_type=mmap",
    "shared_buffers=32MB",
    "max_connections=120",
    "min_wal_size=4MB",
    "max_wal_size=16MB",
    // After a crash, thousands of files are not synced one by one.
    "recovery_init_sync_method=syncfs",
    "log_min_messages=warning",
    "log_min_error_statement=panic",
];

pub(super) struct Postgres {
    certificates: Certificates,
    data: PathBuf,
    pub(super) port: u16,
    user: User,
}

impl Postgres {
    /// Makes a cluster.
    ///
    /// # Errors
    ///
    /// Fails when `initdb` does.
    pub(super) fn prepare(
        user: &User,
        folder: &Path,
        certificates: &Certificates,
    ) -> anyhow::Result<Self> {
        let data = folder.join("postgres");
        user.own(&data)?;
        let password = folder.join("password");
        std::fs::write(&password, PASSWORD)?;
        user.give(&password)?;
        let mut initdb = user.command("initdb")?;
        initdb.args(["--username", ROLE, "--auth", "scram-sha-256", "--encoding", "UTF8"]);
        initdb
            .args(["--locale", "C.UTF-8", "--no-instructions", "--wal-segsize=1", "--pwfile"])
            .arg(password);
        initdb.arg("--pgdata").arg(&data).current_dir(&data);
        output("initdb", initdb, INITDB_WITHIN, folder)?;
        let certificates = certificates.clone();
        Ok(Self { certificates, data, port: free_port()?, user: user.clone() })
    }
}

impl Recipe for Postgres {
    fn name(&self) -> &'static str {
        NAME
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut postgres = self.user.command("postgres")?;
        postgres.arg("-D").arg(&self.data).arg("-k").arg(&self.data);
        postgres.args(["-h", "127.0.0.1", "-p"]).arg(self.port.to_string());
        let Certificates { certificate, key, .. } = &self.certificates;
        for (setting, path) in [("ssl_cert_file", certificate), ("ssl_key_file", key)] {
            postgres.arg("-c").arg(format!("{setting}={}", path.display()));
        }
        postgres.args(SETTINGS.iter().flat_map(|it| ["-c", it])).current_dir(&self.data);
        Ok(postgres)
    }

    fn answers(&self) -> bool {
        let Ok(mut isready) = self.user.command("pg_isready") else { return false };
        isready.args(["-q", "-h", "127.0.0.1", "-p"]).arg(self.port.to_string());
        isready.stdin(Stdio::null()).current_dir(&self.data);
        isready.status().is_ok_and(|it| it.success())
    }

    fn addresses(&self) -> Vec<(String, String)> {
        let address = format!("postgres://{ROLE}:{PASSWORD}@127.0.0.1:{}/postgres", self.port);
        let folder = self.data.display().to_string();
        vec![
            ("SR_AUTH_TEST_POSTGRES".to_owned(), address),
            ("SR_AUTH_TEST_POSTGRES_FOLDER".to_owned(), folder),
        ]
    }
}
