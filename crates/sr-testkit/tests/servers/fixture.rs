//! The servers that `cargo xtask servers` has started.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;

use sr_testkit::conformance::TrialError;

/// Returns a variable that `cargo xtask servers` sets.
#[expect(clippy::disallowed_methods, reason = "where the servers are is told in the environment")]
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| format!("run `cargo xtask servers`: {name} is not set"))
}

/// Kills a server and starts it again: what it has not written to its disk is gone.
pub(crate) fn crash(server: &str) -> Result<(), TrialError> {
    let mut stream = TcpStream::connect(variable("SR_AUTH_TEST_SERVERS"))?;
    let mut answers = BufReader::new(stream.try_clone()?).lines();
    for verb in ["kill", "start"] {
        writeln!(stream, "{verb} {server}")?;
        let answer = answers.next().ok_or("the servers are gone")??;
        if answer != "ok" {
            return Err(answer.into());
        }
    }
    Ok(())
}

/// Returns all bytes below a folder.
pub(crate) fn bytes_below(folder: &Path) -> Result<Vec<u8>, TrialError> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            bytes.extend(bytes_below(&entry.path())?);
        } else if entry.file_type()?.is_file() {
            // A server removes files at any time.
            bytes.extend(std::fs::read(entry.path()).unwrap_or_default());
        }
    }
    Ok(bytes)
}

/// Names a store that nobody else has: in this process by a number, and by it among others.
pub(crate) fn fresh_name() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("store_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
