//! What is said when a store fails.

use sr_auth_core::Remedy;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_store::{BackendFault, HoldError, StoreError};

use super::StoreAt;
use crate::exit::{Exit, Failure};

impl Failure {
    /// Says why grants could not be held or released.
    pub(crate) fn of_hold(at: &StoreAt, error: HoldError) -> Self {
        match error {
            HoldError::Config(error) => Self::new(
                Exit::Usage,
                error.code(),
                error.to_string(),
                "release what is held no more, or hold more with one order; a reason has at most \
                 200 bytes, and no line break",
            ),
            HoldError::Store(error) => Self::of_store(at, &error),
            error => {
                Self::new(Exit::Failed, error.code(), error.to_string(), error.remedy().advice())
            }
        }
    }

    /// Says what is wrong with a store, and where.
    pub(crate) fn of_store(at: &StoreAt, error: &StoreError) -> Self {
        let what = format!("{at}: {error}");
        let (exit, advice) = match error {
            StoreError::Backend(error) if error.fault() == BackendFault::OpenToOthers => {
                (Exit::Usage, error.fault().advice().to_owned())
            }
            StoreError::Backend(error)
                if at.is_server() && error.fault() == BackendFault::NotAStore =>
            {
                (Exit::Usage, "look at the database in the address, and at --store-name".to_owned())
            }
            StoreError::Backend(error) => {
                let exit = if !at.is_server() {
                    Exit::Failed
                } else if error.remedy() == Remedy::FixConfiguration {
                    Exit::Usage
                } else {
                    Exit::Unavailable
                };
                (exit, error.fault().advice().to_owned())
            }
            StoreError::Seal(_) | StoreError::Opening(_) => (
                Exit::Usage,
                "give the key that it was sealed under (SR_AUTH_SEALING_KEY_FILE), \
                 or remove the file and log in again"
                    .to_owned(),
            ),
            StoreError::Key(_) | StoreError::Spool(_) | StoreError::Volatile | _ => {
                (Exit::Failed, error.remedy().advice().to_owned())
            }
        };
        let what = match error.failure() {
            StoreFailure::NotDone => what,
            StoreFailure::OutcomeUnknown => format!("{what}; `sr-auth status` tells"),
        };
        Self::new(exit, error.code(), what, advice)
    }
}
