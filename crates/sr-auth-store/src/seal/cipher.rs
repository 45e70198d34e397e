//! One value: sealed for its place, opened from its place only.

use chacha20poly1305::XNonce;
use chacha20poly1305::aead::{Aead as _, Payload};
use sr_auth_core::store::GrantKey;
use sr_auth_core::{Fingerprint, Secret};
use zeroize::Zeroizing;

use super::keys::SealingKeys;
use super::sealed::{Header, Origin, Sealed};
use crate::{SealError, SealFault, random};

/// Where a value belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) field: Field,
    pub(super) fingerprint: Fingerprint,
    pub(super) grant: &'a GrantKey,
}

/// Which token of a record a value is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Field {
    Access,
    /// The client secret of a company.
    #[cfg(feature = "partner")]
    ClientSecret,
    Refresh,
    Sibling,
}

/// Seals under the newest key: XChaCha20-Poly1305 with a random nonce.
pub(super) fn seal(
    keys: &SealingKeys,
    place: Place<'_>,
    origin: Origin,
    value: &Secret,
) -> Result<Sealed, SealError> {
    let failed = || SealError::new(SealFault::NoRandomness);
    let nonce = random::bytes::<24>().ok_or_else(failed)?;
    let header = Header { key: keys.newest().id(), origin };
    let aad = associated_data(header, place);
    let payload = Payload { msg: value.expose().as_bytes(), aad: &aad };
    let cipher = keys.newest().cipher(place.grant);
    let sealed = cipher.encrypt(&XNonce::from(nonce), payload);
    let ciphertext = sealed.expect("a token is far shorter than what one nonce may seal");
    Ok(Sealed::join(header, &nonce, &ciphertext))
}

/// Opens under whichever key it was sealed with, and returns how it came into its record.
pub(super) fn open(
    keys: &SealingKeys,
    place: Place<'_>,
    sealed: &Sealed,
) -> Result<(Secret, Origin), SealError> {
    let parts = sealed.parts().ok_or_else(|| SealError::new(SealFault::Damaged))?;
    let unknown = || SealError::new(SealFault::UnknownKey(parts.header.key));
    let key = keys.find(parts.header.key).ok_or_else(unknown)?;
    let aad = associated_data(parts.header, place);
    let payload = Payload { msg: parts.ciphertext, aad: &aad };
    let opened = key.cipher(place.grant).decrypt(&XNonce::from(*parts.nonce), payload);
    let opened = Zeroizing::new(opened.map_err(|_| SealError::new(SealFault::Forged))?);
    // It was text when it was sealed, and it has not been changed since.
    let text = str::from_utf8(&opened).map_err(|_| SealError::new(SealFault::Forged))?;
    Ok((Secret::new(text.to_owned()), parts.header.origin))
}

/// What has to be the same when it is opened: format, key, origin and generation, field,
/// fingerprint, grant.
fn associated_data(header: Header, place: Place<'_>) -> Vec<u8> {
    let field = match place.field {
        Field::Access => 1,
        Field::Refresh => 2,
        Field::Sibling => 3,
        #[cfg(feature = "partner")]
        Field::ClientSecret => 4,
    };
    // All but the last have a fixed length, so two places never spell the same.
    [
        &b"sr-auth.store.value.1"[..],
        &header.to_bytes(),
        &[field],
        place.fingerprint.as_bytes(),
        place.grant.as_str().as_bytes(),
    ]
    .concat()
}
