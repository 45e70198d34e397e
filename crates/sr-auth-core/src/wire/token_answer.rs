//! The answer of the token endpoint.

/// The longest body that is read, in bytes. A transport hands over at most one byte more, and that
/// byte makes the answer [`ServerMisbehaved::TooLong`](crate::ServerMisbehaved::TooLong).
pub const BODY_LIMIT: usize = 64 * 1024;
