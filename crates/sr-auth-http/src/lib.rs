//! Transport binding of `sr-auth-core`.

mod clock;
mod driver;
mod entropy;
#[cfg(feature = "reqwest")]
mod reqwest_transport;
mod transport;

pub use clock::Clock;
pub use driver::drive;
pub use entropy::{EntropyError, entropy};
#[cfg(feature = "reqwest")]
pub use reqwest_transport::{ReqwestTransport, ReqwestTransportBuilder};
pub use transport::{Limits, TlsFault, Transport, TransportError, TransportErrorKind};
