//! Answers that break off: what arrived is handed over, since a refresh token may be in it.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use sr_auth_core::{
    ClientCredentials, Endpoints, GrantError, RefreshToken, Secret, SecretBytes, Timestamp,
    TransportFailure,
};
use sr_auth_http::{Limits, ReqwestTransport, TokenClient, Transport, TransportErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;

const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n";
const PART: &str = r#"{"refresh_token":"0260b8e63d","access_tok"#;

/// These servers speak plain http, so no certificate authority is needed.
fn plain() -> ReqwestTransport {
    ReqwestTransport::builder().without_root_certificates().build().unwrap()
}

/// A server that sends half an answer to one request, then closes or falls silent.
async fn half_an_answer(closes: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut stream = listener.accept().await.unwrap().0;
        let mut request = [0; 4_096];
        let _read = stream.read(&mut request).await.unwrap();
        stream.write_all(format!("{HEAD}{PART}").as_bytes()).await.unwrap();
        if !closes {
            let silence = timeout(Duration::from_secs(20), stream.read_u8()).await;
            drop(silence);
        }
    });
    origin
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_handed_over_as_far_as_it_came() {
    for (closes, kind) in [(true, TransportErrorKind::Closed), (false, TransportErrorKind::Timeout)]
    {
        let origin = half_an_answer(closes).await;
        let body = SecretBytes::new(b"refresh_token=b2591f58".to_vec());
        let request = Request::post(&origin).body(body).unwrap();
        // Only silence is waited for to its end.
        let span = Duration::from_secs(if closes { 30 } else { 3 });
        let sent = plain().send(request, Limits::new(span, span, 1_024)).await;
        let error = sent.unwrap_err();
        assert_eq!((error.failure(), error.kind()), (TransportFailure::AfterSend, kind));
        let received = error.into_received().expect("the head and a part of the body");
        assert_eq!(received.status(), 200);
        assert_eq!(received.body().expose(), PART.as_bytes());
    }
}

#[tokio::test]
async fn c16_the_successor_in_a_broken_answer_is_salvaged() {
    let origin = half_an_answer(true).await;
    let client = ClientCredentials::new("id", Secret::new("secret".to_owned())).unwrap();
    let endpoints = Endpoints::at_origin(&origin).unwrap();
    let client = TokenClient::builder(client).endpoints(endpoints).transport(Arc::new(plain()));
    let client = client.build().unwrap();
    let spent = Secret::new("b2591f58".to_owned());
    let spent = RefreshToken::new(spent, Timestamp::from_unix_secs(0)).unwrap();
    let failure = client.refresh(spent).await.unwrap_err();
    assert_eq!(failure.error(), &GrantError::OutcomeUnknown);
    assert_eq!(failure.salvaged().expect("salvaged").secret().expose(), "0260b8e63d");
}
