//! The life of one credential: kept usable for ever, and never lost by our own doing.
//!
//! A [`TokenLifecycle`] keeps one grant: an access token to hand out and, for grants of a user, a
//! refresh token that works once. It is four regions, each with a file and one `match`:
//!
//! | region | decides |
//! |---|---|
//! | access | what may be served, and whether a renewal is wanted |
//! | attempt | the presentation that this process owns |
//! | doubt | what to do when a presentation, ours or somebody else's, may have happened |
//! | health | who may end a grant, and what revives it |
//!
//! Three rules are never weakened; [`store`](crate::store) states them: *intent gives safety*,
//! *quiet gives take-over*, *generation gives order*. And three more: store, then tell; salvage
//! before validating; a good access token is served whatever its renewal says.
//!
//! Callers are not in the machine. It publishes an [`Availability`]; a caller reads it, or waits for
//! the next under a deadline of its own, so a caller that leaves changes nothing.

mod access;
mod affairs;
mod attempt;
mod availability;
mod command;
mod context;
mod doubt;
mod event;
mod health;
mod held;
mod margins;
mod message;
mod news;
mod regions;
mod settings;
mod view;

pub use access::{Access, Wanted};
pub use availability::{Availability, Blame, Cause, Unavailable};
pub use event::Event;
pub use margins::Margins;
pub use message::{Input, Output, StoreFailure, StoreOpId, StoreRequest};
pub use settings::{Application, Process, Recovery, Settings};
pub use view::{Stage, View};

pub(crate) use context::{Counts, Shared};
pub(crate) use news::News;
pub(crate) use regions::Regions;

use std::collections::VecDeque;

use crate::store::{GrantKey, Renewal};
use crate::{Machine, Timestamp};

/// Keeps one credential usable.
///
/// Feed it with what its outputs brought, with commands ([`Input::Want`], [`Input::Rejected`],
/// [`Input::Adopt`], [`Input::End`]) and with time; read [`availability`](Self::availability). Each
/// output is answered once; what is never answered is given up at a time-out.
///
/// A process with many credentials, or one that shares its store with others, drives a
/// [`Fleet`](crate::fleet::Fleet) instead.
///
/// A clone is for looking ahead: of two copies one may act, for they would take each other's intents
/// for their own.
///
/// # Examples
///
/// ```
/// use sr_auth_core::lifecycle::{
///     Application, Availability, Input, Output, Process, Settings, TokenLifecycle,
/// };
/// use sr_auth_core::store::{GrantKey, Model, OwnerId, Renewal, StoreIdentity};
/// use sr_auth_core::{
///     ClientCredentials, Endpoints, FingerprintKey, Machine, Secret, SecretBytes, Timestamp,
/// };
///
/// let client = ClientCredentials::new("82e4424135fe", Secret::new("9165228a82e4".to_owned()))?;
/// let application = Application::new(client, Endpoints::production().token().clone());
/// let process = Process::new(OwnerId::new(7), FingerprintKey::new([7; 32]));
/// let key = GrantKey::new("planner")?;
/// let settings = Settings::default();
/// let mut lifecycle =
///     TokenLifecycle::new(key, application, Renewal::Repeatable, process, settings);
///
/// // The store is a value here; a driver would talk to a database.
/// let mut store = Model::new(StoreIdentity(1));
/// let now = Timestamp::from_unix_secs(0);
/// lifecycle.handle_input(now, Input::Want);
/// while let Some(output) = lifecycle.poll_output() {
///     match output {
///         Output::Store(request) => {
///             let result = Ok(store.apply(now, request.op));
///             lifecycle.handle_input(now, Input::Stored { id: request.id, result });
///         }
///         Output::Transmit(transmit) => {
///             // Send `transmit.request` with any HTTP library, then hand over what came back:
///             let body = br#"{"access_token":"DCRD10-e7c5","expires_in":1799}"#;
///             let response = http::Response::new(SecretBytes::new(body.to_vec()));
///             lifecycle.handle_input(now, Input::Response { id: transmit.id, response });
///         }
///         Output::Event(_) => {}
///     }
/// }
/// let Availability::Ready(token) = lifecycle.availability(now) else { panic!("a token") };
/// assert_eq!(token.ends_at, Timestamp::from_unix_secs(1_769), "less the last moments");
/// # Ok::<(), sr_auth_core::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TokenLifecycle {
    application: Application,
    closing: bool,
    counts: Counts,
    key: GrantKey,
    outputs: VecDeque<Output>,
    process: Process,
    regions: Regions,
    settings: Settings,
}

impl TokenLifecycle {
    /// Makes a lifecycle that has not looked into the store yet: the first [`Input::Want`] does.
    #[must_use]
    pub fn new(
        key: GrantKey,
        application: Application,
        renewal: Renewal,
        process: Process,
        settings: Settings,
    ) -> Self {
        Self {
            application,
            closing: false,
            counts: Counts::default(),
            key,
            outputs: VecDeque::new(),
            process,
            regions: Regions::new(renewal),
            settings,
        }
    }

    /// Returns what a caller gets at `now`.
    #[must_use]
    pub fn availability(&self, now: Timestamp) -> Availability<'_> {
        self.regions.availability(now)
    }

    /// Tells whether something was begun that has to be finished before the process ends.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.regions.is_busy()
    }

    /// Returns what it knows and does, without secrets.
    #[must_use]
    pub fn view(&self, now: Timestamp) -> View {
        self.regions.view(now)
    }

    fn handle(&mut self, now: Timestamp, input: Input) {
        let shared = Shared {
            application: &self.application,
            believing: true,
            closing: self.closing,
            fingerprints: self.process.fingerprints(),
            key: &self.key,
            margins: self.settings.margins(),
            owner: self.process.owner(),
            recovery: self.settings.recovery(),
        };
        self.regions.handle(now, input, shared, &mut self.counts, &mut self.outputs);
    }
}

impl Machine for TokenLifecycle {
    type Input = Input;
    type Output = Output;

    fn handle_input(&mut self, now: Timestamp, input: Input) {
        self.closing |= matches!(input, Input::Shutdown);
        self.handle(now, input);
        // Nobody else competes for the budget of one credential: it admits itself.
        if !self.closing && self.regions.asks(now).is_some() {
            self.handle(now, Input::Admitted);
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        self.regions.poll_timeout()
    }
}
