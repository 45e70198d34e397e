//! Random bytes of the operating system: the only place that draws them.

use sr_auth_core::Remedy;

/// Draws the random bytes that an authorization request takes for `state` and PKCE.
///
/// # Errors
///
/// [`EntropyError`] when the operating system gives none.
///
/// # Examples
///
/// ```
/// let random = sr_auth_http::entropy()?;
/// assert_ne!(random, sr_auth_http::entropy()?);
/// # Ok::<(), sr_auth_http::EntropyError>(())
/// ```
pub fn entropy() -> Result<[u8; 64], EntropyError> {
    random()
}

/// Draws random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], EntropyError> {
    let mut random = [0; N];
    getrandom::fill(&mut random).map_err(|_| EntropyError)?;
    Ok(random)
}

/// Draws a number from 0 to 1, for jitter; 1 when the operating system gives none.
pub(crate) fn fraction() -> f32 {
    let mut random = [0; 2];
    match getrandom::fill(&mut random) {
        Ok(()) => f32::from(u16::from_ne_bytes(random)) / f32::from(u16::MAX),
        // The whole pause is the careful choice.
        Err(_) => 1.0,
    }
}

/// The operating system gave no random bytes, so nothing that must be unguessable can be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
#[non_exhaustive]
pub struct EntropyError;

impl EntropyError {
    /// Returns what can be done about it, and by whom.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        Remedy::FixConfiguration
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "sr_auth::entropy"
    }
}
