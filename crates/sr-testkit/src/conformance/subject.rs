//! The store on trial, as its author hands it over.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sr_auth_store::Backend;

/// Why the author's own code could not go on: nothing can be said about the backend then.
pub type TrialError = Box<dyn Error + Send + Sync>;

/// One store, empty at first, that the suite opens, closes and looks into.
#[async_trait]
pub trait Subject: Send + Sync {
    /// Opens a further connection to the store, as another process would.
    ///
    /// # Errors
    ///
    /// Whatever keeps the store from being opened.
    async fn connect(&self) -> Result<Arc<dyn Backend>, TrialError>;

    /// Brings the store down and up again, as a restart of the machine would. All connections have
    /// been dropped before; what comes back from [`connect`](Self::connect) afterwards reads only
    /// what was kept.
    ///
    /// It is not called for a backend that promises no durability.
    ///
    /// # Errors
    ///
    /// Whatever keeps the store from coming up again; that is held against the backend.
    async fn restart(&self) -> Result<(), TrialError>;

    /// Returns all bytes that rest anywhere: files, with journals and logs, or a dump of the server.
    ///
    /// The keys of the grants have to be found in them, as a proof that these are the bytes.
    ///
    /// # Errors
    ///
    /// Whatever keeps them from being read.
    async fn raw_bytes(&self) -> Result<Vec<u8>, TrialError>;

    /// Moves the store's clock on, and tells whether that is possible. Where it is not, the suite
    /// waits for the store's own clock, a second in all.
    fn advance(&self, span: Duration) -> bool {
        let _span = span;
        false
    }
}
