//! Errors: the type says where it failed, `failure` whether the operation was carried out.

mod backend;
mod hold;
mod key;
mod seal;
mod spool;
mod store;

pub use backend::{BackendError, BackendFault};
pub use hold::HoldError;
pub use key::{KeyError, KeyFault};
pub use seal::{SealError, SealFault};
pub use spool::SpoolError;
pub use store::StoreError;
