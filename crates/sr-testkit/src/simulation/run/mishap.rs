//! What befalls the world as a whole, and its end.

use std::time::Duration;

use sr_auth_core::fleet::{ApplicationId, Input, Output};
use sr_auth_core::store::{End, GrantKey};

use super::{CLIENT_SECRET, Event, Run, clients};
use crate::simulation::network::{NetworkWeather, Trouble};
use crate::simulation::process::{self, Countdown, Due};
use crate::simulation::scenario::Mishap;
use crate::simulation::storage::StoreWeather;

/// What does not work just now.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outage {
    /// What becomes of every request to the token endpoint.
    pub(super) server: Option<Trouble>,
    /// The application's secret is refused.
    pub(super) secret: bool,
    pub(super) store: bool,
    /// The store says that it refuses; otherwise it says nothing.
    pub(super) store_refuses: bool,
}

/// So many grants are enough for their deaths at once to be doubted.
const MANY: usize = 6;

/// What somebody says of a grant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::simulation) enum Word {
    Consent,
    End,
    Rejected,
    Want,
}

/// The end of a mishap.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::simulation) enum Relief {
    Consents { grant: u8, process: u8 },
    Interrupts { grant: u8, process: u8, word: Word },
    Reachable { process: u8 },
    Restores,
    Resumes { clocks_part: bool, process: u8 },
    SecretBack,
    ServerBack,
    Starts { process: u8 },
    StoreBack,
}

impl Run<'_> {
    pub(super) fn mishap_again(&mut self) {
        if let Some(gap) = self.scenario.mishap_gap.filter(|_| !self.resting) {
            let gap = self.choices.span(gap) + Duration::from_secs(1) * self.scenario.pace;
            self.queue.put(self.now.after(gap), Event::Happens);
        }
    }

    pub(super) fn mishap(&mut self) {
        if self.resting {
            return;
        }
        self.mishap_again();
        let mishap = self.choices.pick(self.scenario.mishaps);
        let process = self.choices.below(self.scenario.processes as u32) as usize;
        let grant = self.choices.below(self.scenario.grants as u32) as usize;
        self.coverage.mishap(mishap);
        self.trace.step(self.now, 6, mishap as u64, process as u64);
        self.trace.say(self.now, format_args!("{mishap:?} (p{process}, g{grant})"));
        match mishap {
            Mishap::None => {}
            Mishap::ClockStep => self.clocks_part(process),
            Mishap::Consent => self.consents(process, grant),
            Mishap::Crash => {
                self.die(process);
                self.restart_within(process, self.hours(2));
            }
            Mishap::CrashAtStep => self.die_soon(process),
            Mishap::End => self.end(process, grant),
            Mishap::Herd => {
                for _ in 0..8 + self.choices.below(57) {
                    self.want(process, grant);
                }
            }
            Mishap::Interrupt => self.interrupt_soon(process),
            Mishap::Partition => self.part(process),
            Mishap::Pause => self.pause(process),
            Mishap::PauseAtStep => self.pause_soon(process),
            Mishap::Restore => {
                let of_nothing = self.choices.below(4) == 3;
                self.storage.back_up(of_nothing);
                self.lift_within(Relief::Restores, self.hours(12));
            }
            Mishap::SecretRefused => {
                for client in clients("another secret") {
                    self.simulator.world_mut().add_client(client);
                }
                self.outage.secret = true;
                self.lift_within(Relief::SecretBack, self.hours(3));
            }
            Mishap::ServerOutage => self.server_fails(self.hours(2)),
            Mishap::ServerRevokes => self.revokes_some(grant),
            Mishap::Shutdown => self.shut_down(process),
            Mishap::StoreOutage => {
                self.outage.store = true;
                self.outage.store_refuses = self.choices.below(2) == 1;
                self.lift_within(Relief::StoreBack, self.hours(2));
            }
            Mishap::Suspend => {
                self.stop(process);
                let process = process as u8;
                let relief = Relief::Resumes { clocks_part: true, process };
                self.lift_within(relief, self.hours(8));
            }
        }
    }

    fn interrupt_soon(&mut self, process: usize) {
        let (after, left) = (true, self.choices.below(6));
        if let Some(it) = self.processes.get_mut(process) {
            it.interrupted_in = Some(Countdown { after, left });
        }
    }

    fn part(&mut self, process: usize) {
        let Some(it) = self.processes.get_mut(process) else { return };
        it.partitioned = true;
        self.lift_within(Relief::Reachable { process: process as u8 }, self.hours(2));
    }

    /// A span that mishaps last, as long as worlds of this kind have it.
    fn hours(&self, count: u64) -> Duration {
        Duration::from_secs(count * 3_600) * self.scenario.pace
    }

    /// Counts what a process does for its grants; while one of these acts is under way, somebody
    /// says a word.
    pub(super) fn interrupt(&mut self, process: usize, output: &Output) {
        let (Output::Store { grant: Some(slot), .. } | Output::Transmit { grant: slot, .. }) =
            output
        else {
            return;
        };
        let Some(it) = self.processes.get_mut(process) else { return };
        let key = it.machines.as_ref().and_then(|it| it.key(*slot));
        let Some(grant) = key.and_then(|key| self.common.place(key)) else { return };
        if process::count(&mut it.interrupted_in) == Due::Not {
            return;
        }
        let words = [Word::Want, Word::Consent, Word::End, Word::Rejected];
        let (grant, process, word) = (grant as u8, process as u8, self.choices.pick(&words));
        let relief = Relief::Interrupts { grant, process, word };
        self.queue.put(self.now.after(Duration::from_millis(1)), Event::Lifts(relief));
    }

    fn say_word(&mut self, process: usize, grant: usize, word: Word) {
        match word {
            Word::Consent => self.consents(process, grant),
            Word::End => self.end(process, grant),
            Word::Rejected => self.rejects_any(process, grant),
            Word::Want => self.want(process, grant),
        }
    }

    fn server_fails(&mut self, longest: Duration) {
        self.outage.server = Some(self.choices.pick(&[
            Trouble::NotSent,
            Trouble::RequestLost,
            Trouble::ProxyBefore,
            Trouble::Throttled,
        ]));
        self.lift_within(Relief::ServerBack, longest);
    }

    fn lift_within(&mut self, relief: Relief, longest: Duration) {
        let span = self.choices.span(longest) + Duration::from_millis(1);
        self.queue.put(self.now.after(span), Event::Lifts(relief));
    }

    pub(super) fn lift(&mut self, relief: Relief) {
        self.trace.say(self.now, format_args!("{relief:?}"));
        match relief {
            Relief::Consents { grant, process } => {
                // Nobody consents in the last moments: whoever has to hear of it may need some.
                if self.now.after(Duration::from_secs(300)) < self.end {
                    self.consents(usize::from(process), usize::from(grant));
                }
            }
            Relief::Interrupts { grant, process, word } => {
                self.say_word(usize::from(process), usize::from(grant), word);
            }
            Relief::Reachable { process } => {
                let it = self.processes.get_mut(usize::from(process));
                it.into_iter().for_each(|it| it.partitioned = false);
            }
            Relief::Restores => {
                if !self.resting && self.storage.restore() {
                    let rows: Vec<_> =
                        self.common.keys.iter().map(|key| self.storage.row(key)).collect();
                    self.oracle.restored(self.now, &rows);
                }
            }
            Relief::Resumes { clocks_part, process } => {
                self.resume(usize::from(process), clocks_part);
            }
            Relief::SecretBack => {
                self.outage.secret = false;
                for client in clients(CLIENT_SECRET) {
                    self.simulator.world_mut().add_client(client);
                }
            }
            Relief::ServerBack => self.outage.server = None,
            Relief::Starts { process } => {
                let process = usize::from(process);
                let it = self.processes.get(process);
                if it.is_some_and(|it| it.machines.is_none()) {
                    self.start(process);
                }
            }
            Relief::StoreBack => self.outage.store = false,
        }
    }

    fn restart_within(&mut self, process: usize, longest: Duration) {
        self.lift_within(Relief::Starts { process: process as u8 }, longest);
    }

    fn die_soon(&mut self, process: usize) {
        let (left, after) = (self.choices.below(12), self.choices.below(2) == 1);
        if let Some(it) = self.processes.get_mut(process) {
            it.dies_in = Some(Countdown { after, left });
        }
        self.restart_within(process, self.hours(2));
    }

    fn pause_soon(&mut self, process: usize) {
        let (left, after) = (self.choices.below(12), self.choices.below(2) == 1);
        if let Some(it) = self.processes.get_mut(process) {
            it.pauses_in = Some(Countdown { after, left });
        }
    }

    /// Has a process stand still for a while.
    pub(super) fn pause(&mut self, process: usize) {
        self.stop(process);
        let longest = self.choices.pick(&[5, 200, 1_000, 20_000]);
        let process = process as u8;
        let relief = Relief::Resumes { clocks_part: false, process };
        self.lift_within(relief, Duration::from_secs(longest));
    }

    fn stop(&mut self, process: usize) {
        if let Some(it) = self.processes.get_mut(process) {
            it.paused = it.machines.is_some();
        }
    }

    /// A process goes on: with what it was about to do, and then with what has arrived, unless its
    /// timers come first.
    fn resume(&mut self, process: usize, clocks_part: bool) {
        let Some(it) = self.processes.get_mut(process).filter(|it| it.paused) else { return };
        it.paused = false;
        let backlog = std::mem::take(&mut it.backlog);
        self.act(process);
        if clocks_part {
            self.clocks_part(process);
        }
        let timers_first = self.choices.below(2) == 1;
        if timers_first {
            let incarnation = self.processes.get(process).map_or(0, |it| it.incarnation);
            self.wakes(process, incarnation);
        }
        for event in backlog {
            self.happen(event);
        }
    }

    pub(super) fn clocks_part(&mut self, process: usize) {
        if self.processes.get(process).is_some_and(|it| !it.paused) {
            self.step(process, None, Input::ClockDiverged);
        }
    }

    /// Returns the key and the application of a user's grant, if the process can be told of it.
    fn told_of(&self, process: usize, grant: usize) -> Option<(GrantKey, ApplicationId)> {
        let it = self.processes.get(process).filter(|it| !it.paused && !it.closing)?;
        let machines = it.machines.as_ref().filter(|_| grant < self.common.single_use())?;
        Some((self.common.keys.get(grant)?.clone(), machines.application(&self.common, grant)))
    }

    pub(super) fn consents(&mut self, process: usize, grant: usize) {
        let Some((key, application)) = self.told_of(process, grant) else { return };
        if let Some(new) = self.consent(grant) {
            self.oracle.commanded(process, grant);
            self.oracle.taken_in(grant, process);
            self.step(process, Some(grant), Input::Adopt { application, grant: new, key });
        }
    }

    fn end(&mut self, process: usize, grant: usize) {
        let Some((key, _)) = self.told_of(process, grant) else { return };
        let end = self.choices.pick(&[End::Revoked, End::Disabled]);
        self.oracle.commanded(process, grant);
        self.step(process, Some(grant), Input::End { end, generation: None, key });
        let relief = Relief::Consents { grant: grant as u8, process: process as u8 };
        self.lift_within(relief, self.hours(6));
    }

    /// The server ends one grant; or now and then, in a world of many, all of them at once, as when an
    /// application is taken off the market. Then every caller hears of it and asks for another token.
    fn revokes_some(&mut self, grant: usize) {
        let users = self.common.single_use();
        if users < MANY || self.choices.below(2) == 0 {
            return self.server_revokes(grant);
        }
        (0..users).for_each(|grant| self.server_revokes(grant));
        for process in 0..self.scenario.processes {
            for grant in 0..users {
                self.rejects_any(process, grant);
                self.want(process, grant);
            }
        }
    }

    fn server_revokes(&mut self, grant: usize) {
        let Some(place) = self.grants.get_mut(grant) else { return };
        if let Some(id) = place.id.filter(|_| !place.revoked) {
            place.revoked = true;
            self.simulator.revoke_grant(id);
            self.oracle.ended_by_server(grant);
        }
    }

    /// Tells a process to shut down; it ends when it has finished what it began, or is killed.
    fn shut_down(&mut self, process: usize) {
        let Some(it) = self.processes.get_mut(process) else { return };
        if it.machines.is_none() || it.paused {
            return;
        }
        it.closing = true;
        self.step(process, None, Input::Shutdown);
        self.restart_within(process, self.hours(2));
    }

    /// The faults are over: everybody runs, and everything works.
    pub(super) fn rest(&mut self) {
        self.trace.say(self.now, format_args!("the faults are over"));
        self.resting = true;
        let slowness = Duration::from_millis(50);
        self.scenario.network = NetworkWeather { rates: Vec::new(), slowness };
        self.scenario.store = StoreWeather { slowness, ..StoreWeather::default() };
        self.outage = Outage::default();
        self.lift(Relief::SecretBack);
        for process in 0..self.processes.len() {
            if let Some(it) = self.processes.get_mut(process) {
                (it.dies_in, it.interrupted_in, it.pauses_in) = (None, None, None);
                it.partitioned = false;
            }
            self.resume(process, false);
            if self.processes.get(process).is_some_and(|it| it.closing) {
                self.die(process);
            }
            self.lift(Relief::Starts { process: process as u8 });
            for grant in 0..self.scenario.grants {
                self.call_again(process, grant);
            }
        }
    }
}
