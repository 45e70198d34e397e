//! Where secrets come from: the environment, a file, standard input or a prompt. Never arguments.

mod prompt;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::Args;
use sr_auth_core::Secret;

use crate::exit::Failure;
use crate::{environment, secret_file};

/// How the secret of this call is given, unless it is in the environment.
#[derive(Args, Debug)]
pub(crate) struct SecretArguments {
    /// Read the secret from a file that only its owner may read (mode 0600)
    #[arg(long, value_name = "PATH", conflicts_with = "secret_stdin")]
    secret_file: Option<PathBuf>,
    /// Read the secret from standard input
    #[arg(long)]
    secret_stdin: bool,
}

/// One secret: its variable, and what it is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecretName {
    /// The variable that holds it; with `_FILE` after it, the one that names its file.
    pub(crate) variable: &'static str,
    /// What a person calls it.
    pub(crate) what: &'static str,
}

/// The secret of a client of the Credential Manager.
pub(crate) const CLIENT_SECRET: SecretName =
    SecretName { variable: "SR_AUTH_CLIENT_SECRET", what: "client secret" };
/// The secret of an application for the authorization code grant.
pub(crate) const APP_CLIENT_SECRET: SecretName =
    SecretName { variable: "SR_AUTH_APP_CLIENT_SECRET", what: "client secret of the application" };
/// The API key of a company.
pub(crate) const API_KEY: SecretName = SecretName { variable: "SR_AUTH_API_KEY", what: "API key" };
/// The API key of a partner.
pub(crate) const PARTNER_API_KEY: SecretName =
    SecretName { variable: "SR_AUTH_PARTNER_API_KEY", what: "Partner API key" };

impl SecretArguments {
    /// Tells whether a flag says where the secret is.
    pub(crate) const fn is_given(&self) -> bool {
        self.secret_file.is_some() || self.secret_stdin
    }

    /// Tells whether the secret is read from standard input.
    pub(crate) const fn reads_stdin(&self) -> bool {
        self.secret_stdin
    }

    /// Returns the secret: from the flags, then the environment, then a prompt if there is a
    /// terminal to ask at.
    pub(crate) async fn read(&self, name: SecretName) -> Result<Secret, Failure> {
        if let Some(path) = &self.secret_file {
            return secret_file::read(path);
        }
        if self.secret_stdin {
            return secret_file::from_reader(std::io::stdin().lock())
                .map_err(|error| Failure::io("standard input cannot be read", &error));
        }
        match name.in_environment()? {
            Some(secret) => Ok(secret),
            None => name.prompt().await,
        }
    }
}

impl SecretName {
    /// Returns the secret that the environment holds, or whose file it names.
    pub(crate) fn in_environment(self) -> Result<Option<Secret>, Failure> {
        let variable = self.variable;
        let file = environment::text(&format!("{variable}_FILE"))?;
        match (environment::secret(variable)?, file) {
            (Some(_), Some(_)) => Err(Failure::usage(
                format!("{variable} and {variable}_FILE are both set"),
                "unset one of them: it would be a guess which one counts",
            )),
            (Some(secret), None) => Ok(Some(secret)),
            (None, Some(path)) => secret_file::read(Path::new(&path)).map(Some),
            (None, None) => Ok(None),
        }
    }

    async fn prompt(self) -> Result<Secret, Failure> {
        let Self { variable, what } = self;
        if !std::io::stdin().is_terminal() {
            return Err(Failure::usage(
                format!("the {what} is missing"),
                format!(
                    "set {variable} or {variable}_FILE, or use --secret-file or --secret-stdin"
                ),
            ));
        }
        prompt::ask(format!("{what} (not shown): ")).await
    }
}
