//! What a backend is.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use sr_auth_core::store::{StoreAnswer, StoreOp};

use crate::{BackendError, Sealed};

/// Keeps grants and carries out operations on them, each as one atomic step.
///
/// What each operation means is [`Model`](sr_auth_core::store::Model): a backend answers exactly as
/// the model would, whoever else talks to the same store at the same time.
///
/// The suite `sr_testkit::conformance` compares a backend with the model.
///
/// - An operation is answered when its effect is as durable as [`durability`](Self::durability)
///   says, never earlier.
/// - The time in the answer is by one clock for all who share the store, and never goes back.
/// - An operation whose outcome is not known is an error that says so
///   ([`StoreFailure::OutcomeUnknown`]). It is not repeated here: the machine that asked knows what
///   a repeat means.
/// - A future that is dropped leaves its operation undone or done, never half done.
///
/// [`StoreFailure::OutcomeUnknown`]: sr_auth_core::lifecycle::StoreFailure::OutcomeUnknown
#[async_trait]
pub trait Backend: fmt::Debug + Send + Sync {
    /// Carries out one operation.
    ///
    /// # Errors
    ///
    /// [`BackendError`], which says whether the operation was certainly not carried out.
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError>;

    /// Tells what an answer is worth when the machine loses its power right after it.
    fn durability(&self) -> Durability;
}

/// A backend that several stores share.
#[async_trait]
impl<B: Backend + ?Sized> Backend for Arc<B> {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        (**self).apply(op).await
    }

    fn durability(&self) -> Durability {
        (**self).durability()
    }
}

/// What an answer of a [`Backend`] is worth after a crash.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Durability {
    /// What was answered survives the end of the process, of the operating system and of the power.
    Durable,
    /// What was answered may be gone after a crash. A grant whose refresh token works once is lost
    /// with it, so a [`Store`](crate::Store) refuses such grants here unless it is told otherwise.
    Volatile,
}
