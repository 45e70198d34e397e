//! The token endpoint of a partner that foreign clients talk to: an example of `sr-partner-axum`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;

use crate::program::Program;

/// How long the endpoint may take to say where it is.
const START_WITHIN: Duration = Duration::from_secs(30);

/// An endpoint that runs until this is dropped.
#[derive(Debug)]
pub(super) struct Partner {
    exports: [(&'static str, String); 3],
    _program: Program,
}

impl Partner {
    /// Starts the built example, with one company.
    ///
    /// # Errors
    ///
    /// Fails when it does not start, or ends without naming all that is needed.
    pub(super) fn start(example: &Path, folder: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(example);
        command.args(["memory", "1"]);
        let program = Program::start("partner", command, START_WITHIN, folder)?;
        let said = || program.line()?.context("the endpoint ended before it said all");
        let (address, body) = (said()?, said()?);
        let exports = exports(&address, &body).context("the endpoint names no client")?;
        Ok(Self { exports, _program: program })
    }

    /// Returns names and values for the environment of a peer.
    pub(super) fn exports(&self) -> impl Iterator<Item = (&str, &str)> {
        self.exports.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

/// Reads where the endpoint is, and the form of a good request.
fn exports(address: &str, body: &str) -> Option<[(&'static str, String); 3]> {
    let of = |name: &str| {
        let mut pairs = body.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(it, _)| *it == name).map(|(_, value)| value.to_owned())
    };
    Some([
        ("PARTNER_CLIENT_ID", of("client_id")?),
        ("PARTNER_CLIENT_SECRET", of("client_secret")?),
        ("PARTNER_ORIGIN", format!("http://{address}")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_read_from_the_form_that_it_sends() {
        let body = "grant_type=client_credentials&client_id=srp1-4f&client_secret=9a";
        let expected = [
            ("PARTNER_CLIENT_ID", "srp1-4f".to_owned()),
            ("PARTNER_CLIENT_SECRET", "9a".to_owned()),
            ("PARTNER_ORIGIN", "http://127.0.0.1:1".to_owned()),
        ];
        assert_eq!(exports("127.0.0.1:1", body), Some(expected));
        assert_eq!(exports("127.0.0.1:1", "client_id=srp1-4f"), None);
    }
}
