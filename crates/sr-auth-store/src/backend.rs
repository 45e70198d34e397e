//! What a backend is.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
#[cfg(feature = "partner")]
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{StoreAnswer, StoreOp};
#[cfg(feature = "partner")]
use sr_partner::store::{PartnerAnswer, PartnerOp};

#[cfg(feature = "partner")]
use crate::BackendFault;
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

    /// Carries out one operation on integrations, as
    /// [`PartnerModel`](sr_partner::store::PartnerModel) says. All that is said of
    /// [`apply`](Self::apply) holds, with the same clock; the numbers of changes are apart.
    ///
    /// A backend that keeps none need not write it.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply); [`BackendFault::NotOffered`] unless it is written.
    #[cfg(feature = "partner")]
    async fn apply_partner(
        &self,
        _op: PartnerOp<Sealed>,
    ) -> Result<PartnerAnswer<Sealed>, BackendError> {
        Err(BackendError::new(BackendFault::NotOffered, StoreFailure::NotDone))
    }

    /// Tells what an answer is worth when the machine loses its power right after it.
    fn durability(&self) -> Durability;
}

/// A backend that several stores share.
#[async_trait]
impl<B: Backend + ?Sized> Backend for Arc<B> {
    async fn apply(&self, op: StoreOp<Sealed>) -> Result<StoreAnswer<Sealed>, BackendError> {
        (**self).apply(op).await
    }

    #[cfg(feature = "partner")]
    async fn apply_partner(
        &self,
        op: PartnerOp<Sealed>,
    ) -> Result<PartnerAnswer<Sealed>, BackendError> {
        (**self).apply_partner(op).await
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
