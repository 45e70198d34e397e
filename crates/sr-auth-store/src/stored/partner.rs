//! What backends on servers have in common for integrations.
//!
//! ```text
//!  call    an operation as a name and a list of values
//!  record  a record as columns
//!  answer  what a server returned
//!  codes   values and their numbers
//! ```

#[cfg(any(feature = "postgres", feature = "redis"))]
pub(crate) mod answer;
#[cfg(any(feature = "postgres", feature = "redis"))]
pub(crate) mod call;
pub(crate) mod codes;
#[cfg(any(feature = "postgres", feature = "redis"))]
pub(crate) mod record;
