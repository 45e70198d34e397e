//! Every request on the wire, as a golden snapshot. Secrets are shown by name: the test checks that
//! each is there, then hides it.

use std::fmt::Write as _;

use proptest::prelude::*;
use sr_auth_core::grant::{
    AuthorizationSettings, ClientCredentialsGrant, Input, Output, Pkce, RefreshTokenGrant,
};
use sr_auth_core::{ClientCredentials, Endpoints, Machine, RedirectUri, SecretBytes, Transmit};

use crate::fixture::{
    CLIENT_SECRET, CODE, REFRESH, STATE, at, begin, callback, client, refresh_token, retry, secret,
    settings,
};

/// Writes a request as text, with its secrets by name.
fn told(request: &http::Request<SecretBytes>) -> String {
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        let shown =
            if value.is_sensitive() { "[sensitive]" } else { value.to_str().expect("ASCII") };
        writeln!(text, "{name}: {shown}").expect("writing to a text");
    }
    let body = std::str::from_utf8(request.body().expose()).expect("a form is ASCII");
    let encoded =
        |it: &str| url::form_urlencoded::byte_serialize(it.as_bytes()).collect::<String>();
    let mut body = body.to_owned();
    for (value, name) in
        [(CLIENT_SECRET, "[client secret]"), (CODE, "[code]"), (REFRESH, "[refresh token]")]
    {
        body = body.replace(&encoded(value), name);
    }
    text + "\n" + &body
}

fn transmit<E, M>(mut machine: M) -> Transmit
where
    M: Machine<Input = Input, Output = Output<E>>,
{
    match machine.poll_output() {
        Some(Output::Transmit(transmit)) => transmit,
        Some(Output::Event(_)) | None => panic!("a new grant has a request"),
    }
}

fn by_client(client: &ClientCredentials) -> http::Request<SecretBytes> {
    let endpoints = Endpoints::production();
    transmit(ClientCredentialsGrant::new(client, endpoints.token(), retry(), at(0))).request
}

fn by_code(settings: &AuthorizationSettings) -> http::Request<SecretBytes> {
    let callback = callback(&format!("code={CODE}&state={STATE}"));
    let pending = begin(settings).into_pending();
    transmit(pending.accept(settings, &callback, at(0)).expect("accepted")).request
}

fn by_refresh(client: &ClientCredentials) -> http::Request<SecretBytes> {
    let endpoints = Endpoints::production();
    let grant = RefreshTokenGrant::new(client, endpoints.token(), refresh_token(), retry(), at(0));
    transmit(grant).request
}

#[test]
fn c06_requests_carry_the_credentials_in_the_body_by_default_and_in_the_header_when_asked() {
    insta::assert_snapshot!("client_credentials_body", told(&by_client(&client())));
    insta::assert_snapshot!("client_credentials_basic", told(&by_client(&client().in_header())));
    insta::assert_snapshot!("authorization_code_body", told(&by_code(&settings())));
    let basic = AuthorizationSettings::new(
        client().in_header(),
        Endpoints::production(),
        settings().redirect_uri().clone(),
    );
    insta::assert_snapshot!("authorization_code_basic", told(&by_code(&basic)));
    insta::assert_snapshot!("refresh_token_body", told(&by_refresh(&client())));
    insta::assert_snapshot!("refresh_token_basic", told(&by_refresh(&client().in_header())));
}

#[test]
fn c35_a_client_with_a_certificate_sends_its_id_and_no_secret() {
    let client = ClientCredentials::with_certificate("82e4424135fe").expect("valid");
    insta::assert_snapshot!("client_credentials_certificate", told(&by_client(&client)));
}

#[test]
fn the_documented_exchange_without_redirect_uri_can_be_sent() {
    let settings = settings().without_redirect_uri_in_exchange();
    insta::assert_snapshot!("authorization_code_documented", told(&by_code(&settings)));
}

#[test]
fn c10_pkce_is_off_by_default_and_s256_when_it_is_on() {
    let hidden = |settings: &AuthorizationSettings| begin(settings).url().replace(STATE, "[state]");
    insta::assert_snapshot!("authorization_url", hidden(&settings()));
    insta::assert_snapshot!(
        "authorization_url_documented",
        hidden(&settings().without_response_type())
    );
    let with_pkce = settings().with_pkce(Pkce::S256);
    let url = hidden(&with_pkce);
    assert!(url.contains("code_challenge_method=S256"), "never plain: {url}");
    insta::assert_snapshot!("authorization_url_pkce", url);
    let exchange = by_code(&with_pkce);
    let body = std::str::from_utf8(exchange.body().expose()).expect("a form is ASCII");
    let verifier = body.split('&').find_map(|it| it.strip_prefix("code_verifier="));
    let verifier = verifier.expect("the verifier goes with the code");
    assert!(
        (43..=128).contains(&verifier.len()) && verifier.bytes().all(|it| it.is_ascii_hexdigit())
    );
}

#[test]
fn c10_the_challenge_is_that_of_rfc_7636_appendix_b() {
    let verifier =
        oauth2::PkceCodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into());
    let challenge = oauth2::PkceCodeChallenge::from_code_verifier_sha256(&verifier);
    assert_eq!(challenge.as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[test]
fn c03_token_requests_are_posts_and_nothing_secret_is_in_their_urls() {
    for request in [by_client(&client()), by_code(&settings()), by_refresh(&client().in_header())] {
        assert_eq!(request.method(), http::Method::POST);
        assert_eq!(request.uri(), "https://api.smartrecruiters.com/identity/oauth/token");
    }
    let url = begin(&settings()).url().to_owned();
    assert!(!url.contains("canary"), "{url}");
}

#[test]
fn c27_no_answer_changes_where_the_next_request_goes() {
    let endpoints = Endpoints::production();
    let mut grant = ClientCredentialsGrant::new(&client(), endpoints.token(), retry(), at(0));
    let first = grant.poll_output();
    let elsewhere = "https://evil.example/token";
    let body = format!(r#"{{"token_endpoint":"{elsewhere}","issuer":"{elsewhere}"}}"#);
    let mut response = crate::fixture::answer(503, &body);
    for name in ["location", "content-location", "link", "alt-svc", "refresh"] {
        response.headers_mut().insert(name, http::HeaderValue::from_static(elsewhere));
    }
    let Some(Output::Transmit(first)) = first else { panic!("a request") };
    grant.handle_input(at(1), Input::Response { id: first.id, response });
    grant.handle_input(at(60), Input::Timeout);
    let second = transmit(grant).request;
    assert_eq!(second.uri(), first.request.uri());
    assert_eq!(second.uri(), endpoints.token().as_str());
}

/// Every name in a form, in order.
fn names(request: &http::Request<SecretBytes>) -> Vec<String> {
    url::form_urlencoded::parse(request.body().expose())
        .map(|(name, _)| name.into_owned())
        .collect()
}

#[test]
fn c04_each_request_uses_one_way_to_authenticate_the_client() {
    let certificate = ClientCredentials::with_certificate("82e4424135fe").expect("valid");
    for (name, client) in
        [("body", client()), ("header", client().in_header()), ("certificate", certificate)]
    {
        let settings = AuthorizationSettings::new(
            client.clone(),
            Endpoints::production(),
            settings().redirect_uri().clone(),
        );
        for request in [by_client(&client), by_code(&settings), by_refresh(&client)] {
            let in_body = names(&request).contains(&"client_secret".to_owned());
            let in_header = request.headers().contains_key("authorization");
            assert_eq!((in_body, in_header), (name == "body", name == "header"), "{name}");
        }
    }
}

#[test]
fn c30_the_grants_of_this_crate_are_three() {
    let grant_type = |request: http::Request<SecretBytes>| {
        let mut pairs = url::form_urlencoded::parse(request.body().expose());
        let (_, value) = pairs.find(|(name, _)| name == "grant_type").expect("a grant type");
        value.into_owned()
    };
    let sent = [by_client(&client()), by_code(&settings()), by_refresh(&client())].map(grant_type);
    assert_eq!(sent, ["client_credentials", "authorization_code", "refresh_token"]);
}

proptest! {
    /// Whatever id and secret are made of, the server decodes exactly them.
    #[test]
    fn c05_basic_credentials_are_form_encoded_before_base64(
        id in "[^\\p{C}]{1,20}",
        text in "[^\\p{C}]{1,20}",
    ) {
        use base64::Engine as _;
        let client = ClientCredentials::new(&id, secret(&text)).expect("no control characters");
        let request = by_client(&client.in_header());
        let header = request.headers().get("authorization").expect("Basic");
        let encoded = header.to_str().expect("ASCII").strip_prefix("Basic ").expect("Basic");
        let pair = base64::engine::general_purpose::STANDARD.decode(encoded).expect("base64");
        let pair = String::from_utf8(pair).expect("ASCII");
        let (left, right) = pair.split_once(':').expect("one colon");
        let decode = |it: &str| {
            let mut pairs = url::form_urlencoded::parse(it.as_bytes());
            pairs.next().map(|(name, _)| name.into_owned()).unwrap_or_default()
        };
        prop_assert_eq!(decode(left), id);
        prop_assert_eq!(decode(right), text);
    }

    /// Nothing that we send names a parameter twice.
    #[test]
    fn c07_no_parameter_is_sent_twice(id in "[ -~]{1,20}", text in "[ -~]{1,20}") {
        let client = ClientCredentials::new(&id, secret(&text)).expect("printable");
        for request in [by_client(&client), by_refresh(&client)] {
            let mut names = names(&request);
            names.sort_unstable();
            let all = names.len();
            names.dedup();
            prop_assert_eq!(names.len(), all);
        }
    }

    /// The exchange repeats the redirect URI of the request, whatever escapes it has.
    #[test]
    fn c11_the_exchange_repeats_the_redirect_uri_byte_for_byte(
        path in "(/[a-zA-Z0-9._~%2F-]{0,12}){0,3}/?",
        query in "(\\?[a-z]{1,5}=[a-zA-Z0-9+]{0,8}(%20|%2f)?)?",
    ) {
        let text = format!("https://yourapp.example{path}{query}");
        let Ok(uri) = RedirectUri::parse(&text) else { return Ok(()) };
        let settings = AuthorizationSettings::new(client(), Endpoints::production(), uri);
        let request = begin(&settings);
        let (_, asked) = request.url().split_once('?').expect("a query");
        let asked = url::form_urlencoded::parse(asked.as_bytes())
            .find_map(|(name, value)| (name == "redirect_uri").then(|| value.into_owned()));
        let callback = format!("code={CODE}&state={STATE}");
        let callback = sr_auth_core::wire::callback::Callback::new(&callback);
        let grant = request.into_pending().accept(&settings, &callback, at(0)).expect("accepted");
        let exchange = transmit(grant).request;
        let sent = url::form_urlencoded::parse(exchange.body().expose())
            .find_map(|(name, value)| (name == "redirect_uri").then(|| value.into_owned()));
        prop_assert_eq!(asked.as_deref(), Some(text.as_str()));
        prop_assert_eq!(sent.as_deref(), Some(text.as_str()));
    }
}
