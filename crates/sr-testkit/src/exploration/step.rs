//! One step: what an action does to a world.

use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::lifecycle::{Availability, Event, Input, Output, StoreFailure, View};
use sr_auth_core::store::{End, Sequence, StoreOp, StoreOutcome};
use sr_auth_core::{Machine as _, Secret, Timestamp, Transmit, TransportFailure};

use super::action::{Action, OddArrival, Word};
use super::machines::Machines;
use super::occurrence::{self, Occurrence};
use super::server::{Answer, Deed};
use super::world::{Armed, Ground, Message, Op, Phase, Request, Store, Waiter, What, World};
use super::{Breach, Held};
use crate::simulation::Invariant;

/// Where steps are taken: what never changes, and who takes notes.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    pub(super) ground: &'a Ground,
    pub(super) machines: Option<&'a mut Machines>,
}

/// The life of an access token that a consent brings.
const LIFE: Duration = Duration::from_secs(1_769);

impl World {
    /// Starts every process, and lets a caller ask each of them.
    pub(super) fn begin(&mut self, bench: &mut Bench<'_>) -> Held {
        for process in 0..self.slots.len() {
            self.place(process, bench.ground);
            self.input(process, Input::Want, bench)?;
        }
        Ok(())
    }

    /// Takes one step.
    pub(super) fn take(&mut self, action: Action, bench: &mut Bench<'_>) -> Held {
        let ground = bench.ground;
        match action {
            Action::Advance => self.advance(bench),
            Action::Arrive(at) => {
                self.arrive(at, bench, |world, now, token| world.server.present(now, token))
            }
            Action::CarryOut(at) => self.carry_out(at, ground),
            Action::Crash(process) => self.crash(process.into()),
            Action::Deliver(at) => self.deliver(at, bench),
            Action::Drop(at) => self.lose_on_the_way(at),
            Action::Empty => self.empty(ground),
            Action::Exit(process) => self.end(process.into()),
            Action::GiveUp(at) => self.give_up(at, bench),
            Action::Lose(at) => self.lose(at, bench),
            Action::Odd(at, odd) => {
                self.budget.oddities -= 1;
                self.arrive(at, bench, |world, now, token| odd_answer(world, now, token, odd))
            }
            Action::Pause(process) => {
                self.budget.pauses -= 1;
                self.slots
                    .get_mut(usize::from(process))
                    .into_iter()
                    .for_each(|it| it.paused = true);
                Ok(())
            }
            Action::Refuse(at) => {
                self.budget.faults -= 1;
                self.answer_op(at, Err(StoreFailure::NotDone), bench)
            }
            Action::Restart(process) => {
                self.place(process.into(), ground);
                self.input(process.into(), Input::Want, bench)
            }
            Action::Resume(process) => {
                self.slots
                    .get_mut(usize::from(process))
                    .into_iter()
                    .for_each(|it| it.paused = false);
                self.input(process.into(), Input::Want, bench)
            }
            Action::Slow(at) => {
                self.budget.drops -= 1;
                self.request_mut(at).into_iter().for_each(|it| it.late = true);
                Ok(())
            }
            Action::Timeout(process) => self.input(process.into(), Input::Timeout, bench),
            Action::Vanish(at) => {
                self.messages.remove(at.into());
                Ok(())
            }
            Action::Word(process, word) => self.say(process.into(), word, bench),
            Action::Write(at) => self.write(at, bench),
        }
    }

    /// The store loses everything.
    fn empty(&mut self, ground: &Ground) -> Held {
        self.budget.oddities -= 1;
        self.is_emptied = true;
        self.store = Arc::new(Store::new(ground.case.variant));
        Ok(())
    }

    /// Lets time pass: signs of life, news, and callers who ask.
    fn advance(&mut self, bench: &mut Bench<'_>) -> Held {
        let ground = bench.ground;
        let Some(now) = self.next_moment(ground) else { return Ok(()) };
        let before = if bench.machines.is_some() { self.views() } else { Vec::new() };
        self.now = now;
        self.note_time(&before, bench);
        self.messages.retain(|message| match &message.what {
            What::Request(request) => request.phase != Phase::Sent || now < request.ends_at(ground),
            What::Op(_) => true,
        });
        self.busy.retain(|(_, until)| *until > now);
        let calls = self.call_at(ground).is_some_and(|at| at <= now);
        self.calls -= u8::from(calls);
        for process in 0..self.slots.len() {
            self.pulse(process, bench)?;
            if calls && self.slots.get(process).is_some_and(|it| it.running().is_some()) {
                self.input(process, Input::Want, bench)?;
            }
        }
        Ok(())
    }

    /// Notes which access tokens time alone has made older.
    fn note_time(&self, before: &[Option<View>], bench: &mut Bench<'_>) {
        let Some(machines) = bench.machines.as_deref_mut() else { return };
        for (before, slot) in before.iter().zip(&self.slots) {
            let after = slot.machine.as_deref().map(|it| it.view(self.now));
            if let (Some(before), Some(after)) = (before, after)
                && before.access != after.access
            {
                machines.note_data(before, occurrence::TIME, &after);
            }
        }
    }

    /// A process reads what every process has to know, and shows that it lives.
    fn pulse(&mut self, process: usize, bench: &mut Bench<'_>) -> Held {
        let now = self.now;
        let Some(slot) = self.slots.get_mut(process) else { return Ok(()) };
        let Some(is_alive) = slot.running().map(|it| slot.has_intent(it.view(now).stage)) else {
            return Ok(());
        };
        let Some(record) = self.store.record(&bench.ground.key) else { return Ok(()) };
        let (generation, health, owner) = (record.generation, record.health, slot.owner);
        let has_news = std::mem::take(&mut slot.news);
        if is_alive {
            if record.intent.as_ref().is_some_and(|it| it.id.owner == owner) {
                self.seen_at = now;
            }
            // What has changed, the record says.
            let op = StoreOp::Pulse { alive: true, owner, since: Sequence(u64::MAX) };
            Arc::make_mut(&mut self.store).apply(self.now, op);
        }
        if has_news {
            self.input(process, Input::Changed { generation, health }, bench)?;
        }
        Ok(())
    }

    /// Hands an input to a machine and takes what it asks for.
    pub(super) fn input(&mut self, process: usize, input: Input, bench: &mut Bench<'_>) -> Held {
        let what = occurrence::of(&input);
        self.input_as(process, input, what, bench)
    }

    /// The same with a name for what happened.
    fn input_as(
        &mut self,
        process: usize,
        input: Input,
        what: Occurrence,
        bench: &mut Bench<'_>,
    ) -> Held {
        let now = self.now;
        let Some(slot) = self.slots.get_mut(process) else { return Ok(()) };
        let Some(machine) = slot.machine.as_mut() else { return Ok(()) };
        if let Input::Stored { result, .. } = &input {
            slot.unsure = matches!(result, Err(StoreFailure::OutcomeUnknown));
        }
        let before = bench.machines.is_some().then(|| machine.view(now));
        let machine = Arc::make_mut(machine);
        machine.handle_input(now, input);
        let outputs: Vec<_> = std::iter::from_fn(|| machine.poll_output()).collect();
        if let (Some(machines), Some(before)) = (bench.machines.as_deref_mut(), before) {
            machines.note(&before, what, &machine.view(now), &outputs);
        }
        outputs.into_iter().try_for_each(|output| self.output(process, output, bench.ground))
    }

    fn output(&mut self, process: usize, output: Output, ground: &Ground) -> Held {
        let Some(slot) = self.slots.get_mut(process) else { return Ok(()) };
        let what = match output {
            Output::Event(event) => {
                if matches!(event, Event::Adopted { .. }) {
                    slot.adopts = None;
                }
                return self.told(&event, ground);
            }
            Output::Store(request) => {
                slot.last_op = request.id;
                let op = Arc::new(request.op);
                What::Op(Op { answer: None, asked_at: self.now, id: request.id, op })
            }
            Output::Transmit(Transmit { id, request, not_after, answer_within }) => {
                slot.last_transmit = Some(id);
                let token = presented(request.body()).unwrap_or(0);
                let (phase, sent_at) = (Phase::Queued, self.now);
                What::Request(Request {
                    answer_within,
                    id,
                    late: false,
                    not_after,
                    phase,
                    sent_at,
                    token,
                })
            }
        };
        self.messages.push(Message { waiter: Waiter::Process(process), what });
        Ok(())
    }

    fn carry_out(&mut self, at: u8, ground: &Ground) -> Held {
        let now = self.now;
        let Some(message) = self.messages.get_mut(usize::from(at)) else { return Ok(()) };
        let What::Op(op) = &mut message.what else { return Ok(()) };
        let (waiter, asked_at, what) = (message.waiter, op.asked_at, Arc::clone(&op.op));
        let moment = |store: &Store| store.record(&ground.key).map(|it| (it.generation, it.health));
        let before = moment(&self.store);
        let answer = Arc::make_mut(&mut self.store).apply(now, StoreOp::clone(&what));
        if moment(&self.store) != before {
            let others = self.slots.iter_mut().enumerate();
            let others = others.filter(|(place, _)| waiter != Waiter::Process(*place));
            others.for_each(|(_, slot)| slot.news = slot.machine.is_some());
        }
        if let StoreOutcome::Armed(record) = &answer.outcome {
            self.seen_at = now;
            if let (Some(intent), Waiter::Process(process)) = (&record.intent, waiter)
                && let Some(slot) = self.slots.get_mut(process)
            {
                let (id, is_again, token) = (intent.id, intent.attempt > 1, intent.fingerprint);
                slot.armed = Some(Armed { asked_at, id, is_again, token });
            }
        }
        match waiter {
            Waiter::Process(_) => op.answer = Some(Arc::new(answer)),
            Waiter::Died | Waiter::GaveUp => drop(self.messages.remove(at.into())),
        }
        self.dead_is_dead(ground)
    }

    fn answer_op(
        &mut self,
        at: u8,
        result: Result<(), StoreFailure>,
        bench: &mut Bench<'_>,
    ) -> Held {
        let Some(message) = self.messages.get(usize::from(at)) else { return Ok(()) };
        let (Waiter::Process(process), What::Op(op)) = (message.waiter, message.what.clone())
        else {
            return Ok(());
        };
        self.messages.remove(at.into());
        let answer = match (result, op.answer.clone()) {
            (Ok(()), Some(answer)) => Ok(Arc::unwrap_or_clone(answer)),
            (Ok(()), None) => return Ok(()),
            (Err(failure), answer) => {
                if failure == StoreFailure::OutcomeUnknown && answer.is_none() {
                    // It may still get there.
                    let what = What::Op(Op { op: Arc::clone(&op.op), ..op });
                    self.messages.push(Message { waiter: Waiter::GaveUp, what });
                }
                Err(failure)
            }
        };
        if let Ok(answer) = &answer
            && let StoreOutcome::Armed(record) | StoreOutcome::Busy { record, .. } = &answer.outcome
            && let Some(slot) = self.slots.get_mut(process)
        {
            slot.believes = record.intent.as_ref().map(|it| it.id);
        }
        let what = occurrence::stored(&op.op, &answer);
        self.input_as(process, Input::Stored { id: op.id, result: answer }, what, bench)
    }

    fn lose(&mut self, at: u8, bench: &mut Bench<'_>) -> Held {
        self.budget.faults -= 1;
        self.answer_op(at, Err(StoreFailure::OutcomeUnknown), bench)
    }

    fn deliver(&mut self, at: u8, bench: &mut Bench<'_>) -> Held {
        let Some(message) = self.messages.get(usize::from(at)) else { return Ok(()) };
        let (Waiter::Process(process), What::Request(request)) = (message.waiter, &message.what)
        else {
            return self.answer_op(at, Ok(()), bench);
        };
        let (id, token) = (request.id, request.token);
        let Phase::Answered(answer) = request.phase else { return Ok(()) };
        self.messages.remove(at.into());
        if !answer.is_doubtful() {
            // A complete answer: nothing of the request is left on the way.
            self.busy.retain(|(busy, _)| *busy != token);
        }
        let input = Input::Response { id, response: answer.to_http() };
        self.input_as(process, input, occurrence::answered(answer), bench)
    }

    fn give_up(&mut self, at: u8, bench: &mut Bench<'_>) -> Held {
        let Some(message) = self.messages.get_mut(usize::from(at)) else { return Ok(()) };
        let (Waiter::Process(process), What::Request(request)) = (message.waiter, &message.what)
        else {
            return Ok(());
        };
        let (id, phase) = (request.id, request.phase);
        message.waiter = Waiter::GaveUp;
        if phase != Phase::Sent {
            self.messages.remove(at.into());
        }
        let failure = TransportFailure::AfterSend;
        self.input(process, Input::TransportFailed { failure, id, received: None }, bench)
    }

    fn write(&mut self, at: u8, bench: &mut Bench<'_>) -> Held {
        let now = self.now;
        let Some(message) = self.messages.get_mut(usize::from(at)) else { return Ok(()) };
        let (Waiter::Process(process), What::Request(request)) =
            (message.waiter, &mut message.what)
        else {
            return Ok(());
        };
        if now > request.not_after {
            let (id, failure) = (request.id, TransportFailure::BeforeSend);
            self.messages.remove(at.into());
            return self.input(
                process,
                Input::TransportFailed { failure, id, received: None },
                bench,
            );
        }
        (request.phase, request.sent_at) = (Phase::Sent, now);
        let request = *request;
        self.presented(process, &request, bench.ground)
    }

    fn arrive(
        &mut self,
        at: u8,
        bench: &Bench<'_>,
        present: impl FnOnce(&mut Self, Timestamp, u8) -> (Answer, Deed),
    ) -> Held {
        let Some(message) = self.messages.get(usize::from(at)) else { return Ok(()) };
        let What::Request(request) = message.what else { return Ok(()) };
        let waiter = message.waiter;
        let live = self.server.live;
        let (answer, deed) = present(self, self.now, request.token);
        if deed == Deed::Revoked {
            self.revoked(live, waiter, bench.ground)?;
        }
        self.request_mut(at).into_iter().for_each(|it| it.phase = Phase::Answered(answer));
        if !matches!(waiter, Waiter::Process(_)) {
            self.messages.remove(at.into());
            self.answered_nobody(waiter, bench.ground);
        }
        Ok(())
    }

    /// A process dies.
    fn crash(&mut self, process: usize) -> Held {
        self.budget.crashes -= 1;
        self.end(process)
    }

    /// A request or its answer is lost.
    fn lose_on_the_way(&mut self, at: u8) -> Held {
        self.budget.drops -= 1;
        self.request_mut(at).into_iter().for_each(|it| it.phase = Phase::Lost);
        self.forget_orphans();
        Ok(())
    }

    /// A process ends, with all that it held.
    fn end(&mut self, process: usize) -> Held {
        let Some(slot) = self.slots.get_mut(process) else { return Ok(()) };
        (slot.machine, slot.paused) = (None, false);
        (slot.adopts, slot.armed) = (None, None);
        let owner = slot.owner;
        for message in &mut self.messages {
            if message.waiter == Waiter::Process(process) {
                message.waiter = Waiter::Died;
            }
        }
        self.forget_orphans();
        Arc::make_mut(&mut self.store).owner_died(self.now, owner);
        Ok(())
    }

    /// What nobody waits for is gone, unless it can still do something.
    fn forget_orphans(&mut self) {
        self.messages.retain(|message| match (&message.waiter, &message.what) {
            (Waiter::Process(_), _) => true,
            (Waiter::Died | Waiter::GaveUp, What::Op(op)) => op.answer.is_none(),
            (Waiter::Died | Waiter::GaveUp, What::Request(it)) => it.phase == Phase::Sent,
        });
    }

    fn say(&mut self, process: usize, word: Word, bench: &mut Bench<'_>) -> Held {
        self.budget.oddities -= 1;
        let now = self.now;
        let end = |end| Input::End { end, generation: None };
        let input = match word {
            Word::Adopt => {
                let tokens = self.server.consent();
                self.slots.get_mut(process).into_iter().for_each(|it| it.adopts = Some(tokens.1));
                let spans = (now.after(LIFE / 4 * 3), now.after(LIFE));
                Input::Adopt(bench.ground.grant(now, tokens, spans))
            }
            Word::ClockDiverged => {
                self.slots
                    .get_mut(process)
                    .into_iter()
                    .for_each(|it| it.diverged = Some(it.last_op));
                Input::ClockDiverged
            }
            Word::Disable => end(End::Disabled),
            Word::Reject => {
                let slot = self.slots.get(process).and_then(|it| it.machine.as_deref());
                let Some(Availability::Ready(token)) = slot.map(|it| it.availability(now)) else {
                    return Ok(());
                };
                Input::Rejected { fingerprint: token.fingerprint }
            }
            Word::Revoke => end(End::Revoked),
            Word::Shutdown => {
                self.slots.get_mut(process).into_iter().for_each(|it| it.closing = true);
                Input::Shutdown
            }
        };
        self.input(process, input, bench)
    }

    fn request_mut(&mut self, at: u8) -> Option<&mut Request> {
        match &mut self.messages.get_mut(usize::from(at))?.what {
            What::Request(request) => Some(request),
            What::Op(_) => None,
        }
    }
}

fn odd_answer(world: &mut World, now: Timestamp, token: u8, odd: OddArrival) -> (Answer, Deed) {
    match odd {
        OddArrival::Alone => (world.server.present_without_successor(token), Deed::Nothing),
        OddArrival::Answer(answer) => {
            let deed = match answer.is_processed() {
                true => world.server.present(now, token).1,
                false => Deed::Nothing,
            };
            (Answer::Odd(answer), deed)
        }
        OddArrival::Salvageable => match world.server.present(now, token) {
            (Answer::Granted { refresh: Some(refresh), .. }, deed) => {
                (Answer::Salvageable { refresh }, deed)
            }
            other => other,
        },
    }
}

/// Returns the number of the refresh token that a request presents.
fn presented(body: &sr_auth_core::SecretBytes) -> Option<u8> {
    let body = std::str::from_utf8(body.expose()).ok()?;
    let mut members = body.split('&').filter_map(|it| it.split_once('='));
    members.find(|(name, _)| *name == "refresh_token")?.1.strip_prefix('r')?.parse().ok()
}

/// Says that a promise is broken.
pub(super) const fn broken(invariant: Invariant, detail: &'static str) -> Held {
    Err(Breach { detail, invariant })
}

/// A refresh token as the store has it.
pub(super) type StoredRefresh = sr_auth_core::store::StoredToken<Secret>;
