//! Switches of the General Partner Integration.

use super::Choice;

/// How SmartRecruiters authenticates at a partner's token endpoint, which is not documented.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum PartnerAuthentication {
    /// In the form body, as its webhooks do.
    #[default]
    Body,
    /// By `Authorization: Basic`.
    Basic,
}

impl Choice for PartnerAuthentication {
    const ALL: &'static [(&'static str, Self)] = &[("body", Self::Body), ("basic", Self::Basic)];
}

/// Reads how often a request to a partner is repeated: 9 times at most, since each is waited for.
pub(in crate::simulator::switches) fn read_retries(slot: &mut Option<u32>, text: &str) -> bool {
    let retries = match text {
        "none" => None,
        text => match text.parse() {
            Ok(times @ 1..=9) => Some(times),
            Ok(_) | Err(_) => return false,
        },
    };
    *slot = retries;
    true
}

/// What a second exchange of credentials for the same company does, which is not documented.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum RepeatedIntegration {
    /// 409: it is there already.
    #[default]
    Refused,
    /// New credentials; those before are worth nothing any more.
    Replaces,
    /// New credentials beside those before.
    Adds,
    /// The credentials of before, for the partner's new ones.
    Same,
}

impl Choice for RepeatedIntegration {
    const ALL: &'static [(&'static str, Self)] = &[
        ("refused", Self::Refused),
        ("replaces", Self::Replaces),
        ("adds", Self::Adds),
        ("same", Self::Same),
    ];
}

/// What an exchange of credentials without the customer's consent gets.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum UnconsentedIntegration {
    /// 403.
    #[default]
    Forbidden,
    /// 404.
    NotFound,
    /// Credentials all the same.
    Accepted,
}

impl Choice for UnconsentedIntegration {
    const ALL: &'static [(&'static str, Self)] =
        &[("403", Self::Forbidden), ("404", Self::NotFound), ("accepted", Self::Accepted)];
}
