//! A store of its own on a server, and the program as an operator runs it there.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use sr_auth_core::ClientAuthentication;
use sr_testkit::{Sandbox, SandboxSettings};
use tempfile::TempDir;

/// The servers that the program is run with.
pub(crate) const SERVERS: [&str; 3] =
    ["SR_AUTH_TEST_POSTGRES", "SR_AUTH_TEST_PGBOUNCER", "SR_AUTH_TEST_REDIS"];

/// The keys of a service, which its operator has as well.
const SEALING_KEY: &str = "c2VhbGluZyBrZXkgb2YgdGhlIHRlc3RzLCAzMiBieXQ=";
const FINGERPRINT_KEY: &str = "ZmluZ2VycHJpbnQga2V5IG9mIHRoZSB0ZXN0cywgMzI=";

/// A store, a home, and a sandbox that consents by itself.
pub(crate) struct Scene {
    address: String,
    home: TempDir,
    name: String,
    pub(crate) sandbox: Sandbox,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) err: String,
    pub(crate) out: String,
}

impl Scene {
    pub(crate) async fn on(server: &str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut settings = SandboxSettings::default();
        settings.switches.set("auto_decision=authorize").expect("there is such a switch");
        Self {
            address: variable(server),
            home: tempfile::tempdir().expect("a directory can be made"),
            name: format!("of_program_{}_{number}", std::process::id()),
            sandbox: Sandbox::start(settings).await.expect("a port is free"),
        }
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Leads elsewhere from now on.
    pub(crate) fn with_address(self, address: &str) -> Self {
        Self { address: address.to_owned(), ..self }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Prepares the program, which finds the store in its environment.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sr-auth"));
        let client = self.sandbox.credentials().application();
        let secret = match client.authentication() {
            ClientAuthentication::Basic(secret) | ClientAuthentication::Body(secret) => secret,
            ClientAuthentication::Certificate | _ => unreachable!("it has a secret"),
        };
        command.args(arguments).env_clear().stdin(Stdio::null());
        command.env("HOME", self.home()).env("LANG", "C.UTF-8");
        command.env("SR_AUTH_ORIGIN", self.sandbox.origin());
        command.env("SR_AUTH_APP_CLIENT_ID", client.id().as_str());
        command.env("SR_AUTH_APP_CLIENT_SECRET", secret.expose());
        command.env("SR_AUTH_STORE", &self.address).env("SR_AUTH_STORE_NAME", &self.name);
        command.env("SR_AUTH_SEALING_KEY", SEALING_KEY);
        command.env("SR_AUTH_FINGERPRINT_KEY", FINGERPRINT_KEY);
        command
    }

    /// Runs it to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.program(arguments)).await
    }
}

/// Runs a program to its end, while the sandbox goes on.
pub(crate) async fn ended(mut command: Command) -> Ended {
    let run = tokio::task::spawn_blocking(move || command.output());
    let Output { status, stdout, stderr } =
        run.await.expect("nothing panics").expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("it writes text");
    Ended { code: status.code(), err: text(stderr), out: text(stdout) }
}

/// Returns a variable that `cargo xtask servers` sets.
#[expect(clippy::disallowed_methods, reason = "where the servers are is told in the environment")]
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).expect("`cargo xtask servers` starts the servers and runs this test")
}
