//! Who is calling, and what that allows.

use std::sync::Arc;

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode};
use sr_auth_core::{Authorization, Scope, ScopeSet, SecretBytes, SecretDigest, Timestamp};

use super::Simulator;
use super::answer;
use super::fingerprint::{Fingerprint, Lookup, lookup};
use super::form::Form;
use super::switches::MissingScope;
use crate::world::{ClientKind, KeyHolder, SystemRole};

/// Who calls.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// Somebody for a company.
    Company(CompanyCaller),
    /// A partner with a token of its master credentials, for the application of this id.
    Master(String),
    /// A partner with its key.
    Partner,
}

/// Somebody who acts for a company.
#[derive(Clone, Debug)]
pub(super) struct CompanyCaller {
    /// The id of the company.
    pub(super) company: String,
    /// What the role allows.
    pub(super) role: SystemRole,
    /// The granted scopes; `None` for an API key, which has none and needs none.
    pub(super) scopes: Option<Arc<ScopeSet>>,
    /// The user who gave consent, if one did.
    pub(super) user: Option<String>,
}

/// A caller, and the credential that the caller's budget hangs on.
#[derive(Clone, Debug)]
pub(super) struct Identified {
    pub(super) budget: Lookup,
    pub(super) caller: Caller,
    pub(super) fingerprint: Fingerprint,
}

/// Why nobody was identified.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unidentified {
    /// A credential that is worth nothing.
    Invalid { fingerprint: Fingerprint, reason: &'static str },
    /// No credential at all.
    Missing,
    /// More than one, or one that cannot be read.
    Unclear(&'static str),
}

impl Simulator {
    /// Looks at the `apiKey` parameter first, as the service does, then at the headers.
    pub(super) fn identify(
        &self,
        now: Timestamp,
        request: &Request<SecretBytes>,
    ) -> Result<Identified, Unidentified> {
        let query = request.uri().query().unwrap_or_default();
        let query = Form::read(query.as_bytes());
        if let Some(key) = query.as_ref().and_then(|form| form.get("apiKey")) {
            return self.partner_key(key);
        }
        let mut keys = request.headers().get_all(Authorization::SMART_TOKEN).iter();
        let mut bearers = request.headers().get_all(AUTHORIZATION).iter();
        let first = (keys.next(), bearers.next());
        if keys.next().is_some() || bearers.next().is_some() {
            return Err(Unidentified::Unclear("a credential is repeated"));
        }
        match first {
            (None, None) => Err(Unidentified::Missing),
            (Some(_), Some(_)) => Err(Unidentified::Unclear("two credentials")),
            (Some(key), None) => match key.to_str() {
                Ok(key) => self.smart_token(key),
                Err(_) => Err(Unidentified::Unclear("the key cannot be read")),
            },
            (None, Some(value)) => match value.to_str().ok().and_then(|it| it.split_once(' ')) {
                Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => {
                    self.bearer(now, token.trim())
                }
                _ => Err(Unidentified::Unclear("the authorization header cannot be read")),
            },
        }
    }

    fn partner_key(&self, key: &str) -> Result<Identified, Unidentified> {
        match self.smart_token(key) {
            Ok(Identified { caller: Caller::Company(_), fingerprint, .. }) => {
                let reason = "a company's key is no partner's key";
                Err(Unidentified::Invalid { fingerprint, reason })
            }
            identified => identified,
        }
    }

    fn smart_token(&self, text: &str) -> Result<Identified, Unidentified> {
        let digest = lookup(text);
        let fingerprint = Fingerprint::of_digest(&SecretDigest::from_bytes(digest));
        let Some(key) = self.world.key(&digest) else {
            return Err(Unidentified::Invalid { fingerprint, reason: "no such key" });
        };
        let caller = match &key.holder {
            KeyHolder::Company(company) => Caller::Company(CompanyCaller {
                company: company.clone(),
                role: SystemRole::Administrator,
                scopes: None,
                user: None,
            }),
            KeyHolder::Partner(_) => Caller::Partner,
        };
        Ok(Identified { budget: digest, caller, fingerprint })
    }

    fn bearer(&self, now: Timestamp, token: &str) -> Result<Identified, Unidentified> {
        let digest = lookup(token);
        let fingerprint = Fingerprint::of_digest(&SecretDigest::from_bytes(digest));
        let invalid = |reason| Unidentified::Invalid { fingerprint, reason };
        let access = self.ledger.access(&digest).ok_or_else(|| invalid("no such access token"))?;
        if now >= access.expires_at {
            return Err(invalid("the access token has expired"));
        }
        if self.ledger.is_killed(access) {
            return Err(invalid("the access token was replaced"));
        }
        let client = self.world.client(&access.client);
        let client = client.ok_or_else(|| invalid("the client was revoked"))?;
        if let Some(caller) = Self::master_of(client) {
            return Ok(Identified { budget: lookup(&access.client), caller, fingerprint });
        }
        let scopes = Some(Arc::clone(&access.scopes));
        let caller = match (&client.kind, access.grant) {
            (ClientKind::Service { company, role }, None) => {
                CompanyCaller { company: company.clone(), role: *role, scopes, user: None }
            }
            (_, grant) => {
                let grant = grant.and_then(|id| self.ledger.grant(id));
                let grant = grant.filter(|it| !it.revoked);
                let grant = grant.ok_or_else(|| invalid("the grant was revoked"))?;
                let user = self.world.user(&grant.user).filter(|user| user.active);
                let user = user.ok_or_else(|| invalid("the user is gone"))?;
                let (company, id) = (user.company.clone(), user.id.clone());
                CompanyCaller { company, role: user.role, scopes, user: Some(id) }
            }
        };
        // The budget is the client's for one company, whichever of its tokens is used.
        let budget = lookup(&format!("{} {}", access.client, caller.company));
        Ok(Identified { budget, caller: Caller::Company(caller), fingerprint })
    }

    /// The answer to a caller who is nobody (RFC 6750 §3).
    pub(super) fn unidentified(&self, why: Unidentified) -> Response<SecretBytes> {
        let body = self.switches.unauthorized_body;
        let (status, challenge, text) = match why {
            Unidentified::Invalid { .. } => (
                StatusCode::UNAUTHORIZED,
                "Bearer error=\"invalid_token\", error_description=\"The credential is not valid\"",
                "Invalid credentials",
            ),
            Unidentified::Missing => {
                (StatusCode::UNAUTHORIZED, "Bearer", "Authentication is required")
            }
            Unidentified::Unclear(_) => (
                StatusCode::BAD_REQUEST,
                "Bearer error=\"invalid_request\"",
                "Credentials cannot be read",
            ),
        };
        let mut response = answer::undocumented(status, body, text);
        answer::set(&mut response, WWW_AUTHENTICATE, challenge);
        response
    }
}

impl CompanyCaller {
    /// Judges API access, scope and role, in this order, and says what is missing.
    pub(super) fn refusal(
        &self,
        api_access: bool,
        any_of: &[&str],
        role: Option<SystemRole>,
        missing_scope: MissingScope,
    ) -> Option<(Response<SecretBytes>, &'static str)> {
        let forbidden = StatusCode::FORBIDDEN;
        if !api_access {
            let response = answer::message(forbidden, "No access to feature: Customer API");
            return Some((response, "the company has no API access"));
        }
        let holds = |name: &&str| {
            let scope = Scope::new(name).ok();
            self.scopes.as_ref().is_none_or(|scopes| scope.is_some_and(|it| scopes.contains(&it)))
        };
        if !any_of.iter().any(holds) {
            let response = without_scope(missing_scope, any_of);
            return Some((response, "a scope is missing"));
        }
        if role.is_some_and(|role| role != self.role) {
            let response = answer::message(forbidden, "The system role does not allow this");
            return Some((response, "the system role does not allow it"));
        }
        None
    }

    /// Tells whether the caller sees everything of the company, or only what is their own.
    pub(super) fn sees_all(&self) -> bool {
        self.role != SystemRole::Standard
    }
}

fn without_scope(shape: MissingScope, any_of: &[&str]) -> Response<SecretBytes> {
    const EXCEPTION: &str = "OAuthPermissionsException";
    let forbidden = StatusCode::FORBIDDEN;
    let text = format!("Missing required scopes: {}", any_of.join(","));
    match shape {
        MissingScope::Challenge => {
            let mut response = answer::message(forbidden, &text);
            let challenge = format!(
                "Bearer scope=\"{}\", error=\"insufficient_scope\", \
                 error_description=\"Insufficient scope for this resource\"",
                any_of.join(" ")
            );
            answer::set(&mut response, WWW_AUTHENTICATE, &challenge);
            response
        }
        MissingScope::ExceptionCode => answer::coded(forbidden, EXCEPTION, &text),
        MissingScope::ExceptionMessage => answer::message(forbidden, EXCEPTION),
    }
}
