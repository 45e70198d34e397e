//! Sealing: a backend keeps bytes that say nothing, and that fit in one place only.
//!
//! ```text
//!  keys      whose key, where it comes from
//!  sealed    one sealed value, as a backend keeps it
//!  cipher    one value, sealed for its place and opened from it
//!  operation whole operations and answers
//!  partner   those on integrations (feature `partner`)
//! ```

mod cipher;
mod key;
mod keys;
mod operation;
#[cfg(feature = "partner")]
mod partner;
mod sealed;

pub use key::{KeyId, SealingKey};
pub use keys::{KeyService, SealingKeys};
pub use sealed::Sealed;

pub(crate) use operation::{open_answer, open_successor, seal_op};
#[cfg(feature = "partner")]
pub(crate) use partner::{open_credentials, open_partner_answer, seal_partner_op};
