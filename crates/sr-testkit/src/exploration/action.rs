//! What may happen next: every one of it is tried.

use sr_auth_core::Timestamp;

use super::server::OddAnswer;
use super::world::{Ground, Message, Phase, Request, Waiter, What, World};

/// One thing that happens. Numbers are places in the world: of a process, or of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Action {
    /// Time passes, to the next moment at which something is due.
    Advance,
    /// A request reaches the server.
    Arrive(u8),
    /// An operation reaches the store.
    CarryOut(u8),
    /// A process dies.
    Crash(u8),
    /// An answer reaches its process.
    Deliver(u8),
    /// A request or its answer is lost.
    Drop(u8),
    /// The store loses everything.
    Empty,
    /// A process that was told to end has nothing left to do.
    Exit(u8),
    /// A process gives a request up.
    GiveUp(u8),
    /// The outcome of an operation stays unknown.
    Lose(u8),
    /// The server answers in an odd way.
    Odd(u8, OddArrival),
    /// A process stands still.
    Pause(u8),
    /// An operation is refused by the store.
    Refuse(u8),
    /// A process begins anew.
    Restart(u8),
    /// A process goes on.
    Resume(u8),
    /// A request, or its answer, takes long.
    Slow(u8),
    /// A machine's time has come.
    Timeout(u8),
    /// An operation that nobody waits for does not get there.
    Vanish(u8),
    /// A person, the API or the machine's surroundings say something to a process.
    Word(u8, Word),
    /// The first byte of a request leaves.
    Write(u8),
}

/// How the server may depart from its two usual answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum OddArrival {
    /// It brings an access token and no successor.
    Alone,
    /// It is not processed, or is, and the answer says something else.
    Answer(OddAnswer),
    /// It is processed, and only the refresh token of the answer can be read.
    Salvageable,
}

/// What may be said to a process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Word {
    Adopt,
    ClockDiverged,
    Disable,
    Reject,
    Revoke,
    Shutdown,
}

impl OddArrival {
    const ALL: [Self; 7] = [
        Self::Alone,
        Self::Answer(OddAnswer::Faulty),
        Self::Answer(OddAnswer::InvalidClient),
        Self::Answer(OddAnswer::InvalidScope),
        Self::Answer(OddAnswer::Throttled),
        Self::Answer(OddAnswer::Unrecognised),
        Self::Salvageable,
    ];
}

impl Word {
    const ALL: [Self; 6] = [
        Self::Adopt,
        Self::ClockDiverged,
        Self::Disable,
        Self::Reject,
        Self::Revoke,
        Self::Shutdown,
    ];
}

impl Action {
    /// Tells whether it happens by itself, sooner or later: nothing has to go wrong for it.
    pub(super) const fn is_fair(self) -> bool {
        match self {
            Self::Advance
            | Self::Arrive(_)
            | Self::CarryOut(_)
            | Self::Deliver(_)
            | Self::Exit(_)
            | Self::GiveUp(_)
            | Self::Restart(_)
            | Self::Resume(_)
            | Self::Timeout(_)
            | Self::Vanish(_)
            | Self::Write(_) => true,
            Self::Crash(_)
            | Self::Drop(_)
            | Self::Empty
            | Self::Lose(_)
            | Self::Odd(..)
            | Self::Pause(_)
            | Self::Refuse(_)
            | Self::Slow(_)
            | Self::Word(..) => false,
        }
    }
}

impl World {
    /// Returns all that may happen next, what happens by itself first.
    pub(super) fn actions(&self, ground: &Ground) -> Vec<Action> {
        let mut fair = Vec::new();
        let mut other = Vec::new();
        let mut blocks = false;
        for (at, message) in (0..).zip(&self.messages) {
            match &message.what {
                What::Op(op) => {
                    blocks |= self.with_op(at, message, op.answer.is_some(), &mut fair, &mut other);
                }
                What::Request(request) => {
                    blocks |= self.with_request(at, message, request, &mut fair, &mut other);
                }
            }
        }
        for (process, slot) in (0..).zip(&self.slots) {
            let Some(machine) = slot.machine.as_deref() else {
                fair.push(Action::Restart(process));
                continue;
            };
            if slot.paused {
                fair.push(Action::Resume(process));
            } else if sr_auth_core::Machine::poll_timeout(machine).is_some_and(|it| it <= self.now)
            {
                blocks = true;
                fair.push(Action::Timeout(process));
            }
            if !slot.paused && slot.closing && !machine.is_busy() {
                fair.push(Action::Exit(process));
            }
            self.with_process(process, slot.paused, slot.closing, &mut other);
        }
        if self.budget.oddities > 0 {
            other.push(Action::Empty);
        }
        if !blocks && self.next_moment(ground).is_some() {
            fair.push(Action::Advance);
        }
        fair.append(&mut other);
        fair
    }

    /// Returns whether time has to wait for an operation.
    fn with_op(
        &self,
        at: u8,
        message: &Message,
        is_answered: bool,
        fair: &mut Vec<Action>,
        other: &mut Vec<Action>,
    ) -> bool {
        let is_waited_for = matches!(message.waiter, Waiter::Process(_));
        if !is_answered {
            fair.push(Action::CarryOut(at));
            if !is_waited_for {
                fair.push(Action::Vanish(at));
            }
        } else if self.is_awaited(message) && !self.is_behind(message) {
            fair.push(Action::Deliver(at));
        }
        if self.budget.faults > 0 && self.is_awaited(message) {
            other.push(Action::Lose(at));
            if !is_answered {
                other.push(Action::Refuse(at));
            }
        }
        // What a process has sent before it died arrives at once, or never.
        let has_died = message.waiter == Waiter::Died;
        has_died || (is_waited_for && (!is_answered || self.is_awaited(message)))
    }

    /// Tells whether a process has something else to do first: an answer that it has waited for too
    /// long lies in its socket, and is read before anything that it has begun since goes on.
    fn is_behind(&self, message: &Message) -> bool {
        self.messages.iter().any(|other| match &other.what {
            What::Request(request) => {
                other.waiter == message.waiter
                    && matches!(request.phase, Phase::Answered(_))
                    && self.now >= request.gives_up_at()
            }
            What::Op(_) => false,
        })
    }

    /// Returns whether time has to wait for a request.
    fn with_request(
        &self,
        at: u8,
        message: &Message,
        request: &Request,
        fair: &mut Vec<Action>,
        other: &mut Vec<Action>,
    ) -> bool {
        let is_awaited = self.is_awaited(message);
        let gives_up = self.now >= request.gives_up_at() && request.phase != Phase::Queued;
        if is_awaited && gives_up {
            fair.push(Action::GiveUp(at));
        }
        let may_be_lost = self.budget.drops > 0;
        match request.phase {
            Phase::Answered(_) => {
                if is_awaited {
                    fair.push(Action::Deliver(at));
                }
                if may_be_lost {
                    other.push(Action::Drop(at));
                }
            }
            Phase::Lost => {
                if is_awaited {
                    fair.push(Action::GiveUp(at));
                }
                return is_awaited && gives_up;
            }
            Phase::Queued => {
                if is_awaited && !self.is_behind(message) {
                    fair.push(Action::Write(at));
                }
                return is_awaited;
            }
            Phase::Sent => {
                fair.push(Action::Arrive(at));
                if may_be_lost {
                    other.push(Action::Drop(at));
                }
                if self.budget.oddities > 0 && is_awaited {
                    other.extend(OddArrival::ALL.map(|odd| Action::Odd(at, odd)));
                }
            }
        }
        if may_be_lost && !request.late && !gives_up {
            other.push(Action::Slow(at));
        }
        let is_on_its_way = request.phase == Phase::Sent || is_awaited;
        (is_on_its_way && !request.late) || (is_awaited && gives_up)
    }

    fn with_process(&self, process: u8, paused: bool, closing: bool, other: &mut Vec<Action>) {
        if self.budget.crashes > 0 {
            other.push(Action::Crash(process));
        }
        if paused {
            return;
        }
        if self.budget.pauses > 0 {
            other.push(Action::Pause(process));
        }
        if self.budget.oddities > 0 && !closing {
            other.extend(Word::ALL.map(|word| Action::Word(process, word)));
        }
    }

    /// Returns the next moment at which something is due.
    pub(super) fn next_moment(&self, ground: &Ground) -> Option<Timestamp> {
        let machines = self.slots.iter().filter_map(|it| it.machine.as_deref());
        let timeouts = machines.filter_map(sr_auth_core::Machine::poll_timeout);
        let requests = self.messages.iter().filter_map(|message| match &message.what {
            What::Request(request) if request.phase != Phase::Queued => Some((message, request)),
            What::Op(_) | What::Request(_) => None,
        });
        let requests = requests.flat_map(|(message, request)| {
            let is_waited_for = matches!(message.waiter, Waiter::Process(_));
            let gives_up_at = is_waited_for.then(|| request.gives_up_at());
            let ends_at = (request.phase == Phase::Sent).then(|| request.ends_at(ground));
            [gives_up_at, ends_at].into_iter().flatten()
        });
        let due = self.call_at(ground);
        let moments = timeouts.chain(requests).chain(due).filter(|it| *it > self.now);
        moments.min().filter(|it| it.since(self.now) <= super::HORIZON)
    }

    /// Returns when callers ask next.
    pub(super) fn call_at(&self, ground: &Ground) -> Option<Timestamp> {
        let record = self.record(ground).filter(|it| self.calls > 0 && it.health.may_present())?;
        Some(record.access.as_ref()?.renew_at)
    }
}
