//! Requests to us: for a token, with a notification, to our own API. A machine for each request.
//!
//! ```text
//!                    ┌── Store ──▶ Stored ──┐
//!  request ──▶ read ─┤                      ├──▶ judged ──▶ Event?, then Respond or Admit
//!                    └── nothing to ask ────┘
//! ```
//!
//! None of them knows a socket or a store: a request goes in, operations and one answer come out.
//! The answer is the last thing that is handed out, after whatever it promises is durable.

mod admission;
mod issuer;
mod notification;
mod task;

pub use admission::Admission;
pub use issuer::{ExpiresInUnit, TokenIssuance, TokenIssuer};
pub use notification::Notification;

use std::fmt;
use std::time::Duration;

use http::Response;
use sr_auth_core::lifecycle::{StoreFailure, StoreOpId};
use sr_auth_core::store::Generation;
use sr_auth_core::{Secret, SecretBytes, ServerText, Timestamp};

use crate::IntegrationKey;
use crate::store::{DisableEffect, PartnerAnswer, PartnerOp, Principal};

/// What can happen to a request that is being answered.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver that skips an input is broken")]
pub enum InboundInput {
    /// The store answered, or did not.
    Stored {
        /// The operation.
        id: StoreOpId,
        /// What came of it.
        result: Result<PartnerAnswer<Secret>, StoreFailure>,
    },
    /// The moment named by [`Machine::poll_timeout`](sr_auth_core::Machine::poll_timeout) has come.
    Timeout,
}

/// What a request asks for; the last output is [`Respond`](Self::Respond) or
/// [`Admit`](Self::Admit).
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver that skips an output is broken")]
pub enum InboundOutput {
    /// The caller of our own API is known, and may go on.
    Admit(Principal),
    /// Something worth telling happened.
    Event(InboundEvent),
    /// The answer.
    Respond(Response<SecretBytes>),
    /// Carry this out and answer with [`InboundInput::Stored`].
    Store(PartnerStoreRequest),
}

/// One operation that a machine wants from the store of integrations.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a driver that skips a field is broken")]
pub struct PartnerStoreRequest {
    /// How long to wait for the store. Afterwards the answer is [`StoreFailure::OutcomeUnknown`],
    /// and the machine does not need it any more.
    pub answer_within: Duration,
    /// Names the operation; the answer must carry it.
    pub id: StoreOpId,
    /// The operation.
    pub op: PartnerOp<Secret>,
}

/// How long a request waits for each answer of the store.
pub const STORE_WITHIN: Duration = Duration::from_secs(5);

/// What requests to us have to tell.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub enum InboundEvent {
    /// SmartRecruiters said that a customer has disabled an integration, and what that did. Retire
    /// the company's tokens when it [ended](DisableEffect::Ended).
    Disabled {
        /// What it did.
        effect: DisableEffect,
        /// For whom the token spoke.
        principal: Principal,
    },
    /// A token was handed out.
    Issued {
        /// When it ends, by the store's clock.
        expires_at: Timestamp,
        /// The generation of the client.
        generation: Generation,
        /// The application and the company.
        key: IntegrationKey,
    },
    /// A notification of a kind that nobody knows was accepted, and changed nothing.
    UnknownNotification {
        /// The kind, as far as it can be shown. Text from the caller.
        name: ServerText,
        /// For whom the token spoke.
        principal: Principal,
    },
    /// A token request was refused, or a token was.
    Refused(Refusal),
}

impl fmt::Debug for InboundEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disabled { effect, principal } => {
                write!(f, "Disabled({effect:?}, {principal:?})")
            }
            Self::Issued { expires_at, generation, key } => {
                write!(f, "Issued({key} #{}, until {expires_at:?})", generation.number())
            }
            Self::UnknownNotification { name, principal } => {
                write!(f, "UnknownNotification({name:?}, {principal:?})")
            }
            Self::Refused(refusal) => write!(f, "Refused({refusal:?})"),
        }
    }
}

/// Why a request to us was refused. For the log only: the caller is told less.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// No such client, or a wrong secret.
    Client,
    /// The token is no token of ours, or has ended.
    Foreign,
    /// The request cannot be read.
    Malformed,
    /// The company in the path is not the token's.
    OtherCompany,
    /// The token's integration is not the live one.
    Retired,
    /// The token does not have the scope.
    Scope,
    /// The store does not answer.
    Store,
    /// Too many requests were refused.
    Throttled,
    /// No token.
    Unauthenticated,
}
