//! Errors: the type says whose fault it is, [`Remedy`] says who can act.

mod config;
mod grant;
mod server_text;

pub use config::{ConfigError, Fault, Setting};
pub use grant::{
    ErrorCode, ErrorResponse, ExpiredCredential, GrantError, GrantFailure, ServerMisbehaved,
    SingleUse,
};
pub use server_text::ServerText;

use crate::Timestamp;

/// What can be done about an error, and by whom.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Remedy {
    /// An administrator of the SmartRecruiters company has to act: give a scope, a System role,
    /// API access, or new credentials.
    AskAdministrator,
    /// Whoever operates this service has stopped it on purpose, and can let it go on.
    AskOperator,
    /// A setting of this application is wrong.
    FixConfiguration,
    /// The user has to give consent again, in a browser.
    Reauthorize,
    /// The server broke the protocol in a way that repeating will not mend.
    ReportBug,
    /// The same call may succeed later.
    RetryLater {
        /// The moment before which the server asked not to be called; `None` when it named none.
        at: Option<Timestamp>,
    },
}

impl Remedy {
    /// Returns one sentence for a person, without a full stop.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::AskAdministrator => "ask an administrator of the SmartRecruiters company",
            Self::AskOperator => "ask who operates this service to release it",
            Self::FixConfiguration => "correct the configuration, then try again",
            Self::Reauthorize => "ask the user to authorize the application again",
            Self::ReportBug => "report this: the server answered outside of its protocol",
            Self::RetryLater { .. } => "try again later",
        }
    }
}
