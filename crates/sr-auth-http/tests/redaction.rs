//! No secret in any log, at the finest level, of this crate and of everything below it; nor in an
//! error or a `Debug`.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed the test")]

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use http::Request;
use http::header::LOCATION;
use sr_auth_core::grant::{AuthorizationRequest, AuthorizationSettings, RetryPolicy};
use sr_auth_core::wire::callback::Callback;
use sr_auth_core::{ClientAuthentication, ClientCredentials, SecretBytes};
use sr_auth_http::{
    ApiClient, Clock, Limits, ReqwestTransport, TokenClient, TokenSource, Transport, entropy,
};
use sr_testkit::{AutoDecision, Effect, Fault, Sandbox, SandboxSettings, Target, Transcript};
use tracing_subscriber::fmt::format::FmtSpan;

/// As long a piece of a secret as may ever be seen, in characters.
const GLIMPSE: usize = 12;

#[tokio::test]
async fn k05_no_secret_reaches_a_log_an_error_or_debug() {
    let log = Transcript::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .init();
    let secrets = live_through(&log).await;
    let shown = log.text();
    for word in ["sr_auth", "client_credentials", "refresh_token", "api_call", "hyper_util"] {
        assert!(shown.contains(word), "the log is there, and tells of {word}");
    }
    for (name, secret) in secrets {
        for (form, text) in forms(&secret) {
            let seen = glimpses(&text).find(|piece| shown.contains(*piece));
            assert_eq!(seen, None, "a piece of {name}, {form}");
        }
    }
}

/// Does a bit of everything, well and badly, and returns the secrets that were about.
async fn live_through(log: &Transcript) -> Vec<(&'static str, String)> {
    let mut settings = SandboxSettings::default();
    settings.switches.auto_decision = AutoDecision::Authorize;
    let sandbox = Sandbox::start(settings).await.unwrap();
    let credentials = sandbox.credentials();
    let mut secrets = vec![
        ("the API key", credentials.api_key_secret().expose().to_owned()),
        ("the client secret", client_secret(credentials.service())),
        ("the application's secret", client_secret(credentials.application())),
    ];
    let transport: Arc<dyn Transport> =
        Arc::new(ReqwestTransport::builder().without_root_certificates().build().unwrap());
    let origin = sandbox.endpoints().unwrap().api().clone();

    let service = client(&sandbox, &credentials.service().clone().in_header(), &transport);
    sandbox.with(|it| it.inject(Fault::new(Target::Token, Effect::LostAfter)));
    let token = service.client_credentials().await.unwrap();
    secrets.push(("an access token", token.secret().expose().to_owned()));
    log.show(&(&token, &service));
    let api = ApiClient::new(origin.clone(), service.into(), Arc::clone(&transport));
    log.show(&api.get("/jobs").await.unwrap().body());
    let key = TokenSource::api_key(credentials.api_key().clone());
    let api = ApiClient::new(origin, key, Arc::clone(&transport));
    log.show(&(api.get("/feed/publications").await.unwrap_err(), &api));

    let settings = AuthorizationSettings::new(
        credentials.application().clone(),
        sandbox.endpoints().unwrap(),
        credentials.redirect_uri().clone(),
    );
    let clock = Clock::system();
    let request = AuthorizationRequest::new(&settings, entropy().unwrap(), clock.now()).unwrap();
    let back = visit(request.url()).await;
    let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    secrets.push(("the code", code));
    log.show(&request);
    let pending = request.into_pending();
    let grant = pending.accept(&settings, &Callback::new(&back), clock.now()).unwrap();
    log.show(&grant);
    let application = client(&sandbox, credentials.application(), &transport);
    let tokens = application.authorization_code(grant).await.unwrap();
    log.show(&tokens);
    let refresh = tokens.into_parts().1.unwrap();
    secrets.push(("a refresh token", refresh.secret().expose().to_owned()));
    let next = application.refresh(refresh.clone()).await.unwrap().into_parts().1.unwrap();
    secrets.push(("the next refresh token", next.secret().expose().to_owned()));
    // The spent one is refused, and the next one gets lost.
    log.show(&application.refresh(refresh).await.unwrap_err());
    sandbox.with(|it| it.inject(Fault::new(Target::Token, Effect::LostBefore)));
    log.show(&application.refresh(next).await.unwrap_err());
    secrets
}

fn client(
    sandbox: &Sandbox,
    client: &ClientCredentials,
    transport: &Arc<dyn Transport>,
) -> TokenClient {
    let pause = Duration::from_millis(1);
    TokenClient::builder(client.clone())
        .endpoints(sandbox.endpoints().unwrap())
        .retry(RetryPolicy::default().with_pauses(pause, pause).unwrap())
        .transport(Arc::clone(transport))
        .build()
        .unwrap()
}

/// Does what the browser does: its URL holds no secret of ours but `state`, and the answer the
/// code. Whoever sends such a request keeps its own log.
async fn visit(url: &str) -> String {
    let limits = Limits::new(Duration::from_secs(10), Duration::from_secs(10), 64 * 1024);
    let request = Request::get(url).body(SecretBytes::default()).unwrap();
    let browser = ReqwestTransport::builder().without_root_certificates().build().unwrap();
    let answer = browser.send(request, limits).await.unwrap();
    answer.headers()[LOCATION].to_str().unwrap().to_owned()
}

fn client_secret(client: &ClientCredentials) -> String {
    let ClientAuthentication::Body(secret) = client.authentication() else {
        unreachable!("the sandbox gives out secrets for the body")
    };
    secret.expose().to_owned()
}

/// Returns a secret in the forms in which it could be seen.
fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let mut forms = vec![
        ("as it is", secret.to_owned()),
        ("as bytes", format!("{:?}", secret.as_bytes()).trim_matches(['[', ']']).to_owned()),
        ("as hexadecimal", secret.bytes().map(|byte| format!("{byte:02x}")).collect()),
        ("backwards", secret.chars().rev().collect()),
    ];
    // Where base64 begins inside of a longer text is unknown: three alignments.
    for skip in 0..3 {
        let rest = &secret[skip..];
        forms.push(("as base64", STANDARD_NO_PAD.encode(rest)));
        forms.push(("as base64 for URLs", URL_SAFE_NO_PAD.encode(rest)));
    }
    forms
}

/// Returns every piece of a text that is long enough to matter; its last characters may differ
/// where an encoding goes on.
fn glimpses(text: &str) -> impl Iterator<Item = &str> {
    let end = text.len().saturating_sub(GLIMPSE);
    (0..end.max(1)).filter_map(|at| text.get(at..at + GLIMPSE))
}
