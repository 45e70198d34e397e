//! What `-v` shows: the events of our own crates, which hold no secret.

use tracing_subscriber::EnvFilter;

use crate::environment;
use crate::exit::Failure;

/// Names the variable that sets the level without a flag.
const VARIABLE: &str = "SR_AUTH_LOG";

/// Starts to write events to standard error.
///
/// Only our own target can be shown: other libraries do not promise to leave secrets out.
pub(crate) fn start(verbose: u8) -> Result<(), Failure> {
    let level = match (verbose, environment::text(VARIABLE)?) {
        (0, None) => return Ok(()),
        (0, Some(level)) => level,
        (1, _) => "debug".to_owned(),
        (_, _) => "trace".to_owned(),
    };
    if !["error", "warn", "info", "debug", "trace"].contains(&level.as_str()) {
        return Err(Failure::usage(
            format!("{VARIABLE} is no level"),
            "use one of: error, warn, info, debug, trace",
        ));
    }
    let started = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("off,sr_auth={level}")))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
    started.map_err(|_| Failure::usage("events are shown already", "start the program anew"))
}
