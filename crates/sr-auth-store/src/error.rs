//! Errors: the type says where it failed, `failure` whether the operation was carried out.

mod backend;
mod key;
mod seal;
mod store;

pub use backend::{BackendError, BackendFault};
pub use key::{KeyError, KeyFault};
pub use seal::{SealError, SealFault};
pub use store::StoreError;
