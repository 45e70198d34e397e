//! Whether the server writes to its disk before it answers.
//!
//! `WAITAOF`, which Redis has since 7.2, is not used: with `appendfsync always` it adds nothing, and
//! with `everysec` it would hold up everybody who shares the connection for a second.

use std::time::Duration;

use ::redis::{Value, cmd};
use sr_auth_core::lifecycle::StoreFailure;
use tokio::time::timeout;

use super::connect::Link;
use crate::{BackendError, BackendFault, Durability};

/// The settings that matter, as `CONFIG GET` finds them: one pattern, which old servers know too.
pub(super) const PATTERN: &str = "*append*";

/// How often a server whose log is rewritten is looked at, and how long is paused before the next look.
const LOOKS: u32 = 600;
const PAUSE: Duration = Duration::from_millis(100);

/// What has to be set so that no answer is earlier than the disk.
const NEEDED: [(&[u8], &[u8]); 3] =
    [(b"appendfsync", b"always"), (b"appendonly", b"yes"), (b"no-appendfsync-on-rewrite", b"no")];

/// Tells whether settings, names and values in turn, are those that are needed.
pub(super) fn holds(told: &Value) -> bool {
    let pairs = pairs(told);
    NEEDED.iter().all(|needed| pairs.contains(needed))
}

/// Finds out at the start what answers are worth.
///
/// A log that was switched on a moment ago counts only from the end of its first rewrite on, and
/// nothing tells that one from any other: so the end of a rewrite is waited for.
pub(super) async fn durability(link: &Link) -> Result<Durability, BackendError> {
    for _ in 0..LOOKS {
        let log = link.ask(cmd("INFO").arg("persistence")).await?;
        if !is_rewritten(&log) {
            return of_settings(link).await;
        }
        // Nothing else is to be done meanwhile.
        drop(timeout(PAUSE, std::future::pending::<()>()).await);
    }
    Err(BackendError::new(BackendFault::Busy, StoreFailure::NotDone))
}

fn is_rewritten(log: &Value) -> bool {
    let text = bytes(log).map(String::from_utf8_lossy).unwrap_or_default();
    let signs = ["aof_rewrite_in_progress:1", "aof_rewrite_scheduled:1"];
    text.lines().any(|line| signs.contains(&line.trim()))
}

async fn of_settings(link: &Link) -> Result<Durability, BackendError> {
    let appends = link.ask(cmd("CONFIG").arg("GET").arg(PATTERN)).await;
    let evicts = link.ask(cmd("CONFIG").arg("GET").arg("maxmemory-policy")).await;
    let (appends, evicts) = match (appends, evicts) {
        (Ok(appends), Ok(evicts)) => (appends, evicts),
        // Who may not ask is not told, and nothing is proven.
        (Err(error), _) | (_, Err(error)) if is_refusal(&error) => return Ok(Durability::Volatile),
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    // A grant that makes room for others is gone.
    let keeps = pairs(&evicts).contains(&(b"maxmemory-policy", b"noeviction"));
    if keeps && holds(&appends) { Ok(Durability::Durable) } else { Ok(Durability::Volatile) }
}

/// An error that the server told, rather than none at all.
fn is_refusal(error: &BackendError) -> bool {
    error.fault() != BackendFault::Unreachable
}

fn pairs(told: &Value) -> Vec<(&[u8], &[u8])> {
    let Value::Array(told) = told else { return Vec::new() };
    let texts: Vec<&[u8]> = told.iter().filter_map(bytes).collect();
    texts.as_chunks::<2>().0.iter().map(|[name, value]| (*name, *value)).collect()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library adds kinds; none is a text")]
fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_that_wait_for_the_disk_are_a_proof() {
        let good = [("appendonly", "yes"), ("appendfsync", "always")];
        let rewrite = ("no-appendfsync-on-rewrite", "no");
        let cases = [
            ("all of them", vec![good[0], good[1], rewrite], true),
            ("among others", vec![("appendfilename", "a"), rewrite, good[1], good[0]], true),
            ("every second", vec![good[0], ("appendfsync", "everysec"), rewrite], false),
            ("no log", vec![("appendonly", "no"), good[1], rewrite], false),
            (
                "not while it is rewritten",
                vec![good[0], good[1], ("no-appendfsync-on-rewrite", "yes")],
                false,
            ),
            ("untold", vec![good[0], rewrite], false),
            ("nothing", vec![], false),
        ];
        for (name, settings, expected) in cases {
            let texts = settings.into_iter().flat_map(|(name, value)| [name, value]);
            let told = texts.map(|it| Value::BulkString(it.as_bytes().to_vec())).collect();
            assert_eq!(holds(&Value::Array(told)), expected, "{name}");
        }
        assert!(!holds(&Value::Nil), "no answer");
    }

    #[test]
    fn a_log_that_is_rewritten_is_known() {
        let cases = [
            ("at rest", "aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0\r\n", false),
            ("now", "aof_rewrite_in_progress:1\r\naof_rewrite_scheduled:0\r\n", true),
            ("soon", "aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:1\r\n", true),
        ];
        for (name, text, expected) in cases {
            let log = Value::BulkString(text.as_bytes().to_vec());
            assert_eq!(is_rewritten(&log), expected, "{name}");
        }
    }
}
