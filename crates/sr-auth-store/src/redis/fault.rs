//! Errors of the server and of the connection, and whether anything was changed.

use ::redis::{ErrorKind, RedisError, ServerError};
use sr_auth_core::lifecycle::StoreFailure;

use crate::{BackendError, BackendFault, tls};

/// An error after the script was handed to the connection.
///
/// The script decides before it writes, and the server judges its first write as it judges the
/// others: for lack of room, of rights or of a disk nothing is written. An error of another kind,
/// and a connection that was lost, leave it open. When only the proof that follows the script is
/// refused, the script was carried out.
pub(super) fn after_sending(error: RedisError, is_read: bool) -> BackendError {
    let (fault, is_certain) = match error.clone().into_server_errors() {
        Some(refused) => match refused.iter().find(|(place, _)| *place == 0) {
            Some((_, of_script)) => told(of_script),
            None => (BackendFault::NotDurable, false),
        },
        None => untold(&error),
    };
    let failure = match is_read || is_certain {
        true => StoreFailure::NotDone,
        false => StoreFailure::OutcomeUnknown,
    };
    BackendError::new(fault, failure).with_source(error)
}

/// Returns what is wrong by the word of the server, and whether nothing was changed for certain.
fn told(error: &ServerError) -> (BackendFault, bool) {
    match error.code() {
        "ASK" | "MOVED" => (BackendFault::Misconfigured, true),
        "BUSY" => (BackendFault::Busy, true),
        "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "NOSCRIPT" | "TRYAGAIN" => {
            (BackendFault::Unreachable, true)
        }
        "MISCONF" => (BackendFault::Unreadable, true),
        "NOAUTH" | "NOPERM" | "WRONGPASS" => (BackendFault::Refused, true),
        "OOM" => (BackendFault::DiskFull, true),
        "READONLY" => (BackendFault::ReadOnly, true),
        _ => (BackendFault::Corrupted, false),
    }
}

/// Returns what is wrong before the server said anything, or when it said what nobody understands.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library adds kinds; each is a failure")]
fn untold(error: &RedisError) -> (BackendFault, bool) {
    if tls::is_at_fault(error).is_some() {
        // Nothing is written before the server has proven who it is.
        return (BackendFault::Untrusted, true);
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed => (BackendFault::Refused, true),
        ErrorKind::InvalidClientConfig => (BackendFault::Misconfigured, true),
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => (BackendFault::Corrupted, false),
        _ => (BackendFault::Unreachable, false),
    }
}
