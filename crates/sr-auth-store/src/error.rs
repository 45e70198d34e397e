//! Errors: the type says where it failed, `failure` whether the operation was carried out.

mod backend;
mod hand_over;
mod hold;
mod import;
mod key;
mod seal;
mod spool;
mod store;

pub use backend::{BackendError, BackendFault};
pub use hand_over::HandOverError;
pub use hold::HoldError;
pub use import::ImportError;
pub use key::{KeyError, KeyFault};
pub use seal::{SealError, SealFault};
pub use spool::SpoolError;
pub use store::StoreError;
