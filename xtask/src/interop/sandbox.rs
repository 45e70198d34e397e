//! The sandbox that foreign clients talk to: the program `sr-auth`, as its users start it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::program::Program;

/// How long the sandbox may take to say where it is.
const START_WITHIN: Duration = Duration::from_secs(30);
/// What it exports for a shell, and every peer needs.
const NEEDED: [&str; 5] = [
    "SR_AUTH_APP_CLIENT_ID",
    "SR_AUTH_APP_CLIENT_SECRET",
    "SR_AUTH_CLIENT_ID",
    "SR_AUTH_CLIENT_SECRET",
    "SR_AUTH_ORIGIN",
];

/// A sandbox that runs until this is dropped.
#[derive(Debug)]
pub(super) struct Sandbox {
    exports: Vec<(String, String)>,
    _program: Program,
}

impl Sandbox {
    /// Starts the built program and reads what it exports.
    ///
    /// # Errors
    ///
    /// Fails when it does not start, or ends without naming all that is needed.
    pub(super) fn start(sr_auth: &Path, folder: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(sr_auth);
        command.args(["sandbox", "--port", "0"]);
        let program = Program::start("sr-auth sandbox", command, START_WITHIN, folder)?;
        let mut exports: Vec<(String, String)> = Vec::new();
        let complete = |exports: &[(String, String)]| {
            NEEDED.iter().all(|needed| exports.iter().any(|(name, _)| name == needed))
        };
        while !complete(&exports) {
            let line = program.line()?;
            let line =
                line.ok_or_else(|| program.failed("ended before it named all of its exports"));
            exports.extend(export(&line?));
        }
        Ok(Self { exports, _program: program })
    }

    /// Returns names and values for the environment of a peer.
    pub(super) fn exports(&self) -> impl Iterator<Item = (&str, &str)> {
        self.exports.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Reads `export NAME='value'`.
fn export(line: &str) -> Option<(String, String)> {
    let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
    Some((name.to_owned(), value.trim_matches('\'').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_are_read_and_comments_are_not() {
        let cases = [
            (
                "export SR_AUTH_ORIGIN='http://127.0.0.1:1'",
                Some(("SR_AUTH_ORIGIN", "http://127.0.0.1:1")),
            ),
            ("export A=b=c", Some(("A", "b=c"))),
            ("# export A='b'", None),
            ("12:00:00 GET /jobs 200", None),
        ];
        for (line, expected) in cases {
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(export(line), expected, "{line}");
        }
    }
}
