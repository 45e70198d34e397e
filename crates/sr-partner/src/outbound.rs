//! The credentials that we make for SmartRecruiters, so that it can call us.

use sr_auth_core::{ClientId, ScopeSet, Secret, SecretDigest};
use zeroize::Zeroizing;

/// A client id and secret that we invented for one attempt of one company.
///
/// Both are 256 random bits, so no id repeats across companies and generations, as the service
/// demands: the id of the token is all that names the customer when SmartRecruiters calls.
#[derive(Clone, Debug)]
pub struct OutboundCredentials {
    id: ClientId,
    scopes: ScopeSet,
    secret: Secret,
}

impl OutboundCredentials {
    /// How every client id of ours begins; no company id does.
    pub const ID_PREFIX: &str = "srp1-";

    /// Makes a pair from 64 random bytes: 32 for the id, 32 for the secret.
    ///
    /// `scopes` is what SmartRecruiters may do with it at our API.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "hexadecimal digits are a client id")]
    pub fn generate(entropy: [u8; 64], scopes: ScopeSet) -> Self {
        let entropy = Zeroizing::new(entropy);
        let (id, secret) = entropy.split_at(32);
        let id = format!("{}{}", Self::ID_PREFIX, &*hex(id));
        let id = ClientId::new(&id).expect("hexadecimal digits are a client id");
        Self { id, scopes, secret: Secret::new(hex(secret).to_string()) }
    }

    /// Returns the id.
    #[must_use]
    pub const fn id(&self) -> &ClientId {
        &self.id
    }

    /// Returns what SmartRecruiters may do with them.
    #[must_use]
    pub const fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// Returns the secret.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Returns what is kept of them: the secret as a digest only.
    #[must_use]
    pub fn to_client(&self) -> OutboundClient {
        OutboundClient {
            id: self.id.clone(),
            scopes: self.scopes.clone(),
            secret: self.secret.digest(),
        }
    }
}

/// A client of our token endpoint as a store keeps it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct OutboundClient {
    /// The id.
    pub id: ClientId,
    /// What SmartRecruiters may do with it.
    pub scopes: ScopeSet,
    /// The digest of the secret, which nobody keeps in clear.
    pub secret: SecretDigest,
}

impl OutboundClient {
    /// Returns the name under which it is looked up.
    #[must_use]
    pub fn key(&self) -> ClientKey {
        ClientKey::of(self.id.as_str())
    }
}

/// A client id as it is looked up: its SHA-256 digest, so that whatever a caller sends has one size.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClientKey([u8; 32]);

impl ClientKey {
    /// Returns the name of a client id.
    #[must_use]
    pub fn of(id: &str) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(id.as_bytes()).into())
    }

    /// Takes over a stored name.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the name, for storing it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Random bytes as lower-case hexadecimal: each digit is four of the bits, so none is more likely
/// than another.
pub(crate) fn hex(random: &[u8]) -> Zeroizing<String> {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
    let mut text = Zeroizing::new(String::with_capacity(2 * random.len()));
    text.extend(random.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
    text
}
