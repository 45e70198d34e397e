//! Many grants in one machine: when each is looked at, which may use the token endpoint, and when
//! nobody should.
//!
//! ```text
//!  callers, answers ──▶ lifecycle of the grant ──▶ store operations, events, availability
//!                          │ wants a renewal
//!                          ▼
//!                       queue by class ── budget, breakers ──▶ intent, request
//! ```
//!
//! Nothing waits between the intent and the first byte: whoever may not send does not begin. A
//! grant that nobody uses is its record in the store and nothing else; a scan brings it back when
//! it must be renewed.

mod admission;
mod breaker;
mod bucket;
mod care;
mod ends;
mod evidence;
mod gates;
mod holding;
mod index;
mod mass_death;
mod message;
mod pages;
mod pause;
mod poll;
mod pulse;
mod queue;
mod resident;
mod residents;
mod rings;
mod settings;
mod slots;
mod watch;
mod wheel;
mod work;

pub use mass_death::Ruling;
pub use message::{ApplicationId, FleetEvent, Input, Output};
pub use settings::Settings;
pub use slots::GrantId;
pub use wheel::Wheel;

use std::collections::VecDeque;

use care::KeepAlive;
use ends::Ends;
use gates::Gates;
use holding::Holding;
use mass_death::MassDeath;
use pulse::Pulses;
use residents::Residents;
use watch::Caution;

use crate::lifecycle::{self, Application, Availability, Counts, Process, View};
use crate::store::{GrantKey, Renewal};
use crate::{Machine, Timestamp};

/// Keeps all credentials of a process usable.
///
/// A grant becomes resident when it is wanted, opened, adopted or due for renewal, and leaves when
/// others need its place and nothing of it is under way. Read
/// [`availability`](Self::availability) when [`Output::Availability`] says that it changed.
///
/// # Examples
///
/// ```
/// use sr_auth_core::fleet::{Fleet, Input, Output, Settings};
/// use sr_auth_core::lifecycle::{self, Application, Availability, Process};
/// use sr_auth_core::store::{GrantKey, Model, OwnerId, Renewal, StoreIdentity};
/// use sr_auth_core::{
///     ClientCredentials, Endpoints, FingerprintKey, Machine, Secret, SecretBytes, Timestamp,
/// };
///
/// let client = ClientCredentials::new("82e4424135fe", Secret::new("9165228a82e4".to_owned()))?;
/// let application = Application::new(client, Endpoints::production().token().clone());
/// let process = Process::new(OwnerId::new(7), FingerprintKey::new([7; 32]));
/// let now = Timestamp::from_unix_secs(0);
/// let mut fleet = Fleet::new(now, process, Settings::default());
/// let application = fleet.register(now, application, Renewal::Repeatable);
///
/// // The store is a value here; a driver would talk to a database.
/// let mut store = Model::new(StoreIdentity(1));
/// let key = GrantKey::new("planner")?;
/// fleet.handle_input(now, Input::Want { application, key: key.clone() });
/// while let Some(output) = fleet.poll_output() {
///     match output {
///         Output::Store { grant, request } => {
///             let (id, result) = (request.id, Ok(store.apply(now, request.op)));
///             fleet.handle_input(now, match grant {
///                 Some(grant) => {
///                     Input::Grant { id: grant, input: lifecycle::Input::Stored { id, result } }
///                 }
///                 None => Input::Stored { id, result },
///             });
///         }
///         Output::Transmit { grant, transmit } => {
///             // Send `transmit.request` with any HTTP library, then hand over what came back:
///             let body = br#"{"access_token":"DCRD10-e7c5","expires_in":1799}"#;
///             let response = http::Response::new(SecretBytes::new(body.to_vec()));
///             let input = lifecycle::Input::Response { id: transmit.id, response };
///             fleet.handle_input(now, Input::Grant { id: grant, input });
///         }
///         Output::Availability(_) | Output::Event { .. } | Output::Notice(_) => {}
///         Output::Drained => {}
///     }
/// }
/// let id = fleet.find(&key).expect("it is resident");
/// let Some(Availability::Ready(token)) = fleet.availability(now, id) else { panic!("a token") };
/// assert_eq!(token.ends_at, Timestamp::from_unix_secs(1_769), "less the last moments");
/// # Ok::<(), sr_auth_core::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct Fleet {
    caution: Caution,
    closing: Closing,
    counts: Counts,
    deaths: MassDeath,
    ends: Ends,
    gates: Gates,
    holding: Holding,
    keep_alive: KeepAlive,
    outputs: VecDeque<Output>,
    process: Process,
    pulses: Pulses,
    residents: Residents,
    settings: Settings,
    /// What a lifecycle asked for, before it is told of whom it is. Empty between two inputs.
    work: VecDeque<lifecycle::Output>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Closing {
    Drained,
    Draining,
    No,
}

impl Fleet {
    /// For how many outputs there is room when there are none.
    const SPARE_OUTPUTS: usize = 32;

    /// Makes a fleet without grants. It asks the store for news at once.
    #[must_use]
    pub fn new(now: Timestamp, process: Process, settings: Settings) -> Self {
        Self {
            caution: Caution::default(),
            closing: Closing::No,
            counts: Counts::default(),
            deaths: MassDeath::new(settings.lifecycle().margins()),
            ends: Ends::default(),
            gates: Gates::default(),
            holding: Holding::default(),
            keep_alive: KeepAlive::new(now, process.owner(), settings.scan_every()),
            outputs: VecDeque::new(),
            pulses: Pulses::new(poll::Poll::after(now, std::time::Duration::ZERO)),
            residents: Residents::new(process.owner()),
            process,
            settings,
            work: VecDeque::new(),
        }
    }

    /// Takes in an application, before its first grant. `renewal` is how its grants get their
    /// tokens as long as no record says it: an application that uses its client credentials for
    /// itself and has grants of users is registered twice.
    ///
    /// Applications with the same token endpoint share one budget.
    pub fn register(
        &mut self,
        now: Timestamp,
        application: Application,
        renewal: Renewal,
    ) -> ApplicationId {
        self.gates.register(now, application, renewal, &self.settings)
    }

    /// Returns what a caller of a grant gets at `now`; `None` when the id is stale. Nothing is handed
    /// out before the store has been asked what an operator holds.
    #[must_use]
    pub fn availability(&self, now: Timestamp, id: GrantId) -> Option<Availability<'_>> {
        let (key, resident) = self.residents.slots.content(id)?;
        Some(self.holding.gate(key).judge(resident.regions.availability(now)))
    }

    /// Returns the id of a resident grant.
    #[must_use]
    pub fn find(&self, key: &GrantKey) -> Option<GrantId> {
        self.residents.slots.find(key)
    }

    /// Returns the key of a resident grant; `None` when the id is stale.
    #[must_use]
    pub fn key(&self, id: GrantId) -> Option<&GrantKey> {
        self.residents.slots.content(id).map(|(key, _)| key)
    }

    /// Returns how many grants are resident.
    #[must_use]
    pub fn len(&self) -> usize {
        self.residents.slots.len()
    }

    /// Tells whether no grant is resident.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells whether something was begun that has to be finished before the process ends.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.residents.busy() > 0
    }

    /// Returns the resident grants.
    pub fn grants(&self) -> impl Iterator<Item = (GrantId, &GrantKey)> {
        self.residents.slots.iter().map(|(id, key, _)| (id, key))
    }

    /// Returns what a grant's lifecycle knows and does, without secrets; `None` when the id is
    /// stale.
    #[must_use]
    pub fn view(&self, now: Timestamp, id: GrantId) -> Option<View> {
        self.residents.slots.content(id).map(|(_, it)| it.regions.view(now))
    }
}

impl Machine for Fleet {
    type Input = Input;
    type Output = Output;

    fn handle_input(&mut self, now: Timestamp, input: Input) {
        if !self.holding.is_known() {
            // Whatever came first: nothing is handed out before the store has said what is held.
            self.pulse(now);
        }
        match input {
            Input::Adopt { application, grant, key } => {
                let renewal = Some(grant.renewal);
                self.command(now, key, application, renewal, lifecycle::Input::Adopt(grant));
            }
            Input::ClockDiverged => self.tell_all(now),
            Input::End { end, generation, key } => {
                let known = self.find(&key).and_then(|id| self.residents.slots.content(id));
                let application = known.map_or_else(ApplicationId::default, |it| it.1.application);
                let input = lifecycle::Input::End { end, generation };
                self.command(now, key, application, None, input);
            }
            Input::Grant { id, input } => self.grant(now, id, input),
            Input::HoldsChanged => {
                self.holding.has_changed();
                self.look_at_holds(now);
            }
            Input::Judge(ruling) => self.deaths.rule(ruling),
            Input::Open { application, key } => self.open_only(now, key, application),
            Input::Rejected { fingerprint, key } => {
                if let Some(id) = self.find(&key) {
                    self.grant(now, id, lifecycle::Input::Rejected { fingerprint });
                }
            }
            Input::Replace { application, id } => self.gates.replace(id, &application),
            Input::Resume => self.resume(),
            Input::Shutdown => self.closing = Closing::Draining,
            Input::Stored { id, result } => self.stored(now, id, result.ok()),
            Input::Timeout => self.tick(now),
            Input::Want { application, key } => {
                self.command(now, key, application, None, lifecycle::Input::Want);
            }
        }
        self.go_on(now);
    }

    fn poll_output(&mut self) -> Option<Output> {
        if self.outputs.is_empty() {
            // What a busy moment needed is not kept for ever.
            self.outputs.shrink_to(Self::SPARE_OUTPUTS);
        }
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        let grants = self.residents.wheel.next_at();
        if self.closing == Closing::Drained {
            return grants;
        }
        let earlier = |first: Timestamp, other: Option<Timestamp>| {
            other.map_or(first, |other| first.min(other))
        };
        let mut next = earlier(self.pulses.poll.timeout(), grants);
        if self.closing == Closing::No {
            next = next.min(self.keep_alive.poll.timeout());
            next = earlier(next, self.gates.timeout());
        }
        Some(next)
    }
}
