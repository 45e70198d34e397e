//! The token endpoint (RFC 6749 §3.2): client authentication, and what every grant shares.

mod exchange;

use std::sync::Arc;

use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use sr_auth_core::{ScopeSet, Secret, SecretBytes, Timestamp};

use super::Simulator;
use super::answer::{self, Handled};
use super::fingerprint::{Fingerprint, lookup};
use super::form::{self, Form};
use super::rate_limit::{Budget, Limit};
use super::switches::{
    BasicAuthentication, InvalidClientStatus, RequestScope, TokenErrors, UnreadableBody,
};
use crate::world::Client;

/// Why a token request is refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    code: &'static str,
    reason: &'static str,
}

impl Refusal {
    const CLIENT: &'static str = "invalid_client";

    pub(super) const fn new(code: &'static str, reason: &'static str) -> Self {
        Self { code, reason }
    }

    const fn client(reason: &'static str) -> Self {
        Self { code: Self::CLIENT, reason }
    }
}

/// The members of a successful answer, in the documented order.
pub(super) type Members = Vec<(&'static str, Value)>;

/// What the journal is told of a token request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Named {
    pub(super) grant_type: Option<&'static str>,
    pub(super) is_request: bool,
    pub(super) presented: Option<Fingerprint>,
}

/// Names what a token request asks for; `None` for other requests, and for what cannot be read.
pub(super) fn named(request: &Request<SecretBytes>) -> Option<Named> {
    if request.uri().path() != sr_auth_core::Endpoints::TOKEN_PATH {
        return None;
    }
    let body = request.body().expose();
    let object = looks_like_json(body).then(|| Form::from_json(body)).flatten();
    let form = object.or_else(|| Form::read(body))?;
    let known = ["authorization_code", "client_credentials", "refresh_token"];
    let grant_type = known.into_iter().find(|known| form.get("grant_type") == Some(known));
    let refreshes = grant_type == Some("refresh_token");
    let token = form.get("refresh_token").filter(|_| refreshes);
    let presented = token.map(|it| Fingerprint::of(&Secret::new(it.to_owned())));
    Some(Named { grant_type, is_request: true, presented })
}

impl Simulator {
    /// Answers a token request; the answer tells of a budget, as every answer of the API does.
    pub(super) fn token(&mut self, now: Timestamp, request: &Request<SecretBytes>) -> Handled {
        self.issued = None;
        let mut budget = Budget::untouched(self.token_limit().unwrap_or(Limit::USUAL));
        let mut handled = self.judge_token(now, request, &mut budget);
        budget.write_to(handled.response.headers_mut());
        handled
    }

    fn judge_token(
        &mut self,
        now: Timestamp,
        request: &Request<SecretBytes>,
        budget: &mut Budget,
    ) -> Handled {
        if request.method() != Method::POST {
            return Handled::new(answer::method_not_allowed("POST"))
                .because("the token endpoint takes POST only");
        }
        let body = request.body().expose();
        if looks_like_json(body) && self.switches.unreadable_body == UnreadableBody::EmptyObject {
            let response = answer::uncached_object(StatusCode::OK, &[]);
            return Handled::new(response).because("the body is JSON, not a form");
        }
        let form = match self.read_form(request) {
            Ok(form) => form,
            Err(refusal) => return self.refused(request, refusal),
        };
        let client = match self.authenticate(request, &form) {
            Ok(client) => Arc::clone(client),
            Err(refusal) => return self.refused(request, refusal),
        };
        let credential = Some(Fingerprint::of(&client.secret));
        if let Some(limit) = self.token_limit() {
            match self.limits.take(now, (lookup(&client.id), "token"), limit) {
                Ok((left, slot)) => {
                    self.limits.give_back(slot);
                    *budget = left;
                }
                Err(left) => {
                    *budget = left;
                    return self.throttled("too many token requests").by(credential);
                }
            }
        }
        let handled = match self.exchange(now, &client, &form) {
            Ok(members) => Handled::new(answer::uncached_object(StatusCode::OK, &members)),
            Err(refusal) => self.refused(request, refusal),
        };
        handled.by(credential)
    }

    fn read_form<'a>(&self, request: &'a Request<SecretBytes>) -> Result<Form<'a>, Refusal> {
        let invalid = |reason| Refusal::new("invalid_request", reason);
        if request.uri().query().is_some() {
            return Err(invalid("parameters belong into the body"));
        }
        let body = request.body().expose();
        let form = if looks_like_json(body) {
            if self.switches.unreadable_body != UnreadableBody::AcceptJson {
                return Err(invalid("the body is JSON, not a form"));
            }
            Form::from_json(body)
        } else {
            let kind = request.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
            let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
            if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
                return Err(invalid("the content type is not that of a form"));
            }
            Form::read(body)
        };
        let form = form.ok_or_else(|| invalid("the body cannot be read"))?;
        if form.repeated().is_some() {
            return Err(invalid("a parameter is repeated"));
        }
        Ok(form)
    }

    /// Finds the client: by `Authorization: Basic` or by the body, never by both.
    fn authenticate(
        &self,
        request: &Request<SecretBytes>,
        form: &Form<'_>,
    ) -> Result<&Arc<Client>, Refusal> {
        let refreshes = form.filled("grant_type") == Some("refresh_token");
        let basic = match self.switches.basic {
            BasicAuthentication::NotForRefresh if refreshes => None,
            BasicAuthentication::Accepted | BasicAuthentication::NotForRefresh => {
                request.headers().get(AUTHORIZATION)
            }
            BasicAuthentication::Ignored => None,
        };
        let in_body = (form.filled("client_id"), form.filled("client_secret"));
        let (id, secret) = match (basic, in_body) {
            (Some(_), (_, Some(_))) => {
                return Err(Refusal::new("invalid_request", "two ways of client authentication"));
            }
            (Some(value), (id_in_body, None)) => {
                let pair = value.to_str().ok().and_then(read_basic);
                let (id, secret) = pair.ok_or(Refusal::client("the Basic header is malformed"))?;
                if id_in_body.is_some_and(|it| it != id) {
                    return Err(Refusal::new("invalid_request", "two client ids"));
                }
                (id, secret)
            }
            (None, (Some(id), Some(secret))) => (id.to_owned(), Secret::new(secret.to_owned())),
            (None, _) => return Err(Refusal::client("no client authentication")),
        };
        let client = self.world.shared_client(&id).ok_or(Refusal::client("no such client"))?;
        if !client.takes(&secret) {
            return Err(Refusal::client("the client secret is wrong"));
        }
        Ok(client)
    }

    fn token_limit(&self) -> Option<Limit> {
        let per_second = self.switches.token_limit?;
        Some(Limit { per_second, ..Limit::USUAL })
    }

    /// Returns the scopes of a new token, of those that its grant allows.
    pub(super) fn narrowed(
        &self,
        form: &Form<'_>,
        granted: &Arc<ScopeSet>,
    ) -> Result<Arc<ScopeSet>, Refusal> {
        let Some(asked) = form.filled("scope") else { return Ok(Arc::clone(granted)) };
        let refusal = |reason| Refusal::new("invalid_scope", reason);
        match self.switches.request_scope {
            RequestScope::Ignored => Ok(Arc::clone(granted)),
            RequestScope::Refused => Err(refusal("no scope may be named here")),
            RequestScope::Honoured => {
                let asked = ScopeSet::parse(asked).map_err(|_| refusal("a scope is malformed"))?;
                if asked.iter().all(|scope| granted.contains(scope)) {
                    return Ok(Arc::new(asked));
                }
                Err(refusal("a scope was not granted"))
            }
        }
    }

    fn refused(&self, request: &Request<SecretBytes>, refusal: Refusal) -> Handled {
        let Refusal { code, reason } = refusal;
        let status = match self.switches.invalid_client_status {
            InvalidClientStatus::Unauthorized if code == Refusal::CLIENT => {
                StatusCode::UNAUTHORIZED
            }
            InvalidClientStatus::BadRequest | InvalidClientStatus::Unauthorized => {
                StatusCode::BAD_REQUEST
            }
        };
        let response = match self.switches.token_errors {
            TokenErrors::Empty => answer::empty(status),
            TokenErrors::EmptyObject => answer::uncached_object(StatusCode::OK, &[]),
            TokenErrors::Rfc => answer::uncached_object(
                status,
                &[("error", json!(code)), ("error_description", json!(reason))],
            ),
            TokenErrors::SmartRecruiters => answer::coded(status, &code.to_uppercase(), reason),
        };
        let handled = Handled::new(response).because(reason);
        let unauthorized = handled.response.status() == StatusCode::UNAUTHORIZED;
        if unauthorized && request.headers().contains_key(AUTHORIZATION) {
            return handled.header(WWW_AUTHENTICATE, "Basic realm=\"SmartRecruiters\"");
        }
        handled
    }
}

fn looks_like_json(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

/// Reads id and secret, each form-encoded before base64 (RFC 6749 §2.3.1).
fn read_basic(header: &str) -> Option<(String, Secret)> {
    use base64::Engine as _;
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let pair = base64::engine::general_purpose::STANDARD.decode(encoded.trim()).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    let (id, secret) = pair.split_at(colon);
    let secret = form::decode(secret.get(1..)?)?;
    Some((form::decode(id)?.into_owned(), Secret::new(secret.into_owned())))
}
