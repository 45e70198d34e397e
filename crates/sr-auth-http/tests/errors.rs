//! Every error of the binding as a user sees it: message, code, remedy.
#![expect(clippy::unwrap_used, reason = "writing to a text cannot fail")]

use std::fmt::{Display, Write as _};

use sr_auth_core::Remedy;
use sr_auth_http::{ApiError, SourceError, TlsFault, TransportError, TransportErrorKind};

fn line(told: &mut String, message: &dyn Display, code: &str, remedy: Remedy) {
    writeln!(told, "{code}\n    {message}\n    {}", remedy.advice()).unwrap();
}

#[test]
fn transport_errors_say_what_happened_and_whether_the_request_may_have_been_sent() {
    use TransportErrorKind as K;
    let tls = [
        TlsFault::BadCertificate,
        TlsFault::ClientCertificate,
        TlsFault::Expired,
        TlsFault::Handshake,
        TlsFault::UnknownIssuer,
        TlsFault::WrongName,
    ];
    let kinds =
        [K::Closed, K::Connect, K::Fenced, K::Protocol, K::Resolve, K::Timeout, K::Unsupported];
    let mut told = String::new();
    for kind in kinds.into_iter().chain(tls.map(K::Tls)) {
        let error = TransportError::before_send(kind);
        line(&mut told, &error, error.code(), error.remedy());
        writeln!(told, "    {}", TransportError::after_send(kind)).unwrap();
    }
    insta::assert_snapshot!(told);
}

#[test]
fn errors_of_sources_and_calls_say_who_can_act() {
    let source = SourceError::NoCredential;
    let mut told = String::new();
    for error in [
        source.clone(),
        SourceError::NoClient,
        SourceError::NoRuntime,
        SourceError::NotKept,
        SourceError::Retired,
        SourceError::ShutDown,
        SourceError::TimedOut,
    ] {
        line(&mut told, &error, error.code(), error.remedy());
    }
    let timeout = TransportError::after_send(TransportErrorKind::Timeout);
    for error in [
        ApiError::Redirected,
        ApiError::Source(source),
        ApiError::TooLong,
        ApiError::Transport(timeout),
    ] {
        line(&mut told, &error, error.code(), error.remedy());
    }
    insta::assert_snapshot!(told);
}
