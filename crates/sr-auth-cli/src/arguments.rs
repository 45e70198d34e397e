//! The command line, and the refusal of secrets on it.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, CommandFactory as _, Parser, Subcommand};

use crate::console::Console;
use crate::exit::{self, Exit, Failure};
use crate::{api, completions, demo, hold, login, logout, partner, sandbox, status, token};

/// What the user asked for.
#[derive(Debug, Parser)]
#[command(
    name = "sr-auth",
    version,
    about = "Authenticate against the SmartRecruiters API",
    long_about = "Authenticates against the SmartRecruiters API by every method that it has: API \
        key, Partner API key, client credentials, and the authorization code of a user. Brings a \
        SmartRecruiters sandbox for your own machine along.\n\n\
        Secrets are never arguments: other users of the machine could read them in the list of \
        processes. They come from the environment, from a file that only its owner may read, from \
        standard input, or from a prompt.",
    after_help = "Try `sr-auth demo` first. Each command has its own --help, with examples.",
    after_long_help = format!("{EXAMPLES}\n\n{}", exit::TABLE),
    max_term_width = 100,
    propagate_version = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Show what happens, without secrets; twice for more
    #[arg(short, long, global = true, action = ArgAction::Count, display_order = 900)]
    pub(crate) verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Api(api::ApiArguments),
    Completions(completions::CompletionsArguments),
    Demo(demo::DemoArguments),
    Hold(hold::HoldArguments),
    Login(Box<login::LoginArguments>),
    Logout(logout::LogoutArguments),
    Partner(partner::PartnerArguments),
    Release(hold::ReleaseArguments),
    Sandbox(sandbox::SandboxArguments),
    Status(status::StatusArguments),
    Token(token::TokenArguments),
}

const EXAMPLES: &str = "\
Examples:
  sr-auth demo
      every method, shown against a sandbox inside the process
  sr-auth partner demo
      a partner's service, and a SmartRecruiters to connect it with
  sr-auth sandbox
      a SmartRecruiters on this machine, with credentials to try
  curl -H \"Authorization: Bearer $(sr-auth token)\" https://api.smartrecruiters.com/jobs
      an access token for another program
  sr-auth api GET '/jobs?limit=5'
      a call of the API
  sr-auth login
      a user's grant, stored; `token` and `api` use it from then on

Secrets, each in its variable, or in a file (mode 0600) that the variable with _FILE names:
  SR_AUTH_CLIENT_SECRET      of the client SR_AUTH_CLIENT_ID (Credential Manager)
  SR_AUTH_APP_CLIENT_SECRET  of the application SR_AUTH_APP_CLIENT_ID (for login)
  SR_AUTH_API_KEY            of a company
  SR_AUTH_PARTNER_API_KEY    of a partner (legacy)
  SR_AUTH_SEALING_KEY        what stored grants are sealed under; made by the first login
  SR_AUTH_STORE              the address of a service's store, or the path of its SQLite file
  SR_AUTH_FINGERPRINT_KEY    what a service names its tokens with, to log in into its store

Addresses: SR_AUTH_ENVIRONMENT, SR_AUTH_ORIGIN, SR_AUTH_AUTHORIZATION_ENDPOINT,
SR_AUTH_TOKEN_ENDPOINT, SR_AUTH_API_ORIGIN. NO_COLOR turns colours off; SR_AUTH_LOG=debug does
what -v does.";

/// Options that look as if a secret followed, and where the secret belongs.
const SECRET_OPTIONS: [(&str, &str); 10] = [
    ("--access-token", "let this program get one, from client credentials"),
    ("--api-key", "set SR_AUTH_API_KEY or SR_AUTH_API_KEY_FILE"),
    ("--client-secret", "set SR_AUTH_CLIENT_SECRET or SR_AUTH_CLIENT_SECRET_FILE"),
    ("--key", "set SR_AUTH_API_KEY or SR_AUTH_API_KEY_FILE"),
    ("--partner-api-key", "set SR_AUTH_PARTNER_API_KEY or SR_AUTH_PARTNER_API_KEY_FILE"),
    ("--password", "use --secret-file or --secret-stdin"),
    ("--refresh-token", "no command takes one"),
    ("--secret", "use --secret-file or --secret-stdin"),
    ("--smart-token", "set SR_AUTH_API_KEY or SR_AUTH_API_KEY_FILE"),
    ("--token", "let this program get one, from client credentials"),
];

/// Reads the command line; says what is wrong with it, or what was asked, when there is nothing to
/// run.
pub(crate) fn read(console: &Console) -> Result<Arguments, Exit> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(failure) = secret_option(&arguments) {
        console.failure(&failure);
        return Err(failure.exit());
    }
    Arguments::try_parse_from(arguments).map_err(|mut error| {
        hide_values(&mut error);
        // Nobody can be told that telling failed.
        let _told = error.print();
        let asked_for = [ErrorKind::DisplayHelp, ErrorKind::DisplayVersion];
        if asked_for.contains(&error.kind()) { Exit::Done } else { Exit::Usage }
    })
}

fn secret_option(arguments: &[OsString]) -> Option<Failure> {
    arguments.iter().find_map(|argument| {
        let argument = argument.to_string_lossy();
        let name = argument.split_once('=').map_or(&*argument, |(name, _)| name);
        let (name, place) = SECRET_OPTIONS.iter().find(|(option, _)| *option == name)?;
        Some(Failure::new(
            Exit::Usage,
            "sr_auth::secret_argument",
            format!("{name}: a secret is never an argument, where other users can read it"),
            format!("{place}; if it was a real secret, revoke it: it is in the shell's history"),
        ))
    })
}

/// Keeps values out of the error: one of them may be a secret in the wrong place.
///
/// A number of a few digits is harmless, and so is a word that is nearly one of ours.
fn hide_values(error: &mut clap::Error) {
    let near =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    let near_ours = near.into_iter().any(|kind| error.get(kind).is_some());
    // The argument is what the user wrote only here; elsewhere it is the name of one of ours.
    let unknown = error.kind() == ErrorKind::UnknownArgument;
    let foreign = if unknown { ContextKind::InvalidArg } else { ContextKind::InvalidValue };
    for kind in [foreign, ContextKind::InvalidSubcommand] {
        let Some(ContextValue::String(text)) = error.get(kind) else { continue };
        let text = text.clone();
        let is_word = |word: &str| word.bytes().all(|it| it.is_ascii_lowercase() || it == b'-');
        let is_number = text.len() <= 6 && text.bytes().all(|it| it.is_ascii_digit());
        if is_number || text.is_empty() || (near_ours && is_word(&text)) {
            continue;
        }
        let name = text.split_once('=').map_or(&*text, |(name, _)| name);
        let is_option = unknown && name.starts_with("--") && name.len() <= 24 && is_word(name);
        let shown = if is_option { name } else { NOT_SHOWN };
        // This advice repeats what was written.
        error.remove(ContextKind::Suggested);
        error.insert(kind, ContextValue::String(shown.to_owned()));
        if error.render().to_string().contains(&text) && shown == NOT_SHOWN {
            *error = Arguments::command().error(error.kind(), "a value cannot be used");
        }
    }
}

/// What takes the place of a value in an error.
const NOT_SHOWN: &str = "(not shown)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn k04_an_option_with_a_secret_is_refused_and_its_value_is_not_repeated() {
        for (option, _) in SECRET_OPTIONS {
            for text in [vec![option.to_owned(), "s3cr3t".into()], vec![format!("{option}=s3cr3t")]]
            {
                let arguments: Vec<OsString> = text.into_iter().map(OsString::from).collect();
                let failure = secret_option(&arguments).expect("it is refused");
                assert!(!format!("{failure:?}").contains("s3cr3t"), "{option}");
            }
        }
    }

    #[test]
    fn k04_no_error_repeats_a_value_that_may_be_a_secret() {
        let cases: [&[&str]; 13] = [
            &["s3cr3t"],
            &["help", "s3cr3t"],
            &["token", "s3cr3t"],
            &["token", "--s3cr3t"],
            &["token", "--sekret=s3cr3t"],
            &["token", "--environment", "s3cr3t"],
            &["token", "--environment=productions3cr3t"],
            &["api", "s3cr3t", "/jobs"],
            &["api", "GET", "/jobs", "s3cr3t"],
            &["api", "GET", "/jobs", "--auth", "s3cr3t"],
            &["login", "--timeout", "s3cr3t"],
            &["login", "--print=s3cr3t"],
            &["sandbox", "--approve", "s3cr3t"],
        ];
        for arguments in cases {
            let told = told(arguments);
            assert!(
                told.starts_with("error: ") && !told.contains("s3cr3t"),
                "{arguments:?}: {told}"
            );
        }
        let told = told(&["login", "--timeout", "1234567890123"]);
        assert!(!told.contains("1234567890123"), "{told}");
    }

    #[test]
    fn a_slip_is_shown() {
        let cases: [(&[&str], &str); 5] = [
            (&["tokens"], "tokens"),
            (&["token", "--orgin=x"], "--orgin"),
            (&["token", "--environment", "sandbx"], "sandbx"),
            (&["login", "--timeout", "0"], "'0'"),
            (&["sandbox", "--port", "70000"], "70000"),
        ];
        for (arguments, shown) in cases {
            let told = told(arguments);
            assert!(told.contains(shown), "{arguments:?}: {told}");
        }
    }

    fn told(arguments: &[&str]) -> String {
        let arguments = ["sr-auth"].iter().chain(arguments);
        let mut error = Arguments::try_parse_from(arguments).expect_err("it is refused");
        hide_values(&mut error);
        error.render().to_string()
    }
}
