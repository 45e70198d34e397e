//! The request to our token endpoint (RFC 6749 §4.4.2), as SmartRecruiters or a stranger sends it.
//!
//! How SmartRecruiters authenticates is not documented, so both ways are taken: the form body, as its
//! webhooks do, and Basic. Judged in this order, none of which depends on whether the client exists:
//! method, URI, content type, size, form, grant type, client authentication.

use std::fmt;

use base64::Engine as _;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use sr_auth_core::{Secret, SecretBytes};

use super::query::{Form, FormFault, decode};

/// The longest body that is read, in bytes.
pub const BODY_LIMIT: usize = 8 * 1024;

/// The most parameters that are read.
pub const PARAMETER_LIMIT: usize = super::query::PAIRS;

/// A token request whose client is not yet authenticated.
pub struct TokenForm {
    client_id: String,
    in_header: bool,
    scope: Option<String>,
    secret: Secret,
}

impl fmt::Debug for TokenForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A stranger may have put anything into the place of the id, a secret included.
        f.debug_struct("TokenForm").field("in_header", &self.in_header).finish_non_exhaustive()
    }
}

/// Why a token request is refused before anybody looks for its client.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum TokenFormFault {
    /// No client authentication, or none that can be read: `invalid_client`.
    Client {
        /// Whether it was tried in the header, which is then asked for (RFC 6749 §5.2).
        in_header: bool,
    },
    /// Not a form: 415.
    ContentType,
    /// Another grant type than client credentials: `unsupported_grant_type`.
    GrantType,
    /// Not POST: 405.
    Method,
    /// Malformed, a parameter that is repeated, missing or in the URI, two ways of authentication:
    /// `invalid_request`.
    Request,
    /// Longer than [`BODY_LIMIT`]: 413.
    TooLong,
}

impl TokenForm {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// See [`TokenFormFault`].
    pub fn read(request: &Request<SecretBytes>) -> Result<Self, TokenFormFault> {
        if request.method() != Method::POST {
            return Err(TokenFormFault::Method);
        }
        if request.uri().query().is_some_and(|query| !query.is_empty()) {
            return Err(TokenFormFault::Request);
        }
        if !is_form(request) {
            return Err(TokenFormFault::ContentType);
        }
        let body = request.body().expose();
        if body.len() > BODY_LIMIT {
            return Err(TokenFormFault::TooLong);
        }
        let form = Form::read(body).map_err(|fault| match fault {
            FormFault::Malformed | FormFault::Repeated | FormFault::TooMany => {
                TokenFormFault::Request
            }
        })?;
        match form.filled("grant_type") {
            Some("client_credentials") => {}
            Some(_) => return Err(TokenFormFault::GrantType),
            None => return Err(TokenFormFault::Request),
        }
        let (client_id, secret, in_header) = authentication(request, &form)?;
        let scope = form.filled("scope").map(str::to_owned);
        Ok(Self { client_id, in_header, scope, secret })
    }

    /// Returns the client that is named.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Tells whether the client authenticated by `Authorization: Basic`.
    #[must_use]
    pub const fn in_header(&self) -> bool {
        self.in_header
    }

    /// Returns the scopes that are asked for, if any are named.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// Returns the secret that was presented.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }
}

fn is_form(request: &Request<SecretBytes>) -> bool {
    let mut kinds = request.headers().get_all(CONTENT_TYPE).iter();
    let (kind, second) = (kinds.next(), kinds.next());
    let kind = kind.and_then(|it| it.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim_matches([' ', '\t']);
    second.is_none() && kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Finds id and secret: in the header or in the body, never in both.
fn authentication(
    request: &Request<SecretBytes>,
    form: &Form<'_>,
) -> Result<(String, Secret, bool), TokenFormFault> {
    let mut values = request.headers().get_all(AUTHORIZATION).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(TokenFormFault::Request);
    }
    let in_body = (form.filled("client_id"), form.filled("client_secret"));
    match (first, in_body) {
        (Some(_), (_, Some(_))) => Err(TokenFormFault::Request),
        (Some(value), (id_in_body, None)) => {
            let pair = value.to_str().ok().and_then(read_basic);
            let (id, secret) = pair.ok_or(TokenFormFault::Client { in_header: true })?;
            if id_in_body.is_some_and(|it| it != id) {
                return Err(TokenFormFault::Request);
            }
            Ok((id, secret, true))
        }
        (None, (Some(id), Some(secret))) => {
            Ok((id.to_owned(), Secret::new(secret.to_owned()), false))
        }
        (None, _) => Err(TokenFormFault::Client { in_header: false }),
    }
}

/// Reads id and secret, each form-encoded before base64 (RFC 6749 §2.3.1).
fn read_basic(header: &str) -> Option<(String, Secret)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = base64::engine::general_purpose::STANDARD.decode(encoded.trim_matches(' ')).ok()?;
    let pair = zeroize::Zeroizing::new(pair);
    let colon = pair.iter().position(|byte| *byte == b':')?;
    let (id, secret) = pair.split_at(colon);
    let secret = decode(secret.get(1..)?)?;
    Some((decode(id)?.into_owned(), Secret::new(secret.into_owned())))
}
