//! Sealing: a backend keeps bytes that say nothing, and that fit in one place only.
//!
//! ```text
//!  keys      whose key, where it comes from
//!  sealed    one sealed value, as a backend keeps it
//!  cipher    one value, sealed for its place and opened from it
//!  operation whole operations and answers
//! ```

mod cipher;
mod key;
mod keys;
mod operation;
mod sealed;

pub use key::{KeyId, SealingKey};
pub use keys::{KeyService, SealingKeys};
pub use sealed::Sealed;

pub(crate) use operation::{open_answer, open_successor, seal_op};
