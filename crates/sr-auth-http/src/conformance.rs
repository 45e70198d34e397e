//! Checks that any [`Transport`] can run against itself, over loopback sockets.
//!
//! A hostile peer refuses, resets, stays silent, drips, redirects, floods and talks nonsense. What
//! the transport makes of it is held against the contract, rule by rule. A run takes a few seconds
//! and is bounded, however badly the transport behaves.

mod bench;
mod limits;
mod message;
mod outcomes;
mod peer;
mod report;

pub use report::{Report, Rule, Violation};

use std::io;

use crate::Transport;
use bench::Bench;

/// Runs all checks, one after the other.
///
/// Needs a tokio runtime with its timer and its I/O enabled. What is sent holds made-up secrets
/// only.
///
/// # Errors
///
/// When no loopback socket can be had, nothing can be said about the transport.
///
/// # Examples
///
/// ```no_run
/// # async fn example(transport: impl sr_auth_http::Transport) -> std::io::Result<()> {
/// let report = sr_auth_http::conformance::check(&transport).await?;
/// assert!(report.conforms(), "{report}");
/// # Ok(())
/// # }
/// ```
pub async fn check(transport: &dyn Transport) -> io::Result<Report> {
    let mut bench = Bench::new(transport);
    message::check(&mut bench).await?;
    outcomes::check(&mut bench).await?;
    limits::check(&mut bench).await?;
    Ok(bench.into_report())
}
