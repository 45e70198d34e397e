//! The answer of the token endpoint (RFC 6749 §5), and what it means for what was sent.
//!
//! Tolerances, each with a test named after it:
//!
//! - an answer without `token_type` is bearer: the documented refresh answer has none; `bearer` in
//!   any letter case;
//! - `200 {}` is a failure without a token: the service is known to answer so;
//! - `expires_in` may be a number, a numeric text, negative, huge or missing;
//! - a missing `scope` means *as requested*, an empty one grants nothing;
//! - an error may be RFC 6749's object, the resource API's object, or no JSON at all.

mod class;
mod success;

pub use class::TokenAnswer;
pub use success::TokenResponse;

use http::Response;

use super::retry_after;
use crate::{SecretBytes, Timestamp};

/// The longest body that is read, in bytes. A transport hands over at most one byte more, and that
/// byte makes the answer [`ServerMisbehaved::TooLong`](crate::ServerMisbehaved::TooLong).
pub const BODY_LIMIT: usize = 64 * 1024;

/// Sorts an answer by what it means: the status first, then the body.
///
/// `sent_at` is when the request was sent: lives are counted from there. `now` is only used for a
/// `Retry-After` that names a date.
#[must_use]
pub fn classify(
    response: &Response<SecretBytes>,
    sent_at: Timestamp,
    now: Timestamp,
) -> TokenAnswer {
    let (status, headers) = (response.status(), response.headers());
    let body = response.body().expose();
    let retry_after = retry_after::read(headers, now);
    if status.is_success() {
        // A clock that was set back since must not lengthen a life.
        return success::read(status, body, sent_at.min(now), retry_after);
    }
    class::refusal(status, headers, body, retry_after)
}

/// Sorts the part of an answer that arrived before the connection broke: the answer it would have
/// been if nothing is missing, or else what can be saved from it.
///
/// `None` when there is nothing in it: whether the server acted is unknown.
#[must_use]
pub fn classify_part(
    received: &Response<SecretBytes>,
    sent_at: Timestamp,
    now: Timestamp,
) -> Option<TokenAnswer> {
    match classify(received, sent_at, now) {
        answer @ (TokenAnswer::Granted(_) | TokenAnswer::Unusable { salvaged: Some(_), .. }) => {
            Some(answer)
        }
        TokenAnswer::ClientRefused(_)
        | TokenAnswer::GrantRefused(_)
        | TokenAnswer::RequestRefused(_)
        | TokenAnswer::ServerFault { .. }
        | TokenAnswer::Throttled { .. }
        | TokenAnswer::Unrecognised(_)
        | TokenAnswer::Unusable { salvaged: None, .. } => None,
    }
}
