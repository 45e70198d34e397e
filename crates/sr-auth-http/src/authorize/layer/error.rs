//! Why a signed call failed.

use crate::SourceError;

/// Why a call through [`Authorize`](super::Authorize) failed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "before the service below, or in it")]
pub enum AuthorizeError<E> {
    /// The service below.
    #[error(transparent)]
    Service(E),
    /// There is no credential to be had; nothing was sent.
    #[error(transparent)]
    Source(SourceError),
}
