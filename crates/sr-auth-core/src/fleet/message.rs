//! What goes into a fleet and what comes out of it.

use super::{GrantId, Ruling};
use crate::lifecycle::{self, Application, Event, StoreFailure, StoreOpId, StoreRequest};
use crate::store::{End, Generation, GrantKey, Hold, NewGrant, StoreAnswer};
use crate::{Fingerprint, Secret, Timestamp, TokenEndpoint, Transmit};

/// Names an application that a fleet was told about: see [`Fleet::register`](super::Fleet).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ApplicationId(pub(super) u32);

impl ApplicationId {
    pub(super) fn place(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// What can happen to a fleet.
///
/// Commands are inputs too, so a whole run is a list of moments and inputs.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver that skips an input is broken")]
pub enum Input {
    /// A new consent or an import brought a grant.
    Adopt {
        /// Whose grant it is.
        application: ApplicationId,
        /// The grant.
        grant: NewGrant<Secret>,
        /// Its key.
        key: GrantKey,
    },
    /// The process's clocks have parted: it was suspended, or a clock was set.
    ClockDiverged,
    /// A grant is ended on purpose.
    End {
        /// Which end.
        end: End,
        /// Only this generation, or whichever it is.
        generation: Option<Generation>,
        /// The grant.
        key: GrantKey,
    },
    /// Something happened to a resident grant: above all the answers to its outputs. Commands may
    /// come this way too. [`lifecycle::Input::Admitted`] and [`lifecycle::Input::Shutdown`] are the
    /// fleet's own and change nothing.
    Grant {
        /// The grant; one that has left changes nothing.
        id: GrantId,
        /// What happened.
        input: lifecycle::Input,
    },
    /// This process has changed the list of [holds](crate::store::Holds): it is read at once. Of
    /// changes by others the store tells.
    HoldsChanged,
    /// An operator decides whether refusals are believed.
    Judge(Ruling),
    /// A grant is made resident, though nobody wants a token of it.
    Open {
        /// Whose grant it is.
        application: ApplicationId,
        /// Its key.
        key: GrantKey,
    },
    /// The API refused an access token with 401. A grant that is not resident has no token that
    /// could be refused: it is read anew when it is wanted.
    Rejected {
        /// The fingerprint of the token that was sent.
        fingerprint: Fingerprint,
        /// The grant.
        key: GrantKey,
    },
    /// An application has new credentials. What stopped it is forgotten.
    Replace {
        /// The new credentials. The endpoint of the old ones is kept.
        application: Application,
        /// Which application.
        id: ApplicationId,
    },
    /// An operator has repaired what stopped requests: everything may go on.
    Resume,
    /// The process is about to end: nothing new begins, what was begun is finished. Then comes
    /// [`Output::Drained`].
    Shutdown,
    /// The store answered an operation of the fleet itself, or did not.
    Stored {
        /// The operation.
        id: StoreOpId,
        /// What came of it.
        result: Result<StoreAnswer<Secret>, StoreFailure>,
    },
    /// The moment named by [`Machine::poll_timeout`](crate::Machine::poll_timeout) has come.
    Timeout,
    /// A caller wants an access token.
    Want {
        /// Whose grant it is.
        application: ApplicationId,
        /// Its key.
        key: GrantKey,
    },
}

/// What a fleet asks for, in the order in which it must be done.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a driver that skips an output is broken")]
pub enum Output {
    /// What a caller gets of this grant has changed: read it.
    Availability(GrantId),
    /// Everything that was begun is finished: the process may end.
    Drained,
    /// Something worth telling happened to a grant.
    Event {
        /// What.
        event: Event,
        /// To which.
        key: GrantKey,
    },
    /// Something worth telling happened that is not about one grant.
    Notice(FleetEvent),
    /// Carry this out and answer with [`Input::Grant`] and [`lifecycle::Input::Stored`], or with
    /// [`Input::Stored`] when it is of no grant.
    Store {
        /// The grant, if it is of one.
        grant: Option<GrantId>,
        /// The operation.
        request: StoreRequest,
    },
    /// Send this and answer with [`Input::Grant`].
    Transmit {
        /// The grant.
        grant: GrantId,
        /// The request.
        transmit: Transmit,
    },
}

/// Something worth telling about a fleet.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FleetEvent {
    /// An application that was stopped is accepted again.
    ApplicationResumed {
        /// The application.
        application: ApplicationId,
    },
    /// The token endpoint refuses an application: its grants wait, and nothing is lost.
    ApplicationStopped {
        /// The application.
        application: ApplicationId,
        /// When one grant tries again.
        retry_at: Timestamp,
    },
    /// A token endpoint that was stopped answers again.
    EndpointResumed {
        /// The endpoint.
        endpoint: TokenEndpoint,
    },
    /// A token endpoint is out of order: nothing is sent for a while.
    EndpointStopped {
        /// The endpoint.
        endpoint: TokenEndpoint,
        /// When one grant tries again.
        retry_at: Timestamp,
    },
    /// A grant has left the memory of this process. Its id is stale; if somebody waits for it, want
    /// it again.
    Evicted {
        /// What its id was.
        id: GrantId,
        /// The grant.
        key: GrantKey,
    },
    /// An operator holds grants: nothing of them is presented or handed out any more. What was begun
    /// is finished.
    Held {
        /// The order.
        hold: Hold,
    },
    /// Refusals of grants are believed again.
    RefusalsBelieved,
    /// So many grants are refused at once that it is not believed.
    RefusalsDoubted,
    /// An operator has released grants.
    Released {
        /// The order that is taken back.
        hold: Hold,
    },
    /// The store has gone back, as after the restoration of a backup, or it is another one. Renewals
    /// that can wait do, and the others go one by one until three have succeeded.
    StoreRolledBack,
    /// Three renewals in a row have succeeded since the store went back.
    StoreTrusted,
    /// A grant must be renewed that nobody has opened, and with more than one application, or by its
    /// settings, the fleet cannot tell whose it is: answer with [`Input::Open`] if it is yours.
    Unplaced {
        /// The grant.
        key: GrantKey,
    },
}
