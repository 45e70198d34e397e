//! Where the service departs from the RFCs, or its pages from themselves: one test each, the
//! machines of the core against the simulator.

use std::time::Duration;

use http::Method;
use sr_auth_core::grant::{
    AuthorizationRequest, ClientCredentialsGrant, Output, Pkce, RefreshTokenGrant, RetryPolicy,
};
use sr_auth_core::wire::api_refusal::ApiRefusal;
use sr_auth_core::wire::callback::{Callback, CallbackError};
use sr_auth_core::wire::challenge::{BearerChallenge, BearerError};
use sr_auth_core::wire::rate_limit::RateLimit;
use sr_auth_core::{
    AllowedHosts, Endpoints, ErrorCode, GrantError, GrantedScope, Machine, Remedy, ScopeSet,
    ServerMisbehaved, SingleUse, TokenEndpoint,
};
use sr_testkit::{DemoCredentials, Effect, Fault, Simulator, Target, drive};

use crate::fixture::{at, form, header, json, member, refresh_of, scene, verdict};

const ADA: &str = DemoCredentials::ADMINISTRATOR;

#[test]
fn response_type_is_sent_and_may_be_left_out() {
    let cases = [
        ("optional", true, true),
        ("optional", false, true),
        ("required", true, true),
        ("required", false, false),
    ];
    for (rule, sent, accepted) in cases {
        let mut scene = scene(&[&format!("response_type={rule}")]);
        let settings = scene.settings();
        let settings = if sent { settings } else { settings.without_response_type() };
        let request = AuthorizationRequest::new(&settings, [9; 64], scene.now).expect("a URL");
        assert_eq!(request.url().contains("response_type=code"), sent, "{rule}");
        let location = scene.browse(request.url(), "authorize", ADA);
        assert_eq!(!location.contains("error="), accepted, "{rule}, sent: {sent}");
    }
}

#[test]
fn the_json_body_of_the_pages_is_a_slip_and_a_form_is_sent() {
    let mut scene = scene(&[]);
    let tokens = scene.tokens();
    let (client, endpoints) = (scene.credentials.application(), Endpoints::production());
    let retry = RetryPolicy::default();
    let token = refresh_of(&tokens);
    let mut grant = RefreshTokenGrant::new(client, endpoints.token(), token, retry, scene.now);
    let Some(Output::Transmit(transmit)) = grant.poll_output() else {
        unreachable!("a request first")
    };
    let body = String::from_utf8_lossy(transmit.request.body().expose()).into_owned();
    assert!(body.contains("grant_type=refresh_token") && !body.contains('{'));
    let kind = transmit.request.headers().get("content-type").expect("a content type");
    assert_eq!(kind, "application/x-www-form-urlencoded");
    let as_on_the_page = r#"{"grant_type":"client_credentials","client_id":"x"}"#;
    let refused = scene.post_form(as_on_the_page);
    assert_eq!(verdict(&refused), (400, "invalid_request".to_owned()));
}

#[test]
fn a_refresh_answer_has_no_token_type() {
    for (rule, present) in [("absent", false), ("present", true)] {
        let mut scene = scene(&[&format!("refresh_token_type={rule}")]);
        let token = refresh_of(&scene.tokens());
        let body = format!(
            "grant_type=refresh_token&refresh_token={}&{}",
            token.secret().expose(),
            scene.application_form()
        );
        let answer = scene.post_form(&body);
        assert_eq!(json(&answer).get("token_type").is_some(), present);
        // A machine takes either.
        let token = member(&answer, "refresh_token");
        let token = sr_auth_core::Secret::new(token);
        let token = sr_auth_core::RefreshToken::new(token, scene.now).expect("a token");
        assert!(scene.refresh(&token).expect("a rotation").rotated());
    }
}

#[test]
fn c37_the_number_in_a_declined_callback_is_no_code() {
    let mut scene = scene(&[]);
    let settings = scene.settings();
    let request = AuthorizationRequest::new(&settings, [9; 64], scene.now).expect("a URL");
    let location = scene.browse(request.url(), "decline", ADA);
    assert!(location.contains("error=access_denied") && location.contains("&code=500"));
    let error = request.into_pending().accept(&settings, &Callback::new(&location), scene.now);
    let Err(CallbackError::Declined { description: Some(text) }) = error else {
        unreachable!("{error:?}")
    };
    assert_eq!(text.as_str(), "The user denied access to your application");
    assert_eq!(scene.presentations("authorization_code"), 0);
}

#[test]
fn an_error_description_with_raw_blanks_is_read() {
    let mut scene = scene(&["decline_spaces=raw"]);
    let settings = scene.settings();
    let request = AuthorizationRequest::new(&settings, [9; 64], scene.now).expect("a URL");
    let location = scene.browse(request.url(), "decline", ADA);
    assert!(location.contains("The user denied access to your application&code=500"));
    let error = request.into_pending().accept(&settings, &Callback::new(&location), scene.now);
    assert!(matches!(error, Err(CallbackError::Declined { .. })), "{error:?}");
}

#[test]
fn a_code_lives_30_seconds_and_an_access_token_1799() {
    for (age, expected) in [(29, 200), (30, 400)] {
        let mut scene = scene(&[]);
        let code = scene.code(ADA);
        scene.now = at(age);
        let body =
            format!("grant_type=authorization_code&code={code}&{}", scene.application_form());
        assert_eq!(scene.post_form(&body).status(), expected, "a code of {age} s");
    }
    let mut scene = scene(&[]);
    let token = scene.client_credentials(&scene.credentials.service().clone()).expect("a token");
    assert_eq!(token.expires_at(), at(1_799));
    for (age, expected) in [(1_798, 200), (1_799, 401)] {
        scene.now = at(age);
        assert_eq!(scene.with_token("/jobs", &token).status(), expected, "a token of {age} s");
    }
}

#[test]
fn an_access_token_is_counted_from_sending_and_not_from_reception() {
    let mut scene = scene(&[]);
    scene.simulator.inject(Fault::new(Target::Token, Effect::Delay { millis: 14_000 }));
    let token = scene.client_credentials(&scene.credentials.service().clone()).expect("a token");
    assert_eq!((scene.now, token.expires_at()), (at(14), at(1_799)));
}

#[test]
fn a_refresh_token_lives_28_days_and_works_once() {
    let day = Duration::from_secs(24 * 60 * 60);
    let mut scene = scene(&[]);
    let first = refresh_of(&scene.tokens());
    scene.now = scene.now.after(27 * day);
    let second = refresh_of(&scene.refresh(&first).expect("within 28 days"));
    let reused = scene.refresh(&first).expect_err("used before");
    assert_eq!(reused.error().single_use(), SingleUse::Spent);
    assert_eq!(reused.error().remedy(), Remedy::Reauthorize);
    // The reuse did the grant no harm, and the successor has 28 days of its own.
    scene.now = scene.now.after(27 * day);
    let third = refresh_of(&scene.refresh(&second).expect("within its own 28 days"));
    scene.now = scene.now.after(28 * day);
    let old = scene.refresh(&third).expect_err("28 days");
    assert_eq!(old.error().single_use(), SingleUse::Spent);
}

#[test]
fn client_credentials_bring_no_refresh_token() {
    let mut scene = scene(&[]);
    let body = scene.service_form();
    let answer = scene.post_form(&body);
    let body = json(&answer);
    let names: Vec<_> = body.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["access_token", "expires_in", "token_type"]);
}

#[test]
fn tokens_of_any_shape_are_carried_as_they_are() {
    for shape in ["documented", "dcra1", "dcrd10", "hex", "uuid", "long"] {
        let mut scene = scene(&[&format!("token_shape={shape}")]);
        let service = scene.credentials.service().clone();
        let token = scene.client_credentials(&service).expect(shape);
        assert_eq!(scene.with_token("/jobs", &token).status(), 200, "{shape}");
        let tokens = scene.tokens();
        assert_eq!(scene.with_token("/jobs", tokens.access()).status(), 200, "{shape}");
    }
}

#[test]
fn c18_bearer_is_taken_in_lower_case_and_sent_with_a_capital() {
    let mut scene = scene(&[]);
    let body = scene.service_form();
    assert_eq!(member(&scene.post_form(&body), "token_type"), "bearer");
    let token = scene.client_credentials(&scene.credentials.service().clone()).expect("a token");
    let authorization = token.authorization();
    assert!(authorization.value().to_str().expect("ASCII").starts_with("Bearer "));
}

#[test]
fn a_200_with_an_empty_object_is_no_token() {
    let mut scene = scene(&["unreadable_body=empty_object"]);
    let empty = scene.post_form("{\"grant_type\":\"authorization_code\"}");
    assert_eq!((empty.status().as_u16(), json(&empty)), (200, serde_json::json!({})));
    let (endpoints, retry) = (Endpoints::production(), RetryPolicy::default());
    let client = scene.credentials.service();
    let mut grant = ClientCredentialsGrant::new(client, endpoints.token(), retry, scene.now);
    let Some(Output::Transmit(transmit)) = grant.poll_output() else {
        unreachable!("a request first")
    };
    let input = sr_auth_core::grant::Input::Response { id: transmit.id, response: empty };
    grant.handle_input(scene.now, input);
    let outcome = drive(&mut grant, &mut scene.simulator, &mut scene.now).expect("it ends");
    let missing = GrantError::ServerMisbehaved(ServerMisbehaved::NoAccessToken);
    assert_eq!(outcome.expect_err("no token"), missing);
}

#[test]
fn a_refusal_that_is_a_200_with_an_empty_object_is_no_token() {
    let mut scene = scene(&[]);
    let token = refresh_of(&scene.tokens());
    scene.refresh(&token).expect("a rotation");
    scene.simulator.switches_mut().set("token_errors=empty_object").expect("a switch");
    let missing = GrantError::ServerMisbehaved(ServerMisbehaved::NoAccessToken);
    let failure = scene.refresh(&token).expect_err("it was used");
    assert_eq!(*failure.error(), missing);
    assert_ne!(failure.error().single_use(), SingleUse::Unspent);
    let service = scene.credentials.service().clone();
    scene.simulator.world_mut().revoke_client(service.id().as_str());
    assert_eq!(scene.client_credentials(&service).expect_err("revoked"), missing);
}

#[test]
fn a_missing_scope_means_the_default_ones_and_an_empty_one_is_an_error() {
    let mut scene = scene(&["answer_scope=granted"]);
    let page = scene.get(&scene.authorize_url(""));
    assert_eq!(page.status(), 200);
    let empty = scene.get(&scene.authorize_url("&scope="));
    assert!(header(&empty, "location").contains("error=invalid_scope"), "{empty:?}");
    let uri = scene.credentials.redirect_uri().clone();
    let client = scene.credentials.application().clone();
    let without =
        sr_auth_core::grant::AuthorizationSettings::new(client, Endpoints::production(), uri);
    let request = AuthorizationRequest::new(&without, [9; 64], scene.now).expect("a URL");
    assert!(!request.url().contains("scope"), "never `scope=`");
    let tokens = scene.sign_in(&without, ADA).expect("tokens");
    let defaults = ScopeSet::parse("jobs_read user_me_read").expect("scopes");
    assert_eq!(*tokens.access().scope(), GrantedScope::Explicit(defaults));
}

#[test]
fn c19_a_scope_in_an_answer_is_missing_named_or_empty() {
    let named = ScopeSet::parse("jobs_read").expect("a scope");
    let cases = [
        ("absent", GrantedScope::AsRequested),
        ("granted", GrantedScope::Explicit(named)),
        ("empty", GrantedScope::Explicit(ScopeSet::default())),
    ];
    for (rule, expected) in cases {
        let mut scene = scene(&[&format!("answer_scope={rule}")]);
        let narrow = scene.credentials.narrow().clone();
        let token = scene.client_credentials(&narrow).expect("a token");
        assert_eq!(*token.scope(), expected, "{rule}");
    }
}

#[test]
fn the_token_endpoint_may_be_on_either_host() {
    for host in ["www", "api"] {
        let url = format!("https://{host}.smartrecruiters.com/identity/oauth/token");
        let endpoint = TokenEndpoint::parse(&url, AllowedHosts::Named).expect("an endpoint");
        let mut scene = scene(&[]);
        let (client, retry) = (scene.credentials.service(), RetryPolicy::default());
        let mut grant = ClientCredentialsGrant::new(client, &endpoint, retry, scene.now);
        let outcome = drive(&mut grant, &mut scene.simulator, &mut scene.now).expect("it ends");
        assert!(outcome.is_ok(), "{host}");
    }
}

#[test]
fn c10_a_proof_key_is_off_unless_set_and_s256_then() {
    let cases = [
        ("ignored", Pkce::Off, true),
        ("ignored", Pkce::S256, true),
        ("verified", Pkce::Off, true),
        ("verified", Pkce::S256, true),
        ("required", Pkce::S256, true),
        ("required", Pkce::Off, false),
    ];
    for (rule, pkce, accepted) in cases {
        let mut scene = scene(&[&format!("pkce={rule}")]);
        let settings = scene.settings().with_pkce(pkce);
        let request = AuthorizationRequest::new(&settings, [9; 64], scene.now).expect("a URL");
        let location = scene.browse(request.url(), "authorize", ADA);
        if !accepted {
            assert!(location.contains("error=invalid_request"), "{rule} {pkce:?}: {location}");
            continue;
        }
        let callback = Callback::new(&location);
        let pending = request.into_pending();
        let mut grant = pending.accept(&settings, &callback, scene.now).expect("a code");
        let outcome = drive(&mut grant, &mut scene.simulator, &mut scene.now).expect("it ends");
        assert!(outcome.is_ok(), "{rule} {pkce:?}");
    }
}

#[test]
fn odd_lives_never_make_a_token_live_longer() {
    for rule in ["text", "float", "zero", "negative", "huge", "absent"] {
        let mut scene = scene(&[&format!("expires_in={rule}")]);
        let service = scene.credentials.service().clone();
        match scene.client_credentials(&service) {
            Ok(token) if rule != "huge" => assert!(token.expires_at() <= at(1_799), "{rule}"),
            Ok(_) => {}
            Err(error) => assert!(matches!(error, GrantError::ServerMisbehaved(_)), "{rule}"),
        }
    }
}

#[test]
fn errors_of_either_shape_are_understood() {
    for (rule, expected) in [("rfc", true), ("smartrecruiters", true), ("empty", true)] {
        let mut scene = scene(&[&format!("token_errors={rule}")]);
        let service = scene.credentials.service().clone();
        scene.simulator.world_mut().revoke_client(service.id().as_str());
        let error = scene.client_credentials(&service).expect_err("revoked");
        let understood =
            matches!(&error, GrantError::Refused(it) if it.code() == ErrorCode::InvalidClient);
        assert_eq!(understood, expected, "{rule}: {error:?}");
        assert_eq!(scene.presentations("client_credentials"), 1, "asked once, not in a storm");
    }
}

#[test]
fn c03_no_secret_is_ever_in_a_url() {
    let mut scene = scene(&[]);
    let tokens = scene.tokens();
    scene.refresh(&refresh_of(&tokens)).expect("a rotation");
    scene.client_credentials(&scene.credentials.service().clone()).expect("a token");
    scene.with_token("/jobs", tokens.access());
    for entry in scene.simulator.journal() {
        assert!(!entry.secret_in_url, "{entry:?}");
        if entry.grant_type.is_some() {
            assert_eq!(entry.method, Method::POST);
        }
    }
    // The recorder does see a secret when there is one.
    let key = scene.credentials.partner_api_key_secret().expose().to_owned();
    scene.get(&format!("/feed/publications?apiKey={key}"));
    let in_token_url = form(&format!("/identity/oauth/token?{}", scene.service_form()), "");
    scene.send(&in_token_url);
    scene.get(&format!("/jobs/{}", tokens.access().secret().expose()));
    let seen: Vec<_> = scene.simulator.journal().rev().take(3).collect();
    assert!(seen.iter().all(|entry| entry.secret_in_url), "{seen:?}");
    assert!(seen.iter().all(|entry| !entry.path.contains(tokens.access().secret().expose())));
}

#[test]
fn lives_are_those_of_the_pages() {
    assert_eq!(Simulator::ACCESS_TOKEN_LIFE, Duration::from_secs(1_799));
    assert_eq!(Simulator::CODE_LIFE, Duration::from_secs(30));
}

#[test]
fn a_company_without_a_subscription_is_told_apart_from_every_other_refusal() {
    let scopes = |text| ScopeSet::parse(text).expect("scopes");
    let mut scene = scene(&["retry_after=7"]);
    let [narrow, locked_out] =
        [scene.credentials.narrow().clone(), scene.credentials.locked_out().clone()];
    let narrow = scene.client_credentials(&narrow).expect("a token");
    let locked_out = scene.client_credentials(&locked_out).expect("a token");
    let settings = scene.settings().with_scopes(scopes("audit_events_read")).expect("not empty");
    let standard = scene.sign_in(&settings, DemoCredentials::STANDARD_USER).expect("tokens");
    let audit = "/audit-api/v201910/audit-events";
    let needed = scopes("users_manage users_read");
    let cases = [
        ("no subscription", "/jobs", &locked_out, ApiRefusal::NoApiAccess),
        ("no scope", "/users", &narrow, ApiRefusal::MissingScope { needed }),
        ("no role", audit, standard.access(), ApiRefusal::NotAllowed),
    ];
    for (name, uri, token, expected) in cases {
        let answer = scene.with_token(uri, token);
        assert_eq!(ApiRefusal::read(&answer, scene.now), Some(expected), "{name}");
    }
    let answers: Vec<_> = (0..11).map(|_| scene.with_token("/jobs", &narrow)).collect();
    let last = answers.last().expect("eleven answers");
    let retry_at = scene.now.after(Duration::from_secs(7));
    let throttled = ApiRefusal::Throttled { retry_at: Some(retry_at) };
    assert_eq!(ApiRefusal::read(last, scene.now), Some(throttled));
    let budget = RateLimit::read(last.headers());
    let read = (budget.limit, budget.remaining, budget.concurrent_limit);
    assert_eq!(read, (Some(10), Some(0), Some(8)));
    scene.now = at(1_799);
    let answer = scene.with_token("/jobs", &narrow);
    assert_eq!(ApiRefusal::read(&answer, scene.now), Some(ApiRefusal::Unauthenticated));
    let challenge = BearerChallenge::read(answer.headers()).expect("a challenge");
    assert_eq!(challenge.error, Some(BearerError::InvalidToken));
}
