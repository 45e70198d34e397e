//! A partner's service and its sandbox: the program `sr-auth`, as its users start it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::program::Program;

/// How long a demo may run: longer than the browser, which is told when it takes too long.
const WITHIN: Duration = Duration::from_secs(300);

/// A demo in one mode, that runs until this is dropped.
#[derive(Debug)]
pub(super) struct Demo {
    addresses: [(String, String); 2],
    _program: Program,
}

impl Demo {
    /// Starts the built program, and reads where both servers are.
    ///
    /// # Errors
    ///
    /// Fails when it does not start, or ends without naming both.
    pub(super) fn start(sr_auth: &Path, mode: &str, folder: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(sr_auth);
        command.args(["partner", "demo", "--mode", mode, "--quiet"]);
        command.args(["--port", "0", "--sandbox-port", "0"]);
        let program = Program::start(&format!("partner demo {mode}"), command, WITHIN, folder)?;
        let found = |label: &str| -> anyhow::Result<String> {
            loop {
                let line = program.line()?;
                let line =
                    line.ok_or_else(|| program.failed("ended before it said where it is"))?;
                if let Some(origin) = origin_after(label, &line) {
                    return Ok(origin);
                }
            }
        };
        let (sandbox, partner) = (found("SmartRecruiters:")?, found("The partner's service:")?);
        let mode = mode.to_uppercase();
        let addresses =
            [(format!("{mode}_SANDBOX"), sandbox), (format!("{mode}_PARTNER"), partner)];
        Ok(Self { addresses, _program: program })
    }

    /// Returns names and values for the environment of the program that drives the browser.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (&str, &str)> {
        self.addresses.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Reads the origin of an address that stands behind a label.
fn origin_after(label: &str, line: &str) -> Option<String> {
    let (_, address) = line.split_once(label)?;
    let rest = address.trim().strip_prefix("http://")?;
    Some(format!("http://{}", rest.split('/').next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_behind_its_label() {
        let cases = [
            ("# SmartRecruiters: http://127.0.0.1:1/pages/apps", Some("http://127.0.0.1:1")),
            ("# The partner's service: http://localhost:2/", None),
            ("# SmartRecruiters: soon", None),
        ];
        for (line, expected) in cases {
            assert_eq!(origin_after("SmartRecruiters:", line).as_deref(), expected, "{line}");
        }
    }
}
