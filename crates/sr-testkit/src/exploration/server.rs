//! The token endpoint: one grant, and the chain of its refresh tokens.

use std::time::Duration;

use http::{Response, StatusCode};
use sr_auth_core::{SecretBytes, Timestamp};

use super::case::ServerMode;

/// How long a spent token is taken in [`ServerMode::Grace`].
pub(super) const GRACE: Duration = Duration::from_secs(600);

/// The token endpoint. Tokens are numbers: `a1`, `a2`, … and `r1`, `r2`, ….
#[derive(Clone, Debug)]
pub(super) struct Server {
    accesses: u8,
    /// The refresh token that it takes.
    pub(super) live: Option<u8>,
    mode: ServerMode,
    refreshes: u8,
    /// Each token that was spent, its successor, and when it was spent.
    pub(super) spent: Vec<(u8, u8, Timestamp)>,
}

/// What the server makes of a presentation.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Answer {
    /// An access token, and mostly a refresh token.
    Granted { access: u8, refresh: Option<u8> },
    /// 400 `invalid_grant`.
    InvalidGrant,
    /// Something else.
    Odd(OddAnswer),
    /// A success that brings a refresh token and cannot be read.
    Salvageable { refresh: u8 },
}

/// An answer that is none of the two usual ones.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum OddAnswer {
    /// 503, and the request was processed.
    Faulty,
    /// 401 `invalid_client`.
    InvalidClient,
    /// 400 `invalid_scope`.
    InvalidScope,
    /// 429.
    Throttled,
    /// 403, for a reason that nobody knows.
    Unrecognised,
}

impl OddAnswer {
    /// Tells whether the request is processed all the same.
    pub(super) const fn is_processed(self) -> bool {
        matches!(self, Self::Faulty)
    }
}

/// What the server did to the grant while it answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Deed {
    Nothing,
    /// A spent token came: everything was revoked.
    Revoked,
}

impl Server {
    pub(super) const fn new(mode: ServerMode) -> Self {
        Self { accesses: 1, live: Some(1), mode, refreshes: 1, spent: Vec::new() }
    }

    /// A person consents anew: the old chain ends, and another begins.
    pub(super) fn consent(&mut self) -> (u8, u8) {
        let access = self.access();
        self.refreshes += 1;
        self.live = Some(self.refreshes);
        // The tokens of another consent are no business of this one.
        self.spent.clear();
        (access, self.refreshes)
    }

    /// Processes a presentation.
    pub(super) fn present(&mut self, now: Timestamp, token: u8) -> (Answer, Deed) {
        if self.live == Some(token) {
            self.refreshes += 1;
            let successor = self.refreshes;
            self.live = Some(successor);
            self.spent.push((token, successor, now));
            let access = self.access();
            return (Answer::Granted { access, refresh: Some(successor) }, Deed::Nothing);
        }
        let again = self.spent.iter().find(|(spent, ..)| *spent == token).copied();
        match (self.mode, again) {
            (ServerMode::Grace, Some((_, successor, at)))
                if self.live == Some(successor) && now.since(at) <= GRACE =>
            {
                let access = self.access();
                (Answer::Granted { access, refresh: Some(successor) }, Deed::Nothing)
            }
            (ServerMode::Family, Some(_)) if self.live.is_some() => {
                self.live = None;
                (Answer::InvalidGrant, Deed::Revoked)
            }
            _ => (Answer::InvalidGrant, Deed::Nothing),
        }
    }

    /// Answers with an access token alone; the refresh token lives on.
    pub(super) fn present_without_successor(&mut self, token: u8) -> Answer {
        if self.live == Some(token) {
            return Answer::Granted { access: self.access(), refresh: None };
        }
        Answer::InvalidGrant
    }

    fn access(&mut self) -> u8 {
        self.accesses += 1;
        self.accesses
    }
}

impl Answer {
    /// Returns the refresh token that the answer carries.
    pub(super) const fn refresh(self) -> Option<u8> {
        match self {
            Self::Granted { refresh, .. } => refresh,
            Self::Salvageable { refresh } => Some(refresh),
            Self::InvalidGrant | Self::Odd(_) => None,
        }
    }

    /// Tells whether the request may have been processed, for all that its sender knows.
    pub(super) const fn is_doubtful(self) -> bool {
        matches!(self, Self::Odd(OddAnswer::Faulty))
    }

    /// Returns what it is called in tables.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Granted { refresh: Some(_), .. } => "tokens",
            Self::Granted { refresh: None, .. } => "an access token alone",
            Self::InvalidGrant => "400 `invalid_grant`",
            Self::Odd(OddAnswer::Faulty) => "503",
            Self::Odd(OddAnswer::InvalidClient) => "401 `invalid_client`",
            Self::Odd(OddAnswer::InvalidScope) => "400 `invalid_scope`",
            Self::Odd(OddAnswer::Throttled) => "429",
            Self::Odd(OddAnswer::Unrecognised) => "a refusal that nobody knows",
            Self::Salvageable { .. } => "a refresh token in a broken success",
        }
    }

    /// Writes it as it arrives.
    pub(super) fn to_http(self) -> Response<SecretBytes> {
        let (status, body) = match self {
            Self::Granted { access, refresh: Some(refresh) } => (
                StatusCode::OK,
                format!(
                    r#"{{"access_token":"a{access}","expires_in":1799,"refresh_token":"r{refresh}"}}"#
                ),
            ),
            Self::Granted { access, refresh: None } => {
                (StatusCode::OK, format!(r#"{{"access_token":"a{access}","expires_in":1799}}"#))
            }
            Self::InvalidGrant => error(StatusCode::BAD_REQUEST, "invalid_grant"),
            Self::Odd(OddAnswer::Faulty) => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
            Self::Odd(OddAnswer::InvalidClient) => {
                error(StatusCode::UNAUTHORIZED, "invalid_client")
            }
            Self::Odd(OddAnswer::InvalidScope) => error(StatusCode::BAD_REQUEST, "invalid_scope"),
            Self::Odd(OddAnswer::Throttled) => (StatusCode::TOO_MANY_REQUESTS, String::new()),
            Self::Odd(OddAnswer::Unrecognised) => error(StatusCode::FORBIDDEN, "locked"),
            Self::Salvageable { refresh } => {
                (StatusCode::OK, format!(r#"{{"refresh_token":"r{refresh}","access_token":7}}"#))
            }
        };
        let mut response = Response::new(SecretBytes::new(body.into_bytes()));
        *response.status_mut() = status;
        response
    }
}

fn error(status: StatusCode, code: &str) -> (StatusCode, String) {
    (status, format!(r#"{{"error":"{code}"}}"#))
}
