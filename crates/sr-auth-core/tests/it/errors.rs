//! Every error as a user sees it: message, code, remedy.

use std::fmt::Write as _;

use sr_auth_core::wire::api_refusal::ApiRefusal;
use sr_auth_core::wire::callback::{AuthorizationRefusal, CallbackError, CallbackParameter};
use sr_auth_core::wire::token_answer::{TokenAnswer, classify};
use sr_auth_core::{
    ConfigError, ExpiredCredential, Fault, GrantError, Remedy, ScopeSet, ServerMisbehaved, Setting,
};

use crate::fixture::{answer, at};

fn line(told: &mut String, message: &dyn std::fmt::Display, code: &str, remedy: Remedy) {
    writeln!(told, "{code}\n    {message}\n    {}", remedy.advice()).expect("writing to a text");
}

fn refused(code: &str) -> GrantError {
    let body = format!(r#"{{"error":"{code}"}}"#);
    match classify(&answer(400, &body), at(0), at(0)) {
        TokenAnswer::ClientRefused(it)
        | TokenAnswer::GrantRefused(it)
        | TokenAnswer::RequestRefused(it)
        | TokenAnswer::Unrecognised(it) => GrantError::Refused(it),
        answer @ (TokenAnswer::Granted(_)
        | TokenAnswer::ServerFault { .. }
        | TokenAnswer::Throttled { .. }
        | TokenAnswer::Unusable { .. }) => panic!("{answer:?}"),
    }
}

#[test]
fn grant_errors_say_who_can_act() {
    use ServerMisbehaved::{NoAccessToken, NotJson, Redirect, TokenShape, TokenType, TooLong};
    let codes = [
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
        "teapot",
    ];
    let mut errors = vec![
        GrantError::Expired(ExpiredCredential::AuthorizationCode),
        GrantError::OutcomeUnknown,
        GrantError::Unavailable { attempts: 3, retry_at: None },
    ];
    errors.extend(codes.map(refused));
    let rules = [NoAccessToken, NotJson, Redirect, TokenShape, TokenType, TooLong];
    errors.extend(rules.map(GrantError::ServerMisbehaved));
    let mut told = String::new();
    for error in errors {
        line(&mut told, &error, error.code(), error.remedy());
    }
    insta::assert_snapshot!(told);
}

#[test]
fn callback_errors_say_who_can_act() {
    use AuthorizationRefusal as R;
    let reasons = [
        R::InvalidRequest,
        R::InvalidScope,
        R::ServerError,
        R::TemporarilyUnavailable,
        R::UnauthorizedClient,
        R::Unregistered,
        R::UnsupportedResponseType,
    ];
    let parameters = [
        CallbackParameter::Code,
        CallbackParameter::Error,
        CallbackParameter::Issuer,
        CallbackParameter::State,
    ];
    let mut errors = vec![
        CallbackError::Declined { description: None },
        CallbackError::Expired,
        CallbackError::IssuerMismatch,
        CallbackError::Malformed,
        CallbackError::NoCode,
        CallbackError::OtherApplication,
        CallbackError::OtherRedirectUri,
        CallbackError::OtherServer,
        CallbackError::OtherSession,
        CallbackError::StateMismatch,
    ];
    errors.extend(reasons.map(|reason| CallbackError::Refused { description: None, reason }));
    errors.extend(parameters.map(CallbackError::Repeated));
    let mut told = String::new();
    for error in errors {
        line(&mut told, &error, error.code(), error.remedy());
    }
    insta::assert_snapshot!(told);
}

#[test]
fn api_refusals_say_who_can_act() {
    let errors = [
        ApiRefusal::MissingScope { needed: ScopeSet::default() },
        ApiRefusal::NoApiAccess,
        ApiRefusal::NotAllowed,
        ApiRefusal::Throttled { retry_at: None },
        ApiRefusal::Unauthenticated,
    ];
    let mut told = String::new();
    for error in errors {
        line(&mut told, &error, error.code(), error.remedy());
    }
    insta::assert_snapshot!(told);
}

#[test]
fn configuration_errors_name_the_setting_and_the_fault() {
    let faults = [
        Fault::ControlCharacter,
        Fault::Empty,
        Fault::Fragment,
        Fault::HasPath,
        Fault::Missing,
        Fault::NotAUrl,
        Fault::NotHttps,
        Fault::NotPrintable,
        Fault::NotStored,
        Fault::OtherOrigin,
        Fault::OutOfRange,
        Fault::Reserved,
        Fault::UnusualHost,
        Fault::UserInfo,
    ];
    let settings = [
        Setting::AccessToken,
        Setting::ApiKey,
        Setting::ApiOrigin,
        Setting::ApiPath,
        Setting::AuthorizationEndpoint,
        Setting::ClientId,
        Setting::ClientSecret,
        Setting::Issuer,
        Setting::PartnerApiKey,
        Setting::PendingAuthorization,
        Setting::RedirectUri,
        Setting::RefreshToken,
        Setting::RetryPolicy,
        Setting::Scope,
        Setting::TokenEndpoint,
        Setting::Transport,
    ];
    let mut told = String::new();
    for fault in faults {
        let error = ConfigError::new(Setting::TokenEndpoint, fault);
        line(&mut told, &error, error.code(), error.remedy());
    }
    for setting in settings {
        writeln!(told, "{}", ConfigError::new(setting, Fault::Empty)).expect("writing to a text");
    }
    insta::assert_snapshot!(told);
}
