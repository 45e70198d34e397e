//! Where integrations rest: records, the operations on them, and what those mean.
//!
//! As with [`sr_auth_core::store`], an operation is one atomic step, a backend carries it out, and
//! [`PartnerModel`] says what it has to do. `V` is how a company's client secret is kept: a
//! [`Secret`](sr_auth_core::Secret) in machines, something sealed in backends. What we only have to
//! recognise again, our own client secrets and the tokens that we issue, is a digest everywhere.
//!
//! # The rules
//!
//! 1. **Invented first.** The digest of the credentials that we send is durable before they leave
//!    ([`PartnerOp::Begin`], [`PartnerOp::Arm`]); until the answer is here they are provisional, and
//!    end by themselves.
//! 2. **Theirs before the browser.** What SmartRecruiters answers is durable before anybody is told
//!    ([`PartnerOp::Commit`]).
//! 3. **Verified before live.** A company is bound only by [`PartnerOp::Activate`], after somebody
//!    found out which company the credentials open, and never over another tenant unless its owner
//!    agreed to that.
//! 4. **A generation is an integration.** Every attempt has its own, and so have its tokens: whoever
//!    speaks for an older one changes nothing.

mod answer;
mod model;
mod operation;
mod record;

pub use answer::{
    DisableEffect, IntegrationChange, KnownClient, PartnerAnswer, PartnerNews, PartnerOutcome,
    Principal,
};
pub use model::{CountedRefusals, IssuedToken, PartnerModel, RefusedParty};
pub use operation::{AttemptLimits, NewAttempt, PartnerOp, SourceKey};
pub use record::{
    Attempt, Binding, EndCause, Ending, Integrated, IntegrationEvent, IntegrationLedgerEntry,
    IntegrationRecord, Phase, Verified,
};
