//! From an error of reqwest to ours: only its kind is kept, never its text.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError};

use super::gate::Gate;
use super::resolver::Unresolved;
use crate::{TlsFault, TransportError, TransportErrorKind};

/// Judges a request that got no answer.
pub(super) fn failed(error: &reqwest::Error, gate: &Gate) -> TransportError {
    // Closing first settles it: after this nothing more can leave.
    let untouched = gate.close();
    if gate.is_fenced() {
        return TransportError::before_send(TransportErrorKind::Fenced);
    }
    if untouched || error.is_connect() {
        let mut kind = kind(error);
        if matches!(
            kind,
            TransportErrorKind::Closed | TransportErrorKind::Protocol | TransportErrorKind::Timeout
        ) {
            // All of them happened on the way to a connection: to the peer or to the proxy.
            kind = TransportErrorKind::Connect;
        }
        return TransportError::before_send(kind);
    }
    TransportError::after_send(kind(error))
}

/// Names what went wrong.
pub(super) fn kind(error: &reqwest::Error) -> TransportErrorKind {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return TransportErrorKind::Tls(fault(tls));
        }
        if error.is::<Unresolved>() {
            return TransportErrorKind::Resolve;
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            // `source()` of an I/O error passes over the error that it holds.
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if error.is_builder() {
        TransportErrorKind::Unsupported
    } else if is_garbage(error) {
        TransportErrorKind::Protocol
    } else {
        TransportErrorKind::Closed
    }
}

/// Tells whether the peer answered outside of HTTP.
fn is_garbage(error: &reqwest::Error) -> bool {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(hyper) = error.downcast_ref::<hyper::Error>() {
            return hyper.is_parse();
        }
        next = error.source();
    }
    false
}

#[expect(clippy::wildcard_enum_match_arm, reason = "rustls adds errors at any time")]
const fn fault(error: &rustls::Error) -> TlsFault {
    match error {
        rustls::Error::InvalidCertificate(certificate) => certificate_fault(certificate),
        rustls::Error::AlertReceived(
            AlertDescription::AccessDenied
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRequired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate,
        ) => TlsFault::ClientCertificate,
        _ => TlsFault::Handshake,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "rustls adds errors at any time")]
const fn certificate_fault(error: &CertificateError) -> TlsFault {
    match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => TlsFault::Expired,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsFault::WrongName
        }
        CertificateError::UnknownIssuer => TlsFault::UnknownIssuer,
        _ => TlsFault::BadCertificate,
    }
}
