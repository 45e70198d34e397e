//! The token endpoint of the simulator.

use base64::Engine as _;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use sr_testkit::DemoCredentials;

use crate::fixture::{
    Scene, TOKEN, at, form, header, json, member, refresh_of, request, scene, secret, text, verdict,
};

const ADA: &str = DemoCredentials::ADMINISTRATOR;

fn basic(id: &str, secret: &str) -> HeaderValue {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
    HeaderValue::from_str(&format!("Basic {pair}")).expect("a header value")
}

#[test]
fn requests_are_judged_strictly() {
    let mut scene = scene(&[]);
    let form = scene.service_form();
    let cases = [
        ("complete", form.clone(), 200, ""),
        ("an unknown parameter beside", format!("{form}&x=1"), 200, ""),
        ("no grant type", form.replace("grant_type", "grant"), 400, "invalid_request"),
        ("an empty grant type", form.replace("=client_credentials", "="), 400, "invalid_request"),
        ("another grant type", form.replace("client_cred", "cred"), 400, "unsupported_grant_type"),
        (
            "a grant for users",
            form.replace("client_credentials", "refresh_token"),
            400,
            "unauthorized_client",
        ),
        (
            "a repeated parameter",
            format!("{form}&grant_type=client_credentials"),
            400,
            "invalid_request",
        ),
        ("no client", "grant_type=client_credentials".to_owned(), 401, "invalid_client"),
        ("an unknown client", form.replace("client_id=", "client_id=0"), 401, "invalid_client"),
        ("a wrong secret", format!("{form}0"), 401, "invalid_client"),
        ("a broken escape", format!("{form}&x=%z"), 400, "invalid_request"),
        ("nothing", String::new(), 401, "invalid_client"),
    ];
    for (name, body, status, code) in cases {
        assert_eq!(verdict(&scene.post_form(&body)), (status, code.to_owned()), "{name}");
    }
}

#[test]
fn a_client_authenticates_in_one_way() {
    let cases = [
        ("Basic", "accepted", true, false, 200, ""),
        ("Basic and body", "accepted", true, true, 400, "invalid_request"),
        ("Basic where it is ignored", "ignored", true, false, 401, "invalid_client"),
        ("both where Basic is ignored", "ignored", true, true, 200, ""),
        ("body", "accepted", false, true, 200, ""),
        ("Basic without a refresh", "not_for_refresh", true, false, 200, ""),
    ];
    for (name, rule, in_header, in_body, status, code) in cases {
        let mut scene = scene(&[&format!("basic={rule}")]);
        let client = scene.credentials.service().clone();
        let body =
            if in_body { scene.service_form() } else { "grant_type=client_credentials".to_owned() };
        let mut request = form(TOKEN, &body);
        if in_header {
            let value = basic(client.id().as_str(), &secret(&client));
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let answer = scene.send(&request);
        assert_eq!(verdict(&answer), (status, code.to_owned()), "{name}");
    }
    let mut scene = scene(&[]);
    let mut wrong = form(TOKEN, "grant_type=client_credentials");
    wrong.headers_mut().insert(AUTHORIZATION, basic("nobody", "wrong"));
    let answer = scene.send(&wrong);
    assert_eq!(header(&answer, "www-authenticate"), "Basic realm=\"SmartRecruiters\"");
}

#[test]
fn method_place_and_type_of_a_request_matter() {
    let mut scene = scene(&[]);
    let body = scene.service_form();
    let get = scene.get(&format!("{TOKEN}?{body}"));
    assert_eq!((get.status().as_u16(), header(&get, "allow")), (405, "POST".to_owned()));
    let in_url = scene.send(&form(&format!("{TOKEN}?{body}"), &body));
    assert_eq!(verdict(&in_url), (400, "invalid_request".to_owned()));
    let untyped = scene.send(&request(Method::POST, TOKEN, &body));
    assert_eq!(verdict(&untyped), (400, "invalid_request".to_owned()));
    let mut typed = form(TOKEN, &body);
    let kind = HeaderValue::from_static("Application/X-WWW-Form-Urlencoded; charset=UTF-8");
    typed.headers_mut().insert(CONTENT_TYPE, kind);
    assert_eq!(scene.send(&typed).status(), 200);
    let mut elsewhere = form(&format!("https://www.smartrecruiters.com{TOKEN}"), &body);
    elsewhere.headers_mut().insert("host", HeaderValue::from_static("www.smartrecruiters.com"));
    assert_eq!(scene.send(&elsewhere).status(), 200);
}

#[test]
fn answers_have_the_documented_members_in_the_documented_order() {
    let mut scene = scene(&[]);
    let own = scene.service_form();
    let own = scene.post_form(&own);
    let shape = |response| {
        let body = text(response);
        let mut shape = String::new();
        let mut quoted = body.split('"').enumerate();
        quoted.by_ref().for_each(|(at, part)| match (at % 2 == 1, part.len() > 30) {
            (true, true) => shape.push_str("<token>"),
            _ => shape.push_str(part),
        });
        shape
    };
    assert_eq!(shape(&own), "{access_token:<token>,token_type:bearer,expires_in:1799}");
    assert_eq!(header(&own, "cache-control"), "no-store");
    let code = scene.code(ADA);
    let application = scene.application_form();
    let body = format!("grant_type=authorization_code&code={code}&{application}");
    let tokens = scene.post_form(&body);
    let expected = "{token_type:bearer,access_token:<token>,expires_in:1799,refresh_token:<token>}";
    assert_eq!(shape(&tokens), expected);
    let refresh = member(&tokens, "refresh_token");
    let body = format!("grant_type=refresh_token&refresh_token={refresh}&{application}");
    let expected = "{access_token:<token>,expires_in:1799,refresh_token:<token>}";
    assert_eq!(shape(&scene.post_form(&body)), expected);
}

/// Exchanges a code with more parameters, and tells the verdict.
fn exchange(scene: &mut Scene, code: &str, more: &str) -> (u16, String) {
    let client = scene.application_form();
    let body = format!("grant_type=authorization_code&code={code}&{client}{more}");
    verdict(&scene.post_form(&body))
}

#[test]
fn a_code_belongs_to_its_client_and_redirect_uri() {
    let granted = (200, String::new());
    let refused = (400, "invalid_grant".to_owned());
    let invalid = (400, "invalid_request".to_owned());
    let right = "&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback";
    let wrong = "&redirect_uri=http%3A%2F%2Flocalhost%2Fcallback";
    let cases = [
        ("optional", "", &granted),
        ("optional", right, &granted),
        ("optional", wrong, &refused),
        ("required", "", &invalid),
        ("required", right, &granted),
    ];
    for (rule, more, expected) in cases {
        let mut scene = scene(&[&format!("exchange_redirect={rule}")]);
        let code = scene.code(ADA);
        assert_eq!(exchange(&mut scene, &code, more), *expected, "{rule} {more}");
        assert_eq!(exchange(&mut scene, &code, right), refused, "{rule} {more}, again");
    }
    let mut scene = scene(&[]);
    assert_eq!(exchange(&mut scene, "e63dfcab", ""), refused, "no such code");
    assert_eq!(exchange(&mut scene, "", ""), invalid, "an empty code");
    let code = scene.code(ADA);
    scene.simulator.world_mut().delete_user(ADA);
    assert_eq!(exchange(&mut scene, &code, ""), refused, "of a deleted user");
}

#[test]
fn the_verifier_must_fit_the_challenge() {
    // RFC 7636, appendix B.
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let challenge = format!("&code_challenge_method=S256&code_challenge={challenge}");
    let right = "&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let cases = [
        ("the right verifier", challenge.as_str(), right, 200),
        ("another verifier", &challenge, "&code_verifier=dBjftJeZ4CVP", 400),
        ("no verifier", &challenge, "", 400),
        ("a verifier without a challenge", "", right, 400),
        ("neither", "", "", 200),
    ];
    for (name, asked, sent, expected) in cases {
        let mut scene = scene(&["pkce=verified"]);
        let url = scene.authorize_url(asked);
        let location = scene.browse(&url, "authorize", ADA);
        let (_, code) = location.split_once("code=").expect("a code");
        assert_eq!(exchange(&mut scene, code, sent).0, expected, "{name}");
    }
}

#[test]
fn a_replayed_code_may_revoke_what_it_brought() {
    for (rule, revoked) in [("refused", false), ("revokes_issued", true)] {
        let mut scene = scene(&[&format!("code_replay={rule}")]);
        let code = scene.code(ADA);
        assert_eq!(exchange(&mut scene, &code, "").0, 200);
        assert_eq!(exchange(&mut scene, &code, ""), (400, "invalid_grant".to_owned()));
        let grants = scene.simulator.grants(scene.now);
        assert_eq!(grants.first().map(|grant| grant.revoked), Some(revoked), "{rule}");
    }
}

#[test]
fn the_reuse_of_a_refresh_token_is_a_switch() {
    let cases = [
        ("refused", 0, false, true),
        ("revokes_family", 0, false, false),
        ("grace:60", 59, true, true),
        ("grace:60", 60, false, true),
    ];
    for (rule, later, reusable, alive) in cases {
        let mut scene = scene(&[&format!("spent_refresh_token={rule}")]);
        let first = refresh_of(&scene.tokens());
        let second = refresh_of(&scene.refresh(&first).expect("a rotation"));
        scene.now = at(later);
        assert_eq!(scene.refresh(&first).is_ok(), reusable, "{rule} after {later} s");
        assert_eq!(scene.refresh(&second).is_ok(), alive, "{rule} after {later} s");
    }
}

/// Has the simulator forget what it can: a ledger is swept when it has grown.
fn have_it_swept(scene: &mut Scene) {
    scene.simulator.switches_mut().set("auto_decision=authorize").expect("a switch");
    let url = scene.authorize_url("");
    for _ in 0..4_200 {
        assert_eq!(scene.get(&url).status(), 303);
    }
}

#[test]
fn reuse_is_judged_the_same_however_much_happened_since() {
    let mut scene = scene(&["code_replay=revokes_issued"]);
    let code = scene.code(ADA);
    assert_eq!(exchange(&mut scene, &code, "").0, 200);
    scene.now = at(60);
    have_it_swept(&mut scene);
    assert_eq!(exchange(&mut scene, &code, ""), (400, "invalid_grant".to_owned()));
    let grants = scene.simulator.grants(scene.now);
    assert_eq!(grants.first().map(|grant| grant.revoked), Some(true));
}

#[test]
fn a_spent_refresh_token_ends_its_family_however_old_it_is() {
    let day = 24 * 60 * 60;
    for swept in [false, true] {
        let mut scene = scene(&["spent_refresh_token=revokes_family"]);
        let first = refresh_of(&scene.tokens());
        scene.now = at(27 * day);
        let second = refresh_of(&scene.refresh(&first).expect("a rotation"));
        scene.now = at(40 * day);
        if swept {
            have_it_swept(&mut scene);
        }
        let client = scene.application_form();
        let first = first.secret().expose();
        let body = format!("grant_type=refresh_token&refresh_token={first}&{client}");
        assert_eq!(verdict(&scene.post_form(&body)), (400, "invalid_grant".to_owned()));
        assert!(scene.refresh(&second).is_err(), "swept: {swept}");
    }
}

#[test]
fn what_ends_an_access_token_early_is_a_switch() {
    for (rule, alive) in [("lives", true), ("dies", false)] {
        let mut scene = scene(&[&format!("old_access_token={rule}")]);
        let before = scene.tokens();
        let after = scene.refresh(&refresh_of(&before)).expect("a rotation");
        let ok = |response: http::Response<_>| response.status() == 200;
        assert_eq!(ok(scene.with_token("/jobs", before.access())), alive, "{rule}");
        assert!(ok(scene.with_token("/jobs", after.access())), "{rule}");
    }
    for (rule, alive) in [("coexists", true), ("kills_first", false)] {
        let mut scene = scene(&[&format!("second_token={rule}")]);
        let service = scene.credentials.service().clone();
        let first = scene.client_credentials(&service).expect("a token");
        scene.client_credentials(&service).expect("a token");
        let status = scene.with_token("/jobs", &first).status();
        assert_eq!(status == 200, alive, "{rule}");
    }
}

#[test]
fn a_scope_in_a_token_request_is_a_switch() {
    let cases = [
        ("ignored", "webhooks_manage", 200, "jobs_read"),
        ("refused", "jobs_read", 400, ""),
        ("honoured", "jobs_read", 200, "jobs_read"),
        ("honoured", "webhooks_manage", 400, ""),
    ];
    for (rule, scope, status, granted) in cases {
        let mut scene = scene(&[&format!("request_scope={rule}"), "answer_scope=granted"]);
        let client = scene.credentials.narrow().clone();
        let (id, secret) = (client.id(), secret(&client));
        let body = format!(
            "grant_type=client_credentials&client_id={id}&client_secret={secret}&scope={scope}"
        );
        let answer = scene.post_form(&body);
        let verdict = (answer.status().as_u16(), member(&answer, "scope"));
        assert_eq!(verdict, (status, granted.to_owned()), "{rule} {scope}");
    }
}

#[test]
fn a_json_body_is_a_switch() {
    for (rule, status) in [("refused", 400), ("empty_object", 200), ("accept_json", 200)] {
        let mut scene = scene(&[&format!("unreadable_body={rule}")]);
        let client = scene.credentials.service().clone();
        let body = serde_json::json!({
            "client_id": client.id().as_str(), "client_secret": secret(&client),
            "grant_type": "client_credentials",
        });
        let answer = scene.post_form(&body.to_string());
        assert_eq!(answer.status().as_u16(), status, "{rule}");
        let has_token = json(&answer).get("access_token").is_some();
        assert_eq!(has_token, rule == "accept_json", "{rule}");
    }
}

#[test]
fn errors_have_the_shape_of_their_switch() {
    let cases = [
        ("rfc", r#"{"error":"invalid_client","error_description":"no such client"}"#),
        (
            "smartrecruiters",
            r#"{"errors":[{"code":"INVALID_CLIENT","message":"no such client"}],"message":"no such client"}"#,
        ),
        ("empty", ""),
        ("empty_object", "{}"),
    ];
    for (rule, expected) in cases {
        for (of_client, status) in [("401", 401), ("400", 400)] {
            let of_client = format!("invalid_client_status={of_client}");
            let mut scene = scene(&[&format!("token_errors={rule}"), &of_client]);
            let body = "grant_type=client_credentials&client_id=nobody&client_secret=x";
            let answer = scene.post_form(body);
            let status = if rule == "empty_object" { 200 } else { status };
            assert_eq!((answer.status().as_u16(), text(&answer)), (status, expected.to_owned()));
            let other = scene.service_form().replace("=client_credentials", "=other");
            let status = if rule == "empty_object" { 200 } else { 400 };
            assert_eq!(scene.post_form(&other).status().as_u16(), status, "{rule} {of_client}");
        }
    }
}

#[test]
fn basic_may_be_good_for_everything_but_a_refresh() {
    for (rule, expected) in [
        ("accepted", (200, "")),
        ("not_for_refresh", (401, "invalid_client")),
        ("ignored", (401, "invalid_client")),
    ] {
        let mut scene = scene(&[]);
        let token = refresh_of(&scene.tokens());
        scene.simulator.switches_mut().set(&format!("basic={rule}")).expect("a switch");
        let client = scene.credentials.application().clone();
        let token = token.secret().expose();
        let body = format!("grant_type=refresh_token&refresh_token={token}");
        let mut request = form(TOKEN, &body);
        let value = basic(client.id().as_str(), &secret(&client));
        request.headers_mut().insert(AUTHORIZATION, value);
        let answer = scene.send(&request);
        assert_eq!(verdict(&answer), (expected.0, expected.1.to_owned()), "{rule}");
        // A refresh that is refused for its client spends nothing.
        let body = format!("{body}&{}", scene.application_form());
        let again = scene.post_form(&body);
        assert_eq!(again.status() == 200, rule != "accepted", "{rule}");
    }
}

#[test]
fn the_token_endpoint_may_have_a_limit() {
    let mut scene = scene(&["token_limit=2", "retry_after=7"]);
    let body = scene.service_form();
    let statuses: Vec<_> =
        (0..3).map(|_| scene.post_form(&body)).map(|it| it.status().as_u16()).collect();
    assert_eq!(statuses, [200, 200, 429]);
    assert_eq!(header(&scene.post_form(&body), "x-ratelimit-remaining"), "0");
    assert_eq!(header(&scene.post_form(&body), "retry-after"), "7");
    scene.now = at(1);
    let answer = scene.post_form(&body);
    let left = ["limit", "remaining"].map(|it| header(&answer, &format!("x-ratelimit-{it}")));
    assert_eq!((answer.status().as_u16(), left), (200, ["2", "1"].map(str::to_owned)));
}

#[test]
fn every_answer_of_the_token_endpoint_tells_a_budget() {
    let mut scene = scene(&[]);
    let body = scene.service_form();
    let answers = [
        ("a token", scene.post_form(&body), 200),
        ("a refusal", scene.post_form(&format!("{body}0")), 401),
        ("an unreadable body", scene.post_form("{}"), 400),
        ("another method", scene.get(TOKEN), 405),
    ];
    for (name, answer, status) in answers {
        assert_eq!(answer.status().as_u16(), status, "{name}");
        for header_name in ["limit", "remaining", "concurrent-limit", "concurrent-remaining"] {
            let value = header(&answer, &format!("x-ratelimit-{header_name}"));
            assert!(value.parse::<u32>().is_ok(), "{name}: {header_name} {value}");
        }
    }
}

#[test]
fn the_end_of_a_client_a_user_or_a_grant_ends_their_tokens() {
    let ends: [(&str, fn(&mut Scene)); 3] = [
        ("the client is revoked", |scene| {
            let id = scene.credentials.application().id().to_string();
            assert!(scene.simulator.world_mut().revoke_client(&id));
        }),
        ("the user is deleted", |scene| {
            assert!(scene.simulator.world_mut().delete_user(ADA));
        }),
        ("the grant is revoked", |scene| {
            let id = scene.simulator.grants(scene.now).first().expect("one grant").id;
            assert!(scene.simulator.revoke_grant(id));
        }),
    ];
    for (name, end) in ends {
        let mut scene = scene(&[]);
        let tokens = scene.tokens();
        assert_eq!(scene.with_token("/jobs", tokens.access()).status(), 200);
        end(&mut scene);
        assert_eq!(scene.with_token("/jobs", tokens.access()).status(), 401, "{name}");
        assert!(scene.refresh(&refresh_of(&tokens)).is_err(), "{name}");
        let grants = scene.simulator.grants(scene.now);
        let grant = grants.first().expect("one grant");
        assert!(grant.revoked && grant.live_access.is_empty() && grant.live_refresh.is_empty());
    }
}
