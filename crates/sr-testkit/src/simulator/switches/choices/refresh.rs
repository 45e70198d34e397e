//! Switches of the refresh.

use super::Choice;

/// What a refresh does to the access token before it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum OldAccessToken {
    /// It lives to its end.
    #[default]
    Lives,
    /// It dies at once.
    Dies,
}

impl Choice for OldAccessToken {
    const ALL: &'static [(&'static str, Self)] = &[("lives", Self::Lives), ("dies", Self::Dies)];
}

/// Whether the answer to a refresh carries `token_type`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum RefreshTokenType {
    /// It does not, as on the page.
    #[default]
    Absent,
    /// It does, as RFC 6749 §5.1 demands.
    Present,
}

impl Choice for RefreshTokenType {
    const ALL: &'static [(&'static str, Self)] =
        &[("absent", Self::Absent), ("present", Self::Present)];
}

/// Whether a refresh brings a new refresh token.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Successor {
    /// It does, as documented.
    #[default]
    Always,
    /// It does not, and the old one stays valid for the rest of its days (RFC 6749 §6).
    Kept,
    /// It does not, though the old one is spent: the grant ends with the access token.
    Omitted,
}

impl Choice for Successor {
    const ALL: &'static [(&'static str, Self)] =
        &[("always", Self::Always), ("kept", Self::Kept), ("omitted", Self::Omitted)];
}
