//! The reqwest transport: whom it trusts, how it proves who it is, and where it does not go.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed the test")]

mod broken;
mod tls;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use sr_auth_core::{
    AllowedHosts, ApiKey, ApiOrigin, ClientCredentials, ConfigError, Endpoints, Fault, GrantError,
    Secret, SecretBytes, ServerMisbehaved, Setting, TransportFailure,
};
use sr_auth_http::{
    ApiClient, ApiError, Limits, ReqwestTransport, TlsFault, TokenClient, TokenSource, Transport,
    TransportError, TransportErrorKind,
};
use tls::{Authority, Identity, TlsServer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const TOKEN: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 71\r\n\
     Connection: close\r\n\r\n\
     {\"access_token\":\"DCRD10-e7c5\",\"token_type\":\"bearer\",\"expires_in\":1799 }";

const LIMITS: Limits = Limits::new(Duration::from_secs(10), Duration::from_secs(10), 1024);

#[tokio::test(flavor = "multi_thread")]
async fn c01_a_server_that_cannot_be_trusted_gets_no_request() {
    let trusted = Authority::named("ours");
    let stranger = Authority::named("a stranger");
    let cases = [
        ("expired", trusted.expired_server(), TlsFault::Expired),
        ("for another name", trusted.server("elsewhere.example"), TlsFault::WrongName),
        ("signed by itself", Identity::self_signed(), TlsFault::UnknownIssuer),
        ("signed by a stranger", stranger.server("127.0.0.1"), TlsFault::UnknownIssuer),
    ];
    for (name, identity, fault) in cases {
        let server = TlsServer::start(&identity, None, TOKEN).await;
        let error = post(&trusting(&trusted), &server).await.unwrap_err();
        let expected = TransportError::before_send(TransportErrorKind::Tls(fault));
        assert_eq!(error, expected, "a certificate that is {name}");
        assert_eq!(server.requests(), "", "a certificate that is {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c01_a_trusted_server_is_answered() {
    let authority = Authority::named("ours");
    let server = TlsServer::start(&authority.server("127.0.0.1"), None, TOKEN).await;
    let response = post(&trusting(&authority), &server).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(server.requests().ends_with("\r\n\r\ncode=e63d"), "the body arrived");
}

#[tokio::test(flavor = "multi_thread")]
async fn c01_the_system_does_not_trust_an_authority_made_for_a_test() {
    let authority = Authority::named("ours");
    let server = TlsServer::start(&authority.server("127.0.0.1"), None, TOKEN).await;
    let error = post(&ReqwestTransport::new().unwrap(), &server).await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Tls(TlsFault::UnknownIssuer));
    let extra = ReqwestTransport::builder().extra_root_certificates_pem(authority.pem().as_bytes());
    assert!(post(&extra.build().unwrap(), &server).await.is_ok(), "until it is told to");
}

#[tokio::test(flavor = "multi_thread")]
async fn c01_without_authorities_every_https_server_is_refused() {
    let authority = Authority::named("ours");
    let server = TlsServer::start(&authority.server("127.0.0.1"), None, TOKEN).await;
    let transport = ReqwestTransport::builder().without_root_certificates().build().unwrap();
    let error = post(&transport, &server).await.unwrap_err();
    let expected = TransportErrorKind::Tls(TlsFault::UnknownIssuer);
    assert_eq!(error, TransportError::before_send(expected));
    assert_eq!(server.requests(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn c35_a_client_certificate_is_shown_with_the_client_id() {
    let authority = Authority::named("ours");
    let server = TlsServer::start(&authority.server("127.0.0.1"), Some(&authority), TOKEN).await;
    let transport = ReqwestTransport::builder()
        .root_certificates_pem(authority.pem().as_bytes())
        .client_certificate_pem(authority.client().pem())
        .build()
        .unwrap();
    let client = ClientCredentials::with_certificate("82e4424135fe").unwrap();
    let token = client_of(client, &server, transport).client_credentials().await.unwrap();
    assert_eq!(token.secret().expose(), "DCRD10-e7c5");
    let sent = server.requests();
    assert!(sent.contains("client_id=82e4424135fe"), "the client names itself");
    assert!(!sent.contains("client_secret"), "the certificate is the proof");
}

#[tokio::test(flavor = "multi_thread")]
async fn c35_without_the_certificate_the_server_answers_nothing() {
    let (authority, stranger) = (Authority::named("ours"), Authority::named("a stranger"));
    let server = TlsServer::start(&authority.server("127.0.0.1"), Some(&authority), TOKEN).await;
    let with_anothers = ReqwestTransport::builder()
        .root_certificates_pem(authority.pem().as_bytes())
        .client_certificate_pem(stranger.client().pem())
        .build()
        .unwrap();
    for (name, transport) in [("none", trusting(&authority)), ("a stranger's", with_anothers)] {
        let error = post(&transport, &server).await.unwrap_err();
        let fault = TransportErrorKind::Tls(TlsFault::ClientCertificate);
        // In TLS 1.3 the verdict comes after the client's part of the handshake, and races with
        // the request: the connection may be gone before the request has a share in its error.
        let gone = TransportError::before_send(TransportErrorKind::Connect);
        assert!(error.kind() == fault || error == gone, "with {name}: {error:?}");
        assert_eq!(server.requests(), "", "with {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c26_a_redirect_is_an_error_and_its_target_is_not_contacted() {
    let authority = Authority::named("ours");
    let target = TlsServer::start(&authority.server("127.0.0.1"), None, TOKEN).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = format!("http://{}/", listener.local_addr().unwrap());
    let targets = [
        ("the same origin", "/again".to_owned()),
        ("another origin", target.origin()),
        ("plain http", plain),
    ];
    for status in [301, 302, 303, 307, 308] {
        for (name, location) in &targets {
            let answer = format!(
                "HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\
                 Connection: close\r\n\r\n"
            );
            let server = TlsServer::start(&authority.server("127.0.0.1"), None, &answer).await;
            check_redirect(&format!("{status} to {name}"), &authority, &server).await;
        }
    }
    assert_eq!(target.requests(), "");
    let contact = timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(contact.is_err(), "nobody came to plain http");
}

async fn check_redirect(name: &str, authority: &Authority, server: &TlsServer) {
    let secret = Secret::new("9165228a82e4".to_owned());
    let client = ClientCredentials::new("82e4424135fe", secret).unwrap();
    let client = client_of(client, server, trusting(authority));
    let error = client.client_credentials().await.unwrap_err();
    let expected = GrantError::ServerMisbehaved(ServerMisbehaved::Redirect);
    assert_eq!(error, expected, "token endpoint, {name}");

    let origin = ApiOrigin::parse(&server.origin(), AllowedHosts::Any).unwrap();
    let key = ApiKey::new(Secret::new("7cb555e3".to_owned())).unwrap();
    let api = ApiClient::new(origin, TokenSource::api_key(key), Arc::new(trusting(authority)));
    let error = api.get("/jobs").await.unwrap_err();
    assert!(matches!(error, ApiError::Redirected), "API, {name}: {error}");

    let requests = server.requests();
    assert_eq!(requests.matches(" HTTP/1.1\r\n").count(), 2, "{name}: {requests}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_call_sends_nothing_any_more() {
    let authority = Authority::named("ours");
    for dropped in [false, true] {
        let server = TlsServer::start(&authority.server("127.0.0.1"), None, TOKEN).await;
        let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", relay.local_addr().unwrap());
        let transport = trusting(&authority);
        let mut call = Box::pin(send(&transport, &url));
        let waits = timeout(Duration::from_millis(100), &mut call).await;
        assert!(waits.is_err(), "the handshake, and the request with it, waits for the relay");
        let (mut client, _) = relay.accept().await.unwrap();
        let mut behind = TcpStream::connect(server.address()).await.unwrap();
        let relayed =
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut behind).await });
        if dropped {
            drop(call);
        } else {
            assert_eq!(call.await.unwrap().status(), 200);
        }
        let _ended = timeout(Duration::from_secs(10), relayed).await.expect("both ends close");
        assert_eq!(server.requests().contains("code=e63d"), !dropped, "dropped: {dropped}");
    }
}

#[test]
fn loopback_is_reached_without_a_proxy() {
    // The environment is read when a transport is made, so the test runs again in a child.
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "c01_a_trusted_server_is_answered"]);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"] {
        child.env(name, "http://127.0.0.1:9").env(name.to_lowercase(), "http://127.0.0.1:9");
    }
    let output = child.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let build = ReqwestTransport::builder;
    let not_a_key = Authority::named("ours").pem();
    let cases = [
        ("no certificate", build().root_certificates_pem(b"no PEM"), Fault::NotACertificate),
        ("no extra", build().extra_root_certificates_pem(b""), Fault::NotACertificate),
        (
            "no private key",
            build().client_certificate_pem(Secret::new(not_a_key)),
            Fault::NotACertificate,
        ),
        ("a line break", build().user_agent("acme\r\nX: y"), Fault::ControlCharacter),
    ];
    for (name, builder, fault) in cases {
        let error = builder.build().unwrap_err();
        assert_eq!(error, ConfigError::new(Setting::Transport, fault), "{name}");
    }
}

#[tokio::test]
async fn c01_plain_http_goes_to_loopback_only() {
    let transport = ReqwestTransport::new().unwrap();
    let error = send(&transport, "http://api.smartrecruiters.com/").await.unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Unsupported);
    assert_eq!(error.failure(), TransportFailure::BeforeSend);
}

fn trusting(authority: &Authority) -> ReqwestTransport {
    ReqwestTransport::builder().root_certificates_pem(authority.pem().as_bytes()).build().unwrap()
}

fn client_of(
    client: ClientCredentials,
    server: &TlsServer,
    transport: ReqwestTransport,
) -> TokenClient {
    let builder = TokenClient::builder(client);
    let endpoints = Endpoints::at_origin(&server.origin()).unwrap();
    builder.endpoints(endpoints).transport(Arc::new(transport)).build().unwrap()
}

async fn post(
    transport: &ReqwestTransport,
    server: &TlsServer,
) -> Result<http::Response<SecretBytes>, TransportError> {
    send(transport, &server.origin()).await
}

async fn send(
    transport: &ReqwestTransport,
    url: &str,
) -> Result<http::Response<SecretBytes>, TransportError> {
    let body = SecretBytes::new(b"code=e63d".to_vec());
    transport.send(Request::post(url).body(body).unwrap(), LIMITS).await
}
