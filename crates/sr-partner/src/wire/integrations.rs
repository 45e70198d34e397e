//! `POST …/integrations`: our request, and what its answer means.
//!
//! The status is judged first. Only an answer that proves that the request was not carried out is a
//! refusal; whatever else is no credentials leaves open what the service has done.

use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use sr_auth_core::wire::api_refusal::{self, ApiRefusal};
use sr_auth_core::{
    AccessToken, ApiOrigin, ClientCredentials, Secret, SecretBytes, ServerText, Timestamp,
};

use crate::store::Integrated;
use crate::{IntegrationId, IntegrationKey, OutboundCredentials, Profile};

/// The longest answer that is read, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// The body of the request, in the documented order of its members.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
}

/// Writes the request that asks for a company's credentials and brings ours.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "a checked origin and unreserved ids make a URL")]
pub fn request(
    profile: Profile,
    api: &ApiOrigin,
    key: &IntegrationKey,
    outbound: Option<&OutboundCredentials>,
    master: &AccessToken,
) -> Request<SecretBytes> {
    let general = profile == Profile::General;
    let path = match profile {
        Profile::Assessment => format!("{}{}", Profile::ASSESSMENT_PATH, key.company),
        Profile::General => Profile::GENERAL_PATH.to_owned(),
    };
    let url = api.url(&path).expect("a checked origin and unreserved ids make a URL");
    let body = Body {
        app_id: general.then(|| key.app.as_str()),
        company_id: general.then(|| key.company.as_str()),
        client_id: outbound.map(|it| it.id().as_str()),
        client_secret: outbound.map(|it| it.secret().expose()),
    };
    // Ids are short, and our pair has a fixed length.
    let mut request = Request::new(super::json(&body, 1_024));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url.parse().expect("a checked origin and unreserved ids make a URL");
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(ACCEPT, json.clone());
    request.headers_mut().insert(CONTENT_TYPE, json);
    master.authorization().apply_to(request.headers_mut());
    request
}

/// What an answer means.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a machine that skips a meaning is broken")]
pub enum IntegrationAnswer {
    /// 409: the integration is there already. Nothing was changed.
    Duplicate,
    /// The company's credentials.
    Integrated(Integrated<Secret>),
    /// Another refusal: nothing was changed.
    Refused {
        /// The server's own words. Text from the server.
        message: Option<ServerText>,
        /// The HTTP status.
        status: u16,
    },
    /// 429: not carried out.
    Throttled {
        /// When the server asks to be called again, if it does.
        retry_at: Option<Timestamp>,
    },
    /// 401: the master token is not accepted, so nothing was done.
    Unauthenticated,
    /// A fault of the server, a redirect, or a success without credentials: nobody knows what was
    /// done.
    Unclear,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    client_id: String,
    client_secret: String,
    #[serde(default)]
    integration_id: Option<String>,
}

/// Sorts an answer; `now` is when it arrived.
#[must_use]
pub fn classify(response: &Response<SecretBytes>, now: Timestamp) -> IntegrationAnswer {
    let status = response.status();
    if status.is_success() {
        return read(response.body())
            .map_or(IntegrationAnswer::Unclear, IntegrationAnswer::Integrated);
    }
    match status {
        StatusCode::UNAUTHORIZED => IntegrationAnswer::Unauthenticated,
        StatusCode::CONFLICT => IntegrationAnswer::Duplicate,
        StatusCode::TOO_MANY_REQUESTS => {
            let retry_at = match ApiRefusal::read(response, now) {
                Some(ApiRefusal::Throttled { retry_at }) => retry_at,
                _ => None,
            };
            IntegrationAnswer::Throttled { retry_at }
        }
        // The server gave up waiting: whether it had read enough to act is its secret.
        StatusCode::REQUEST_TIMEOUT => IntegrationAnswer::Unclear,
        status if status.is_client_error() => IntegrationAnswer::Refused {
            message: api_refusal::message(response),
            status: status.as_u16(),
        },
        _ => IntegrationAnswer::Unclear,
    }
}

/// Looks for credentials in the part of an answer that arrived before the connection broke.
#[must_use]
pub fn salvage(received: &Response<SecretBytes>) -> Option<Integrated<Secret>> {
    received.status().is_success().then(|| read(received.body())).flatten()
}

fn read(body: &SecretBytes) -> Option<Integrated<Secret>> {
    let body = body.expose();
    if body.len() > BODY_LIMIT || !body.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let answer: Credentials = serde_json::from_slice(body).ok()?;
    let secret = Secret::new(answer.client_secret);
    // What could not be sent to the token endpoint is no credential.
    let client = ClientCredentials::new(&answer.client_id, secret.clone()).ok()?;
    let integration = answer.integration_id.and_then(|it| IntegrationId::new(&it).ok());
    Some(Integrated { client_id: client.id().clone(), integration, secret })
}
