//! What must hold in every run, by name.

use std::fmt;

use sr_auth_core::Timestamp;

/// A promise that a run may break. The names in parentheses are those of `docs/security.md`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Invariant {
    /// A process says that something is durable only when it is (S20).
    AcknowledgedWhenDurable,
    /// A company is joined with a tenant by a verified consent only, and never taken from another
    /// one that has not agreed (S17).
    BoundByConsent,
    /// Nothing grows without a bound (S18).
    Bounded,
    /// A caller who waits gets a token or a reason, once the faults are over (L1).
    CallersAreAnswered,
    /// A dead grant says why it died.
    CauseIsRight,
    /// No client id of ours comes twice (S15).
    ClientsAreUnique,
    /// A browser is sent to a listed page only (S16).
    ClosedRedirect,
    /// A commit is taken if and only if it follows the generation of the record, however late (S3).
    CommitFollowsGeneration,
    /// A customer whose company is not connected can connect it, once the faults are over.
    ConnectsAgain,
    /// A grant that nobody can save any more is reported dead, not tried for ever (L5).
    DeathIsReported,
    /// Only a verified refusal of the stored refresh token kills a grant, and only that generation
    /// of it (S6).
    DeathIsVerified,
    /// A notification ends what its own token speaks for, and nothing else does but a decision (S13).
    DisablesItsOwn,
    /// What was ended on purpose, or given anew, is never undone by a late commit (S19).
    EndIsFinal,
    /// What has ended is served nowhere once a process has been told, or five seconds later (S19).
    EndIsHeard,
    /// The generation of a grant never goes back in one store.
    GenerationGrows,
    /// A good access token is served whatever its renewal does (L4).
    GoodTokenIsServed,
    /// A refresh token is renewed before its 28 days are over (L3).
    IdleGrantIsKeptAlive,
    /// What we invent for SmartRecruiters is kept, and announced, before it leaves (S14).
    InventedFirst,
    /// No refresh token is presented without a durable intent that names it, within the fence (S2).
    IntentComesFirst,
    /// An intent is removed by its owner only, or when it is settled.
    IntentIsItsOwners,
    /// An intent does not stand for ever (L2).
    IntentIsSettled,
    /// A grant is lost only when nobody could have saved it.
    NoAvoidableLoss,
    /// A request that may have arrived is not sent again before it is certainly over, and then once.
    NoBlindRepeat,
    /// No token of another grant is ever taken or served (S8).
    NoCrossTalk,
    /// Nothing that is told or printed holds a secret (S11).
    NoSecretIsShown,
    /// No access token is served past its end (S7).
    NoStaleToken,
    /// The token endpoint is not stormed (L3).
    NoStorm,
    /// A process has one presentation of a grant under way at most (S4).
    OneFlight,
    /// An exchange ends, and tells one outcome.
    OneOutcome,
    /// What is presented was read inside the claim, and nothing newer was seen (S1).
    PresentsTheNewest,
    /// A rejected access token takes no other with it.
    RejectionIsPrecise,
    /// A process that is told to shut down finishes in time what it has begun (L6).
    ShutdownEnds,
    /// A token request goes to the token endpoint and nowhere else (S12).
    StaysAtItsEndpoint,
    /// A successor that is offered is kept (S3).
    SuccessorIsKept,
    /// Nobody presents what another presentation may still spend (S5).
    TakeOverIsQuiet,
    /// Access and refresh token of a record come from one answer.
    TokensBelongTogether,
}

/// A broken promise.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Violation {
    /// When, in true time.
    pub at: Timestamp,
    /// What was seen.
    pub detail: &'static str,
    /// The grant, by its place in the scenario.
    pub grant: Option<usize>,
    /// Which promise.
    pub invariant: Invariant,
    /// The process, by its place in the scenario.
    pub process: Option<usize>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} broken at {:?}: {}", self.invariant, self.at, self.detail)?;
        if let Some(process) = self.process {
            write!(f, ", process {process}")?;
        }
        if let Some(grant) = self.grant {
            write!(f, ", grant {grant}")?;
        }
        Ok(())
    }
}
