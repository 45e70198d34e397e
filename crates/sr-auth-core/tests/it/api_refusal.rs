//! Refusals of the resource API: which of them a new token would cure, and which not.

use http::{HeaderValue, header::WWW_AUTHENTICATE};
use sr_auth_core::wire::api_refusal::{ApiRefusal, message};
use sr_auth_core::{Remedy, ScopeSet};

use crate::fixture::{answer, at};

#[test]
fn refusals_of_the_resource_api_are_told_apart() {
    let missing = |names: &str| ApiRefusal::MissingScope {
        needed: ScopeSet::parse(names).expect("valid scopes"),
    };
    let scope = r#"Bearer scope="jobs_read", error="insufficient_scope""#;
    let cases = [
        ("the header names the scopes", 403, scope, "", Some(missing("jobs_read"))),
        (
            "the body names the scopes",
            403,
            "",
            r#"{"message":"Missing required scopes: jobs_read,jobs_manage"}"#,
            Some(missing("jobs_read jobs_manage")),
        ),
        (
            "the documented exception, as a code",
            403,
            "",
            r#"{"message":"no","errors":[{"code":"OAuthPermissionsException"}]}"#,
            Some(missing("")),
        ),
        (
            "the documented exception, as a message",
            403,
            "",
            r#"{"message":"OAuthPermissionsException: jobs_read"}"#,
            Some(missing("")),
        ),
        (
            "no subscription",
            403,
            "",
            r#"{"message":"No access to feature: Customer API"}"#,
            Some(ApiRefusal::NoApiAccess),
        ),
        ("a System role is wanting", 403, "", "{}", Some(ApiRefusal::NotAllowed)),
        ("a page of a firewall", 403, "", "<html>", Some(ApiRefusal::NotAllowed)),
        ("401", 401, "Bearer", "", Some(ApiRefusal::Unauthenticated)),
        ("429", 429, "", "", Some(ApiRefusal::Throttled { retry_at: None })),
        ("a success", 200, "", "", None),
        ("not found", 404, "", "", None),
    ];
    for (name, status, challenge, body, expected) in cases {
        let mut response = answer(status, body);
        if !challenge.is_empty() {
            let value = HeaderValue::from_str(challenge).expect("a header value");
            response.headers_mut().insert(WWW_AUTHENTICATE, value);
        }
        assert_eq!(ApiRefusal::read(&response, at(0)), expected, "{name}");
    }
}

#[test]
fn a_missing_scope_or_subscription_is_for_the_administrator() {
    for refusal in [ApiRefusal::NoApiAccess, ApiRefusal::NotAllowed] {
        assert_eq!(refusal.remedy(), Remedy::AskAdministrator);
    }
}

#[test]
fn the_message_of_an_error_object_is_the_servers_text() {
    let response =
        answer(404, r#"{"message":"Job not found","errors":[{"code":"JOB_NOT_FOUND"}]}"#);
    assert_eq!(message(&response).expect("a message").as_str(), "Job not found");
    assert_eq!(message(&answer(404, "<html>")), None);
}
