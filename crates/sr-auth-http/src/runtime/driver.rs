//! The task that owns a fleet: feeds it, does what it asks for, and publishes what it says.

use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::fleet::{ApplicationId, Fleet, FleetEvent, GrantId, Input, Output};
use sr_auth_core::lifecycle::{self, Availability, Event, Process};
use sr_auth_core::store::{End, GrantKey, Holds, OwnerId};
use sr_auth_core::{Machine as _, Timestamp};
use tokio::sync::{mpsc, oneshot};

use super::pool::{Done, Pool};
use super::waiting::Outcome;
use super::{Command, Entry, News, Shared, index, news};
use crate::SourceError;
use crate::entropy::random;

/// Runs a fleet until everything that was begun is finished.
#[derive(Debug)]
pub(super) struct Driver {
    /// Who wants to know that a grant was adopted, or ended, in the order in which they asked.
    acks: BTreeMap<GrantKey, VecDeque<Ack>>,
    /// What the fleet calls the applications, by their places.
    applications: Vec<ApplicationId>,
    commands: mpsc::UnboundedReceiver<Command>,
    /// Nobody can give a command any more.
    deserted: bool,
    drained: bool,
    fleet: Fleet,
    pool: Pool,
    shared: Arc<Shared>,
    /// Who waits for the end.
    stopping: Vec<oneshot::Sender<()>>,
    swept_at: Timestamp,
}

#[derive(Debug)]
struct Ack {
    is_end: bool,
    reply: oneshot::Sender<()>,
}

impl Driver {
    /// How often what nobody uses is looked for.
    const SWEEP_EVERY: Duration = Duration::from_secs(60);

    /// Makes a driver with a name of its own, as a process that has just begun.
    pub(super) fn new(
        shared: Arc<Shared>,
        commands: mpsc::UnboundedReceiver<Command>,
    ) -> Result<Self, SourceError> {
        let owner = OwnerId::new(u128::from_ne_bytes(random()?));
        let parts = &shared.parts;
        let process = Process::new(owner, parts.fingerprints.clone());
        let fleet = Fleet::new(parts.clock.now(), process, parts.settings);
        let pool = Pool::new(parts.clock.clone(), parts.store.clone(), parts.transport.clone());
        Ok(Self {
            acks: BTreeMap::new(),
            applications: Vec::new(),
            commands,
            deserted: false,
            drained: false,
            fleet,
            pool,
            swept_at: shared.parts.clock.now(),
            shared,
            stopping: Vec::new(),
        })
    }

    pub(super) async fn run(mut self, first: Command) {
        self.obey(first);
        while !self.drained {
            let clock = self.shared.parts.clock.clone();
            let due = self.fleet.poll_timeout();
            let wait = async {
                match due {
                    Some(at) => clock.sleep_until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                Some(done) = self.pool.next() => self.answered(done),
                command = self.commands.recv(), if !self.deserted => match command {
                    Some(command) => self.obey(command),
                    None => {
                        self.deserted = true;
                        self.feed(Input::Shutdown);
                    }
                },
                () = wait => self.tick(),
            }
        }
        self.shared.waiting.settle_all(&Outcome::ShutDown);
        for stopping in self.stopping.drain(..) {
            // Whoever does not wait any more needs no answer.
            let _told = stopping.send(());
        }
    }

    fn tick(&mut self) {
        if self.shared.parts.clock.has_diverged() {
            tracing::warn!(target: "sr_auth", "clocks have parted: all deadlines are judged anew");
            self.feed(Input::ClockDiverged);
            self.publish_all();
        }
        if self.now().since(self.swept_at) >= Self::SWEEP_EVERY {
            self.sweep();
        }
        self.feed(Input::Timeout);
    }

    /// Drops what nobody uses: headers of tokens that have ended, and entries without one. The entry of
    /// a company with an application of its own stays as long as its grant is in memory.
    fn sweep(&mut self) {
        let (fleet, shared) = (&self.fleet, &self.shared);
        let wall = shared.parts.clock.wall_millis();
        let is_placed = |entry: &Entry| {
            let is_own = entry.application().is_some_and(|it| shared.applications.is_own(it));
            is_own && fleet.find(entry.key()).is_some()
        };
        let is_of_use = |entry: &Entry| !entry.withdraw_ended(wall) || is_placed(entry);
        for place in shared.index.sweep(is_of_use) {
            shared.applications.free(place);
        }
        self.swept_at = self.now();
    }

    fn answered(&mut self, done: Done) {
        match done {
            Done::Sent { grant, input } => self.feed(Input::Grant { id: grant, input }),
            Done::Stored { grant, id, is_end, result } => {
                let ended = grant.filter(|_| is_end && result.is_ok());
                let ended = ended.and_then(|it| self.fleet.key(it).cloned());
                self.feed(match grant {
                    Some(grant) => {
                        Input::Grant { id: grant, input: lifecycle::Input::Stored { id, result } }
                    }
                    None => Input::Stored { id, result },
                });
                if let Some(key) = ended {
                    self.acknowledge(&key, true);
                }
            }
        }
    }

    fn obey(&mut self, command: Command) {
        let now = self.now();
        if self.fleet.poll_timeout().is_some_and(|at| at <= now) {
            // What is due comes first: a caller may ask just when a pause is over.
            self.tick();
        }
        match command {
            Command::Adopt { entry, grant, reply } => {
                let Some(application) = self.application(&entry) else { return };
                let key = entry.key().clone();
                self.await_ack(&key, false, reply);
                self.feed(Input::Adopt { application, grant, key });
            }
            Command::End { end, entry, generation, reply } => {
                // The fleet knows whose grant it is only when it is in memory.
                let Some(application) = self.application(&entry) else { return };
                let key = entry.key().clone();
                self.feed(Input::Open { application, key: key.clone() });
                self.await_ack(&key, true, reply);
                self.feed(Input::End { end, generation, key });
            }
            Command::HoldsChanged => self.feed(Input::HoldsChanged),
            Command::Judge(ruling) => self.feed(Input::Judge(ruling)),
            Command::Rejected { entry, fingerprint } => {
                let key = entry.key().clone();
                self.feed(Input::Rejected { fingerprint, key });
                self.publish_entry(&entry);
            }
            Command::Replace { application, place } => {
                self.register();
                if let Some(id) = self.applications.get(index(place)).copied() {
                    self.feed(Input::Replace { application, id });
                }
            }
            Command::Resume => self.feed(Input::Resume),
            Command::Retire { end, entry, reply } => self.retire(end, &entry, reply),
            Command::Shutdown { reply } => {
                self.stopping.push(reply);
                self.feed(Input::Shutdown);
            }
            Command::Sweep => {
                self.sweep();
                self.flush();
            }
            Command::View { entry, reply } => {
                let id = self.fleet.find(entry.key());
                // Whoever does not wait any more needs no answer.
                let _told = reply.send(id.and_then(|id| self.fleet.view(now, id)));
            }
            Command::Want { entry } => {
                self.want(&entry);
                self.publish_entry(&entry);
            }
        }
    }

    /// Ends a grant of which no token is handed out any more, whether or not there is one.
    fn retire(&mut self, end: End, entry: &Entry, reply: oneshot::Sender<()>) {
        // Once more: a token may have been published in between.
        entry.retire();
        let key = entry.key().clone();
        self.shared.waiting.settle(&key, &Outcome::Retired);
        let Some(application) = self.application(entry) else {
            // Nothing was ever obtained; whoever does not wait any more needs no answer.
            let _told = reply.send(());
            return;
        };
        self.feed(Input::Open { application, key: key.clone() });
        self.await_ack(&key, true, reply);
        self.feed(Input::End { end, generation: None, key });
    }

    fn want(&mut self, entry: &Entry) {
        let key = entry.key().clone();
        // The list of holds is no grant, and no token.
        if entry.is_retired() || Holds::is_key(&key) {
            self.shared.waiting.settle(&key, &Outcome::Retired);
            return;
        }
        match self.application(entry) {
            Some(application) => self.feed(Input::Want { application, key }),
            None => self.shared.waiting.settle(&key, &Outcome::Unregistered),
        }
    }

    fn now(&self) -> Timestamp {
        self.shared.parts.clock.now()
    }

    fn feed(&mut self, input: Input) {
        let now = self.now();
        self.pool.fed(now);
        self.fleet.handle_input(now, input);
        self.flush();
    }

    /// Does what the fleet asks for, in its order.
    fn flush(&mut self) {
        let (mut evicted, mut unplaced) = (Vec::new(), Vec::new());
        while let Some(output) = self.fleet.poll_output() {
            match output {
                Output::Availability(id) => self.publish(id),
                Output::Drained => self.drained = true,
                Output::Event { event, key } => {
                    let is_adopted = matches!(event, Event::Adopted { .. });
                    self.tell(News::Grant { event, key: key.clone() });
                    if is_adopted {
                        self.acknowledge(&key, false);
                    }
                }
                // It is in the store, and another application's.
                Output::Notice(FleetEvent::Unplaced { key }) if self.is_foreign(&key) => {}
                Output::Notice(notice) => {
                    if let FleetEvent::Evicted { key, .. } = &notice {
                        evicted.push(key.clone());
                    } else if let FleetEvent::Unplaced { key } = &notice {
                        unplaced.push(key.clone());
                    }
                    self.tell(News::Fleet(notice));
                }
                Output::Store { grant, request } => self.pool.store(grant, request),
                Output::Transmit { grant, transmit } => self.pool.transmit(grant, transmit),
            }
        }
        for key in evicted {
            self.evicted(&key);
        }
        for key in unplaced {
            self.place(key);
        }
    }

    /// Says whose a grant is that must be renewed: what works once is of the application that has
    /// such grants, unless somebody has said otherwise.
    fn place(&mut self, key: GrantKey) {
        self.register();
        let entry = self.shared.index.find(&key);
        let said = entry.and_then(|it| self.application(&it));
        let usual = || {
            let place = self.shared.applications.single_use()?;
            self.applications.get(place).copied()
        };
        if let Some(application) = said.or_else(usual) {
            self.feed(Input::Open { application, key });
        }
    }

    fn is_foreign(&self, key: &GrantKey) -> bool {
        self.shared.parts.settings.only_opened() && self.shared.index.find(key).is_none()
    }

    /// Forgets what was published of a grant that has left: nobody would hear of its end.
    fn evicted(&mut self, key: &GrantKey) {
        if self.fleet.find(key).is_some() {
            return;
        }
        let Some(entry) = self.shared.index.find(key) else { return };
        entry.withdraw_all();
        if self.shared.waiting.contains(key) {
            self.want(&entry);
            return;
        }
        drop(entry);
        if let Some(place) = self.shared.index.drop_unused(key) {
            self.shared.applications.free(place);
        }
    }

    fn tell(&self, news: News) {
        news::log(&news);
        if let Some(events) = self.shared.events.get() {
            // Nobody listens at the moment.
            let _told = events.send(news);
        }
    }

    fn publish_entry(&self, entry: &Entry) {
        if let Some(id) = self.fleet.find(entry.key()) {
            self.publish_at(id, entry);
        }
    }

    fn publish(&self, id: GrantId) {
        let entry = self.fleet.key(id).and_then(|key| self.shared.index.find(key));
        // Nobody has asked for a grant without an entry.
        if let Some(entry) = entry {
            self.publish_at(id, &entry);
        }
    }

    fn publish_all(&self) {
        self.shared.index.for_each(|entry| self.publish_entry(entry));
    }

    /// Publishes what a grant has, and tells those who wait for it.
    fn publish_at(&self, id: GrantId, entry: &Entry) {
        if entry.is_retired() {
            self.shared.waiting.settle(entry.key(), &Outcome::Retired);
            return;
        }
        let outcome = match self.fleet.availability(self.now(), id) {
            Some(Availability::Failed(error)) => {
                entry.withdraw_all();
                Outcome::Failed(error)
            }
            Some(Availability::Ready(token)) => {
                match entry.publish(token, &self.shared.parts.clock) {
                    Ok(header) => Outcome::Ready(header),
                    Err(error) => {
                        entry.withdraw_all();
                        Outcome::Unusable(error)
                    }
                }
            }
            Some(Availability::Pending { .. }) | None => {
                entry.withdraw_all();
                return;
            }
        };
        self.shared.waiting.settle(entry.key(), &outcome);
    }

    /// Returns what the fleet calls the application of a grant.
    fn application(&mut self, entry: &Entry) -> Option<ApplicationId> {
        let place = index(entry.application()?);
        if place >= self.applications.len() {
            self.register();
        }
        self.applications.get(place).copied()
    }

    /// Tells the fleet about applications that are new.
    fn register(&mut self) {
        let now = self.now();
        for (application, renewal) in self.shared.applications.from(self.applications.len()) {
            let id = self.fleet.register(now, application, renewal);
            self.applications.push(id);
        }
    }

    fn await_ack(&mut self, key: &GrantKey, is_end: bool, reply: oneshot::Sender<()>) {
        self.acks.entry(key.clone()).or_default().push_back(Ack { is_end, reply });
    }

    /// Tells whoever asked first that it is durable.
    fn acknowledge(&mut self, key: &GrantKey, is_end: bool) {
        let Some(acks) = self.acks.get_mut(key) else { return };
        if acks.front().is_some_and(|it| it.is_end == is_end)
            && let Some(ack) = acks.pop_front()
        {
            // Whoever does not wait any more needs no answer.
            let _told = ack.reply.send(());
        }
        if acks.is_empty() {
            self.acks.remove(key);
        }
    }
}

impl Drop for Driver {
    /// Has those who wait ask again, when the tokio runtime ends under the driver.
    fn drop(&mut self) {
        let outcome = if self.shared.is_closed() { Outcome::ShutDown } else { Outcome::Lost };
        self.shared.waiting.settle_all(&outcome);
    }
}
