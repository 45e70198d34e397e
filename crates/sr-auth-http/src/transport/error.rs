//! Why a request has no answer.

use std::fmt;

use http::Response;
use sr_auth_core::{Remedy, SecretBytes, TransportFailure};

/// Why a request has no complete answer, and whether it may have been sent.
///
/// Its message and its `Debug` are made of enums only: there is no place for a URL, a host name or a
/// secret, and nothing below it in [`source`](std::error::Error::source). Errors are equal when they
/// say the same, whatever they [received](Self::into_received).
///
/// # Examples
///
/// ```
/// use sr_auth_core::TransportFailure;
/// use sr_auth_http::{TransportError, TransportErrorKind};
///
/// let error = TransportError::after_send(TransportErrorKind::Timeout);
/// assert_eq!(error.failure(), TransportFailure::AfterSend);
/// assert_eq!(error.to_string(), "no complete answer came in time, and the request may have been sent");
/// ```
#[derive(Clone, thiserror::Error)]
#[error("{kind}{}", if matches!(.failure, TransportFailure::AfterSend) { ", and the request may have been sent" } else { "" })]
pub struct TransportError {
    failure: TransportFailure,
    kind: TransportErrorKind,
    received: Option<Box<Response<SecretBytes>>>,
}

impl TransportError {
    /// Says that the request may have been sent: the answer when in doubt.
    #[must_use]
    pub const fn after_send(kind: TransportErrorKind) -> Self {
        Self { failure: TransportFailure::AfterSend, kind, received: None }
    }

    /// Says that no byte of the request reached the network.
    #[must_use]
    pub const fn before_send(kind: TransportErrorKind) -> Self {
        Self { failure: TransportFailure::BeforeSend, kind, received: None }
    }

    /// Adds what arrived of the answer before the connection broke.
    ///
    /// A refresh token that the server has already replaced may be in it, so a transport that has
    /// the head and a part of the body hands them over.
    #[must_use]
    pub fn with_received(self, part: Response<SecretBytes>) -> Self {
        Self { received: Some(Box::new(part)), ..self }
    }

    /// Returns what arrived of the answer.
    #[must_use]
    pub fn into_received(self) -> Option<Response<SecretBytes>> {
        self.received.map(|part| *part)
    }

    /// Returns whether the request may have been sent.
    #[must_use]
    pub const fn failure(&self) -> TransportFailure {
        self.failure
    }

    /// Returns what went wrong.
    #[must_use]
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self.kind {
            TransportErrorKind::Protocol => Remedy::ReportBug,
            TransportErrorKind::Tls(_) | TransportErrorKind::Unsupported => {
                Remedy::FixConfiguration
            }
            TransportErrorKind::Closed
            | TransportErrorKind::Connect
            | TransportErrorKind::Fenced
            | TransportErrorKind::Resolve
            | TransportErrorKind::Timeout => Remedy::RetryLater { at: None },
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.kind {
            TransportErrorKind::Closed => "sr_auth::transport::closed",
            TransportErrorKind::Connect => "sr_auth::transport::connect",
            TransportErrorKind::Fenced => "sr_auth::transport::fenced",
            TransportErrorKind::Protocol => "sr_auth::transport::protocol",
            TransportErrorKind::Resolve => "sr_auth::transport::resolve",
            TransportErrorKind::Timeout => "sr_auth::transport::timeout",
            TransportErrorKind::Tls(fault) => fault.code(),
            TransportErrorKind::Unsupported => "sr_auth::transport::unsupported",
        }
    }
}

impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportError")
            .field("failure", &self.failure)
            .field("kind", &self.kind)
            .field("received", &self.received.as_ref().map(|part| part.body()))
            .finish()
    }
}

impl Eq for TransportError {}

impl PartialEq for TransportError {
    fn eq(&self, other: &Self) -> bool {
        (self.failure, self.kind) == (other.failure, other.kind)
    }
}

/// What went wrong with a request that has no complete answer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The connection ended before the answer was complete.
    #[error("the connection was closed before the answer was complete")]
    Closed,
    /// No connection: refused, unreachable, or not made in time.
    #[error("no connection could be made")]
    Connect,
    /// It became too late to write ([`Limits::write_within`](crate::Limits::write_within)).
    #[error("it became too late to send the request")]
    Fenced,
    /// What came back is not HTTP.
    #[error("the answer is not HTTP")]
    Protocol,
    /// The name of the host has no address.
    #[error("the name of the host could not be resolved")]
    Resolve,
    /// The whole answer did not come within
    /// [`Limits::answer_within`](crate::Limits::answer_within).
    #[error("no complete answer came in time")]
    Timeout,
    /// No trustworthy connection (RFC 6749 §10.9).
    #[error("the secure connection failed: {0}")]
    Tls(TlsFault),
    /// The transport does not send such a request: user name or password in the URL, no host, or
    /// plain http to another machine.
    #[error("this transport does not send such a request")]
    Unsupported,
}

/// Why a TLS connection cannot be trusted or was refused.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFault {
    /// The server's certificate is malformed, revoked, or made for another purpose.
    #[error("the certificate of the server is not acceptable")]
    BadCertificate,
    /// The server wants a client certificate, or another one than it was shown.
    #[error("the server did not accept the client certificate")]
    ClientCertificate,
    /// The server's certificate has ended, or has not begun.
    #[error("the certificate of the server is expired or not valid yet")]
    Expired,
    /// The two sides could not agree on version, cipher or messages.
    #[error("the handshake failed")]
    Handshake,
    /// No trusted authority has signed the server's certificate.
    #[error("the certificate of the server is not signed by a trusted authority")]
    UnknownIssuer,
    /// The server's certificate is for another name.
    #[error("the certificate of the server is for another name")]
    WrongName,
}

impl TlsFault {
    const fn code(self) -> &'static str {
        match self {
            Self::BadCertificate => "sr_auth::transport::tls::bad_certificate",
            Self::ClientCertificate => "sr_auth::transport::tls::client_certificate",
            Self::Expired => "sr_auth::transport::tls::expired",
            Self::Handshake => "sr_auth::transport::tls::handshake",
            Self::UnknownIssuer => "sr_auth::transport::tls::unknown_issuer",
            Self::WrongName => "sr_auth::transport::tls::wrong_name",
        }
    }
}
