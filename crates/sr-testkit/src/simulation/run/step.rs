//! What a process does: it takes in what happened, and does what its machines ask for.

use std::time::Duration;

use sr_auth_core::fleet::{FleetEvent, Input, Output};
use sr_auth_core::store::OwnerId;
use sr_auth_core::{Fingerprint, Secret};

use super::{Event, Run};
use crate::simulation::clock::ProcessClock;
use crate::simulation::machines::Machines;
use crate::simulation::oracle::Shown;
use crate::simulation::process::{self, Due};
use crate::simulation::trace::number;

impl Run<'_> {
    /// Starts a process in a place where none runs.
    pub(super) fn start(&mut self, process: usize) {
        let error = i64::from(self.choices.below(61)) * 100;
        let drift = i32::try_from(self.choices.below(1_001)).unwrap_or(0);
        // 0, 1, -1, 2, -2: a quiet clock is right.
        let drift = if drift % 2 == 0 { drift / 2 } else { -(drift / 2) - 1 };
        let Some(it) = self.processes.get_mut(process) else { return };
        it.incarnation += 1;
        it.owner = OwnerId::new((u128::from(it.incarnation) << 8) | (process as u128 + 1));
        it.clock = ProcessClock::new(self.now, error, drift);
        it.machines = Some(Machines::start(it.clock.now(self.now), &self.common, it.owner));
        (it.closing, it.paused, it.wakes_at) = (false, false, None);
        self.oracle.started(process, it.owner);
        self.trace.say(self.now, format_args!("p{process} starts"));
        // It has a pulse and scans though nobody calls.
        self.act(process);
    }

    /// Kills a process with all that it holds.
    pub(super) fn die(&mut self, process: usize) {
        let Some(it) = self.processes.get_mut(process) else { return };
        if it.machines.is_none() {
            return;
        }
        self.trace.say(self.now, format_args!("p{process} dies"));
        self.count_events(process);
        let Some(it) = self.processes.get_mut(process) else { return };
        it.machines = None;
        (it.held, it.dies_in, it.interrupted_in, it.pauses_in) = (None, None, None, None);
        it.paused = false;
        let owner = it.owner;
        let backlog = std::mem::take(&mut it.backlog);
        self.storage.owner_died(self.now, owner);
        self.oracle.died(process);
        for event in backlog {
            // What waits for nobody is lost where it arrives.
            self.happen(event);
        }
    }

    pub(super) fn count_events(&mut self, process: usize) {
        let machines = self.processes.get(process).and_then(|it| it.machines.as_ref());
        self.events += machines.map_or(0, Machines::inputs);
    }

    /// Keeps an event for a process that stands still. `true` if it does.
    pub(super) fn waits(&mut self, process: usize, event: Event) -> bool {
        let Some(it) = self.processes.get_mut(process).filter(|it| it.paused) else { return false };
        it.backlog.push_back(event);
        true
    }

    /// Feeds the machine of a process, and does what it asks for. `grant` is whom it is about.
    pub(super) fn step(&mut self, process: usize, grant: Option<usize>, input: Input) {
        let Some(it) = self.processes.get_mut(process) else { return };
        let local = it.clock.now(self.now);
        let Some(machines) = &mut it.machines else { return };
        if self.coverage.watches() {
            // What all grants are told of is met in the state of each.
            let all = matches!(input, Input::ClockDiverged | Input::Shutdown);
            let (keys, own) = (&self.common.keys, grant.and_then(|at| self.common.keys.get(at)));
            for key in own.into_iter().chain(keys.iter().filter(|_| all)) {
                let id = machines.find(key);
                self.coverage.cell(id.and_then(|id| machines.stage(local, id)), &input);
            }
        }
        if self.trace.is_readable() {
            self.trace.say(self.now, format_args!("p{process} <- {input:?}"));
        }
        machines.handle(local, input);
        it.fed_at = self.now;
        self.act(process);
        if let Some(grant) = grant {
            self.look(process, grant);
        }
    }

    /// Does what the machines of a process ask for, and sets its alarm.
    pub(super) fn act(&mut self, process: usize) {
        loop {
            let Some(it) = self.processes.get_mut(process) else { return };
            if it.paused {
                return;
            }
            let Some(machines) = &mut it.machines else { return };
            let output = if it.held.is_some() { it.held.take() } else { machines.poll_output() };
            let Some(output) = output else { break };
            let asked_at = it.fed_at;
            if self.listen(process, &output) {
                continue;
            }
            let Some(it) = self.processes.get_mut(process) else { return };
            let dies = process::count(&mut it.dies_in);
            let pauses = process::count(&mut it.pauses_in);
            if dies == Due::Before {
                return self.die(process);
            }
            if pauses == Due::Before {
                it.held = Some(output);
                return self.pause(process);
            }
            self.interrupt(process, &output);
            match output {
                Output::Store { grant, request } => {
                    self.ask_store(process, grant, request, asked_at);
                }
                Output::Transmit { grant, transmit } => self.transmit(process, grant, transmit),
                Output::Availability(_)
                | Output::Drained
                | Output::Event { .. }
                | Output::Notice(_) => {}
            }
            if dies == Due::After {
                return self.die(process);
            }
            if pauses == Due::After {
                return self.pause(process);
            }
        }
        self.set_alarm(process);
    }

    /// Takes in what a machine tells; `false` if it wants something to be done.
    fn listen(&mut self, process: usize, output: &Output) -> bool {
        match output {
            Output::Availability(id) => {
                let machines = self.processes.get(process).and_then(|it| it.machines.as_ref());
                let key = machines.and_then(|it| it.key(*id));
                if let Some(grant) = key.and_then(|key| self.common.place(key)) {
                    self.oracle.callers_are_told(process, grant);
                    self.look(process, grant);
                }
            }
            Output::Drained => {
                self.oracle.drained(self.now, process);
                self.trace.say(self.now, format_args!("p{process} is done"));
                self.die(process);
            }
            Output::Event { event, key } => {
                let Some(grant) = self.common.place(key) else { return true };
                self.trace.say(self.now, format_args!("p{process} g{grant} says {event:?}"));
                self.coverage.told(event);
                self.oracle.told(self.now, process, grant, event);
            }
            Output::Notice(event) => self.notice(process, event),
            Output::Store { .. } | Output::Transmit { .. } => return false,
        }
        true
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "few notices are answered")]
    fn notice(&mut self, process: usize, event: &FleetEvent) {
        self.trace.say(self.now, format_args!("p{process} says {event:?}"));
        self.coverage.notice(event);
        match event {
            FleetEvent::Evicted { key, .. } => {
                if let Some(grant) = self.common.place(key) {
                    self.oracle.evicted(self.now, process, grant);
                }
            }
            FleetEvent::RefusalsDoubted => self.doubted = true,
            FleetEvent::Unplaced { key } => {
                let Some(grant) = self.common.place(key) else { return };
                let Some(it) = self.processes.get_mut(process) else { return };
                let local = it.clock.now(self.now);
                let Some(machines) = &mut it.machines else { return };
                let application = machines.application(&self.common, grant);
                machines.handle(local, Input::Open { application, key: key.clone() });
            }
            _ => {}
        }
    }

    fn set_alarm(&mut self, process: usize) {
        let Some(it) = self.processes.get_mut(process) else { return };
        let Some(due) = it.machines.as_ref().and_then(Machines::poll_timeout) else { return };
        let at = it.clock.when(due).max(self.now);
        if it.wakes_at.is_none_or(|wakes_at| at < wakes_at) {
            it.wakes_at = Some(at);
            let (incarnation, process) = (it.incarnation, process as u8);
            self.queue.put(at, Event::Wakes { incarnation, process });
        }
    }

    pub(super) fn wakes(&mut self, process: usize, incarnation: u32) {
        let Some(it) = self.processes.get_mut(process).filter(|it| it.is(incarnation)) else {
            return;
        };
        if it.wakes_at.is_some_and(|wakes_at| wakes_at <= self.now) {
            it.wakes_at = None;
        }
        if self.waits(process, Event::Wakes { incarnation, process: process as u8 }) {
            return;
        }
        let Some(it) = self.processes.get_mut(process) else { return };
        let local = it.clock.now(self.now);
        let due = it.machines.as_ref().and_then(Machines::poll_timeout);
        if due.is_some_and(|due| due <= local) {
            self.trace.step(self.now, 1, process as u64, 0);
            self.step(process, None, Input::Timeout);
        } else {
            self.set_alarm(process);
        }
    }

    /// Has the judge look at what callers of a grant get.
    fn look(&mut self, process: usize, grant: usize) {
        let Some(it) = self.processes.get(process).filter(|it| !it.paused) else { return };
        let local = it.clock.now(self.now);
        let key = self.common.keys.get(grant);
        let Some((machines, key)) = it.machines.as_ref().zip(key) else { return };
        let Some(shown) = machines.shown(local, key) else { return };
        let name = match shown {
            Shown::Failed { for_good } => u64::from(for_good),
            Shown::Pending => 2,
            Shown::Ready { token, .. } => number(Some(token)),
        };
        self.trace.step(self.now, 2, (process * 64 + grant) as u64, name);
        if self.trace.is_readable() && self.told.get(&(process, grant)) != Some(&shown) {
            self.told.insert((process, grant), shown);
            let line = format_args!("p{process} g{grant} serves {shown:?} at {local:?}");
            self.trace.say(self.now, line);
        }
        self.oracle.served(self.now, local, process, grant, shown);
    }

    /// A caller asks for a token, and perhaps tries it.
    pub(super) fn calls(&mut self, process: usize, grant: usize) {
        self.call_again(process, grant);
        if self.now.after(Duration::from_secs(60)) > self.end {
            // Nobody asks in the last moments: whoever asks may need some.
            return;
        }
        self.want(process, grant);
        let tries = self.scenario.callers_use_tokens && self.choices.below(4) != 0;
        if tries || self.resting {
            self.try_token(process, grant);
        }
        // Who is told that only a new consent helps gives one sooner or later.
        let needs_consent = self.shown(process, grant) == Some(Shown::Failed { for_good: true });
        if needs_consent && !self.resting && self.choices.below(8) != 0 {
            self.consents(process, grant);
        }
    }

    /// Returns what a caller of a process gets.
    fn shown(&self, process: usize, grant: usize) -> Option<Shown> {
        let it = self.processes.get(process).filter(|it| !it.paused)?;
        let local = it.clock.now(self.now);
        it.machines.as_ref()?.shown(local, self.common.keys.get(grant)?)
    }

    /// A caller asks for a token.
    pub(super) fn want(&mut self, process: usize, grant: usize) {
        let Some(it) = self.processes.get(process).filter(|it| !it.paused) else { return };
        let Some(machines) = &it.machines else { return };
        let Some(key) = self.common.keys.get(grant).cloned() else { return };
        let application = machines.application(&self.common, grant);
        self.step(process, Some(grant), Input::Want { application, key });
        self.oracle.waits(process, grant);
    }

    fn try_token(&mut self, process: usize, grant: usize) {
        let Some(it) = self.processes.get(process).filter(|it| !it.paused) else { return };
        let local = it.clock.now(self.now);
        let key = self.common.keys.get(grant);
        let Some((machines, key)) = it.machines.as_ref().zip(key) else { return };
        let Some(token) = machines.token(local, key) else { return };
        let is_accepted = self.simulator.accepts(self.now, token);
        let fingerprint = self.common.fingerprints.fingerprint(token);
        let last = self.tried.insert((process, grant), fingerprint);
        if let Some(old) = last.filter(|old| *old != fingerprint) {
            // Somebody's request was slow: it hears only now what became of the token before.
            self.rejects(process, grant, old, self.shown(process, grant));
        }
        if !is_accepted {
            self.rejects(process, grant, fingerprint, self.shown(process, grant));
        }
    }

    /// A caller reports that the API refused the token that is served, or one that nobody knows.
    pub(super) fn rejects_any(&mut self, process: usize, grant: usize) {
        let Some(it) = self.processes.get(process).filter(|it| !it.paused) else { return };
        let local = it.clock.now(self.now);
        let key = self.common.keys.get(grant);
        let Some((machines, key)) = it.machines.as_ref().zip(key) else { return };
        let unknown = Secret::new("unknown".to_owned());
        let token = machines.token(local, key).unwrap_or(&unknown);
        let fingerprint = self.common.fingerprints.fingerprint(token);
        let before = machines.shown(local, key);
        self.rejects(process, grant, fingerprint, before);
    }

    /// A caller reports that the API refused a token, which may be an old one.
    fn rejects(
        &mut self,
        process: usize,
        grant: usize,
        fingerprint: Fingerprint,
        before: Option<Shown>,
    ) {
        let Some(key) = self.common.keys.get(grant).cloned() else { return };
        self.oracle.rejects(process, grant, fingerprint);
        let input = Input::Rejected { fingerprint, key: key.clone() };
        self.step(process, Some(grant), input);
        let Some(it) = self.processes.get(process).filter(|it| !it.paused) else { return };
        let local = it.clock.now(self.now);
        let after = it.machines.as_ref().and_then(|it| it.shown(local, &key));
        if let Some((before, after)) = before.zip(after) {
            self.oracle.rejected(self.now, process, grant, fingerprint, (before, after));
        }
    }

    pub(super) fn call_again(&mut self, process: usize, grant: usize) {
        let gap = if self.resting {
            Duration::from_secs(60)
        } else {
            self.scenario.call_gap / 256 * (256 - u32::from(self.choices.byte()))
        };
        let (grant, process, resting) = (grant as u8, process as u8, self.resting);
        self.queue.put(self.now.after(gap), Event::Calls { grant, process, resting });
    }
}
