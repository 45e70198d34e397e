//! Planted faults: the next requests of a kind get something other than the answer.

use std::time::Duration;

use http::{Response, StatusCode};
use serde::Deserialize;
use sr_auth_core::{Endpoints, SecretBytes};

use super::answer;

/// A fault for the next requests that match.
///
/// # Examples
///
/// ```
/// use sr_testkit::{Effect, Fault, Target};
///
/// let fault = Fault::new(Target::Token, Effect::Status { status: 503 }).times(2);
/// let same: Fault = serde_json::from_str(
///     r#"{"target":"token","count":2,"effect":{"kind":"status","status":503}}"#,
/// )?;
/// assert_eq!(fault, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Fault {
    /// Which requests.
    pub target: Target,
    /// How many of them.
    #[serde(default = "once")]
    pub count: u32,
    /// What they get.
    pub effect: Effect,
    /// Whether the request has its effect at the server before its answer is replaced.
    #[serde(default)]
    pub processed: bool,
}

const fn once() -> u32 {
    1
}

/// Which requests a fault waits for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Target {
    /// Every request.
    Any,
    /// Requests to the authorization endpoint.
    Authorize,
    /// Requests with this path.
    Path(String),
    /// Requests to neither the authorization endpoint nor the token endpoint.
    Resources,
    /// Requests to the token endpoint.
    Token,
}

/// What a request with a fault gets.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
#[non_exhaustive]
pub enum Effect {
    /// The right answer, late.
    Delay {
        /// By how much, in milliseconds.
        millis: u64,
    },
    /// `200` with bytes that are no JSON, declared as JSON.
    Garbage,
    /// `200` with a JSON body of so many bytes.
    HugeBody {
        /// The size, in bytes; at most 64 MiB.
        bytes: usize,
    },
    /// The request is processed, and its answer is lost.
    LostAfter,
    /// The request is lost on its way.
    LostBefore,
    /// A redirect.
    Redirect {
        /// The target.
        location: String,
        /// The status, such as 307.
        status: u16,
    },
    /// A status with a short body.
    Status {
        /// The status.
        status: u16,
    },
}

impl Fault {
    /// Makes a fault for one request, which is then not processed.
    #[must_use]
    pub const fn new(target: Target, effect: Effect) -> Self {
        Self { target, count: 1, effect, processed: false }
    }

    /// Sets for how many requests it is.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self { count, ..self }
    }

    /// Has the request processed before its answer is replaced.
    #[must_use]
    pub fn after_processing(self) -> Self {
        Self { processed: true, ..self }
    }
}

impl Effect {
    /// The largest body of [`HugeBody`](Self::HugeBody).
    const LARGEST: usize = 64 * 1024 * 1024;

    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Delay { .. } => "delay",
            Self::Garbage => "garbage",
            Self::HugeBody { .. } => "huge_body",
            Self::LostAfter => "lost_after",
            Self::LostBefore => "lost_before",
            Self::Redirect { .. } => "redirect",
            Self::Status { .. } => "status",
        }
    }

    /// Tells whether it can be sent: its status, if it names one, must be that of an answer.
    #[cfg(feature = "server")]
    pub(crate) const fn is_sendable(&self) -> bool {
        match self {
            Self::Redirect { status, .. } | Self::Status { status } => {
                matches!(*status, 200..=599)
            }
            Self::Delay { .. }
            | Self::Garbage
            | Self::HugeBody { .. }
            | Self::LostAfter
            | Self::LostBefore => true,
        }
    }

    pub(super) const fn delay(&self) -> Duration {
        match self {
            Self::Delay { millis } => Duration::from_millis(*millis),
            Self::Garbage
            | Self::HugeBody { .. }
            | Self::LostAfter
            | Self::LostBefore
            | Self::Redirect { .. }
            | Self::Status { .. } => Duration::ZERO,
        }
    }

    /// Returns the answer that takes the place of the right one.
    pub(super) fn replacement(&self) -> Option<Response<SecretBytes>> {
        let status =
            |code: u16| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match self {
            Self::Delay { .. } | Self::LostAfter | Self::LostBefore => None,
            Self::Garbage => {
                let text = "\u{0}<<not json>> {\"access_token\":".to_owned();
                Some(answer::with_body(StatusCode::OK, answer::JSON, text))
            }
            Self::HugeBody { bytes } => {
                let text = format!("{{\"padding\":\"{}", "x".repeat((*bytes).min(Self::LARGEST)));
                Some(answer::with_body(StatusCode::OK, answer::JSON, text))
            }
            Self::Redirect { location, status: code } => {
                let mut response = answer::empty(status(*code));
                answer::set(&mut response, http::header::LOCATION, location);
                Some(response)
            }
            Self::Status { status: code } => {
                Some(answer::message(status(*code), "a planted fault"))
            }
        }
    }
}

/// The faults that still wait for a request.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes the first fault that waits for such a request.
    pub(super) fn take(&mut self, path: &str) -> Option<Fault> {
        self.0.retain(|fault| fault.count > 0);
        let fault = self.0.iter_mut().find(|fault| fault.target.matches(path))?;
        fault.count -= 1;
        Some(fault.clone())
    }
}

impl Target {
    fn matches(&self, path: &str) -> bool {
        let authorize = path == Endpoints::AUTHORIZATION_PATH;
        let token = path == Endpoints::TOKEN_PATH;
        match self {
            Self::Any => true,
            Self::Authorize => authorize,
            Self::Path(expected) => expected == path,
            Self::Resources => !authorize && !token,
            Self::Token => token,
        }
    }
}
