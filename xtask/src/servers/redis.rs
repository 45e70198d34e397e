//! Redis that writes each change to the disk before it answers.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::certificates::Certificates;
use super::server::{Recipe, free_port};
use super::user::User;

pub(super) const NAME: &str = "redis";

/// How long it may take to answer a `PING`.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

pub(super) struct Redis {
    certificates: Certificates,
    folder: PathBuf,
    port: u16,
    tls_port: u16,
    user: User,
}

impl Redis {
    /// Makes its folder.
    ///
    /// # Errors
    ///
    /// Fails when the file system does not let us.
    pub(super) fn prepare(
        user: &User,
        folder: &Path,
        certificates: &Certificates,
    ) -> anyhow::Result<Self> {
        let folder = folder.join(NAME);
        user.own(&folder)?;
        let (port, tls_port) = (free_port()?, free_port()?);
        let certificates = certificates.clone();
        Ok(Self { certificates, folder, port, tls_port, user: user.clone() })
    }

    fn ping(&self) -> std::io::Result<bool> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.write_all(b"PING\r\n")?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        // While it reads its log, it says that instead.
        Ok(line.trim() == "+PONG")
    }
}

impl Recipe for Redis {
    fn name(&self) -> &'static str {
        NAME
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut redis = self.user.command("redis-server")?;
        redis.args(["--bind", "127.0.0.1", "--port"]).arg(self.port.to_string());
        redis.arg("--dir").arg(&self.folder);
        redis.args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
        let Certificates { authority, certificate, key, .. } = &self.certificates;
        redis.arg("--tls-port").arg(self.tls_port.to_string()).args(["--tls-auth-clients", "no"]);
        redis.arg("--tls-ca-cert-file").arg(authority);
        redis.arg("--tls-cert-file").arg(certificate).arg("--tls-key-file").arg(key);
        redis.current_dir(&self.folder);
        Ok(redis)
    }

    fn answers(&self) -> bool {
        self.ping().unwrap_or(false)
    }

    fn addresses(&self) -> Vec<(String, String)> {
        let address = format!("redis://127.0.0.1:{}/", self.port);
        let folder = self.folder.display().to_string();
        let through_tls = format!("rediss://localhost:{}/", self.tls_port);
        vec![
            ("SR_AUTH_TEST_REDIS_TLS".to_owned(), through_tls),
            ("SR_AUTH_TEST_REDIS".to_owned(), address),
            ("SR_AUTH_TEST_REDIS_FOLDER".to_owned(), folder),
        ]
    }
}
