//! What people decide about a grant: a new consent, or its end. Made durable one after the other,
//! beside whatever renewal is under way.

use std::collections::VecDeque;

use super::attempt::Call;
use super::context::Context;
use super::held::is_ended;
use super::news::News;
use super::{Event, Input, StoreFailure, StoreOpId};
use crate::store::{End, Generation, NewGrant, Sibling, StoreAnswer, StoreOp, StoreOutcome};
use crate::{Secret, Timestamp};

#[derive(Clone, Debug)]
pub(crate) struct Commands {
    call: Call,
    /// The store has gone back since the operation left: its answer may be from before that.
    doubted: bool,
    failures: u8,
    queue: VecDeque<Command>,
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Adopt(NewGrant<Secret>),
    /// Puts a grant aside that was given before the one that is there.
    Aside {
        from: Generation,
        grant: NewGrant<Secret>,
    },
    End {
        end: End,
        generation: Option<Generation>,
    },
    /// Makes the first record of a grant, unless somebody else has.
    Found(NewGrant<Secret>),
}

impl Commands {
    /// Takes a command in; it is carried out when those before it are durable.
    pub(super) fn push(
        this: &mut Option<Box<Self>>,
        now: Timestamp,
        command: Command,
        cx: &mut Context<'_>,
    ) {
        if let Some(commands) = this {
            commands.queue.push_back(command);
            return;
        }
        let call = ask(now, &command, cx);
        let queue = VecDeque::from([command]);
        *this = Some(Box::new(Self { call, doubted: false, failures: 0, queue }));
    }

    /// Hears that the store has gone back.
    pub(super) fn doubt(this: &mut Option<Box<Self>>) {
        this.iter_mut().for_each(|it| it.doubted = true);
    }

    pub(super) fn has_asked(&self, id: StoreOpId) -> bool {
        matches!(self.call, Call::Asked(asked) if asked.id == id)
    }

    pub(super) const fn timeout(&self) -> Timestamp {
        self.call.timeout()
    }

    /// Returns the end that is decided, though not durable yet, for a grant at `generation`.
    pub(super) fn end(&self, generation: Generation) -> Option<End> {
        let mut end = None;
        for command in &self.queue {
            match command {
                Command::Adopt(_) | Command::Aside { .. } | Command::Found(_) => end = None,
                Command::End { end: it, generation: only } => {
                    if only.is_none_or(|only| only == generation) {
                        end = Some(*it);
                    }
                }
            }
        }
        end
    }

    /// Goes on with an answer of the store or at a timeout. `true` when a command has changed the
    /// grant.
    pub(super) fn next(
        this: &mut Option<Box<Self>>,
        now: Timestamp,
        input: Input,
        cx: &mut Context<'_>,
    ) -> bool {
        let Some(commands) = this else { return false };
        let changed = match (commands.call, input) {
            (Call::Asked(asked), Input::Stored { id, result }) if id == asked.id => {
                commands.answered(now, result, cx)
            }
            (Call::Asked(asked), Input::Timeout) if now >= asked.give_up_at => {
                commands.failed(now, cx);
                false
            }
            (Call::Pausing { until }, Input::Timeout) if now >= until => {
                commands.go_on(now, cx);
                false
            }
            // An early timeout.
            _ => false,
        };
        if commands.queue.is_empty() {
            *this = None;
        }
        changed
    }

    fn answered(
        &mut self,
        now: Timestamp,
        result: Result<StoreAnswer<Secret>, StoreFailure>,
        cx: &mut Context<'_>,
    ) -> bool {
        let outcome = match result {
            Ok(answer) => answer.outcome,
            Err(_) => {
                self.failed(now, cx);
                return false;
            }
        };
        if !self.carried_out(now, outcome, cx) {
            return false;
        }
        if !self.doubted {
            // What the store has just written is of the history that it has now: an older record,
            // as from a replica that lags, is not.
            let news = cx.known.affairs_mut().news.take();
            cx.known.affairs_mut().news = news.and_then(News::settled);
        }
        self.queue.pop_front();
        self.failures = 0;
        self.go_on(now, cx);
        true
    }

    /// Takes what has become of the foremost command; `false` when it is not carried out yet.
    fn carried_out(
        &mut self,
        now: Timestamp,
        outcome: StoreOutcome<Secret>,
        cx: &mut Context<'_>,
    ) -> bool {
        let Some(command) = self.queue.front() else { return false };
        match (command, outcome) {
            (Command::Adopt(grant), StoreOutcome::Moved(record)) if grant.refresh.is_some() => {
                // What is there was given later; whether it works is not known.
                let aside = Command::Aside { from: record.generation, grant: grant.clone() };
                self.instead(now, aside, cx);
                return false;
            }
            (Command::Aside { grant, .. }, StoreOutcome::Missing) => {
                let adopt = Command::Adopt(grant.clone());
                self.instead(now, adopt, cx);
                return false;
            }
            (Command::Aside { from, .. }, StoreOutcome::Done(record)) => {
                cx.tell(Event::SuccessorEscrowed { from: *from });
                cx.tell(Event::Adopted { generation: record.generation });
                cx.put(now, record);
            }
            (Command::Adopt(_) | Command::Found(_), StoreOutcome::Done(record)) => {
                cx.tell(Event::Adopted { generation: record.generation });
                cx.put(now, record);
            }
            (Command::End { end, .. }, StoreOutcome::Done(record)) => {
                if is_ended(record.health) {
                    cx.tell(Event::Ended { end: *end });
                }
                cx.put(now, record);
            }
            (Command::End { .. }, StoreOutcome::Moved(record)) => {
                cx.take_over(now, record);
            }
            (Command::Found(_), StoreOutcome::Moved(record)) => cx.put(now, record),
            (Command::End { .. }, StoreOutcome::Missing) => {
                cx.forget();
            }
            // No answer to a command: the store's binding is broken.
            _ => {
                self.failed(now, cx);
                return false;
            }
        }
        true
    }

    /// Carries another command out than the foremost one.
    fn instead(&mut self, now: Timestamp, other: Command, cx: &mut Context<'_>) {
        self.queue.pop_front();
        self.queue.push_front(other);
        self.failures = 0;
        self.go_on(now, cx);
    }

    /// Asks for the next command, if there is one.
    fn go_on(&mut self, now: Timestamp, cx: &mut Context<'_>) {
        if let Some(next) = self.queue.front() {
            (self.call, self.doubted) = (ask(now, next, cx), false);
        }
    }

    fn failed(&mut self, now: Timestamp, cx: &Context<'_>) {
        self.failures = self.failures.saturating_add(1);
        let until = now.after(cx.shared.margins.pause_after(self.failures, cx.jitter()));
        self.call = Call::Pausing { until };
    }
}

fn ask(now: Timestamp, command: &Command, cx: &mut Context<'_>) -> Call {
    let (key, owner) = (cx.shared.key.clone(), cx.shared.owner);
    let op = match command.clone() {
        Command::Adopt(grant) => StoreOp::Adopt { grant, key, only_if_missing: false },
        Command::Aside { from, grant: NewGrant { refresh: Some(token), .. } } => {
            StoreOp::Escrow { key, owner, sibling: Sibling { from, token } }
        }
        // Without a refresh token there is nothing to put aside.
        Command::Aside { grant, .. } => StoreOp::Adopt { grant, key, only_if_missing: false },
        Command::End { end, generation } => StoreOp::End { end, generation, key },
        Command::Found(grant) => StoreOp::Adopt { grant, key, only_if_missing: true },
    };
    Call::Asked(cx.ask(now, op))
}
