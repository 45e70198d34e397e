//! A lifecycle among unreliable parts: each output is answered by a step, or never.

use std::collections::VecDeque;
use std::iter::Cycle;
use std::time::Duration;
use std::vec::IntoIter;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sr_auth_core::lifecycle::{
    Application, Availability, Event, Input, Output, Process, Settings, StoreOpId, StoreRequest,
    TokenLifecycle, View,
};
use sr_auth_core::store::{
    Generation, GrantKey, Health, Model, OwnerId, Renewal, StoreAnswer, StoreIdentity, StoreOp,
};
use sr_auth_core::{
    ClientCredentials, Endpoints, Fingerprint, FingerprintKey, Machine as _, Secret, Timestamp,
};

use crate::chaos::{Fate, Run, Step};
use crate::endpoint::Request;
use crate::model::Truth;
use crate::store::Operation;

pub(crate) type Judged = Result<(), TestCaseError>;

pub(crate) const CLIENT_SECRET: &str = "canary-secret-9165228a82e4";
const BEGIN: Timestamp = Timestamp::from_unix_secs(1_000_000);
const OURS: OwnerId = OwnerId::new(0xa);

#[derive(Debug)]
pub(crate) struct Stage {
    /// The answer of the store that was delivered last.
    pub(crate) answered: Option<(StoreOpId, StoreAnswer<Secret>)>,
    /// How many operations were asked for.
    pub(crate) asked: u32,
    pub(crate) backup: Model<Secret>,
    /// By the store.
    pub(crate) clock: Timestamp,
    /// What was decided here and has not been told to be durable; `true` is an end.
    decided: VecDeque<bool>,
    pub(crate) fates: Cycle<IntoIter<Fate>>,
    pub(crate) keeps_refresh_tokens: bool,
    pub(crate) lifecycle: TokenLifecycle,
    pub(crate) number: u32,
    pub(crate) operations: Vec<Operation>,
    pub(crate) requests: Vec<Request>,
    /// All that was shown by `Debug`, if anybody wants to read it.
    shown: Option<String>,
    /// How far our clock is ahead of the store's, in milliseconds.
    skew: i64,
    pub(crate) store: Model<Secret>,
    pub(crate) truth: Truth,
    pub(crate) zombies: Vec<StoreOp<Secret>>,
}

pub(crate) fn key() -> GrantKey {
    GrantKey::new("planner/acme/user-1").expect("a valid key")
}

fn fingerprints() -> FingerprintKey {
    FingerprintKey::new([7; 32])
}

pub(crate) fn named(text: &str) -> Fingerprint {
    fingerprints().fingerprint(&Secret::new(text.to_owned()))
}

impl Stage {
    /// Plays a run to its end.
    pub(crate) fn play(renewal: Renewal, run: Run) -> Result<Self, TestCaseError> {
        let Run { fates, steps } = run;
        let mut stage = Self::new(renewal, fates);
        for step in steps {
            stage.take(step)?;
        }
        Ok(stage)
    }

    /// Plays a run and returns all that was shown by `Debug`.
    pub(crate) fn show(renewal: Renewal, run: Run) -> Result<String, TestCaseError> {
        let Run { fates, steps } = run;
        let mut stage = Self::new(renewal, fates);
        stage.shown = Some(String::new());
        for step in steps {
            stage.take(step)?;
        }
        Ok(stage.shown.unwrap_or_default())
    }

    fn new(renewal: Renewal, fates: Vec<Fate>) -> Self {
        let secret = Secret::new(CLIENT_SECRET.to_owned());
        let client = ClientCredentials::new("82e4424135fe", secret).expect("valid");
        let application = Application::new(client, Endpoints::production().token().clone());
        let process = Process::new(OURS, fingerprints());
        let settings = Settings::default();
        let mut stage = Self {
            answered: None,
            asked: 0,
            backup: Model::new(StoreIdentity(1)),
            clock: BEGIN,
            decided: VecDeque::new(),
            fates: fates.into_iter().cycle(),
            keeps_refresh_tokens: renewal == Renewal::SingleUse,
            lifecycle: TokenLifecycle::new(key(), application, renewal, process, settings),
            number: 0,
            operations: Vec::new(),
            requests: Vec::new(),
            shown: None,
            skew: 0,
            store: Model::new(StoreIdentity(1)),
            truth: Truth::new(OURS),
            zombies: Vec::new(),
        };
        if renewal == Renewal::SingleUse {
            let grant = stage.grant();
            stage.apply(StoreOp::Adopt { grant, key: key(), only_if_missing: false });
        }
        stage
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.ours(self.clock)
    }

    fn ours(&self, store: Timestamp) -> Timestamp {
        Timestamp::from_unix_millis(store.as_unix_millis().saturating_add_signed(self.skew))
    }

    pub(crate) fn view(&self) -> View {
        self.lifecycle.view(self.now())
    }

    fn take(&mut self, step: Step) -> Judged {
        match step {
            Step::Adopt => {
                let grant = self.grant();
                self.decided.push_back(false);
                self.handle(Input::Adopt(grant))?;
            }
            Step::Changed { ahead } => self.changed(ahead)?,
            Step::ClockDiverged => {
                self.truth.diverge();
                self.handle(Input::ClockDiverged)?;
            }
            Step::End(end) => {
                self.decided.push_back(true);
                self.handle(Input::End { end, generation: None })?;
            }
            Step::Operation(pick, fate) => self.operation(pick, fate)?,
            Step::Pass(millis) => self.pass(Duration::from_millis(millis.into()))?,
            Step::Peer(peer) => self.peer(peer),
            Step::Rejected { current } => self.rejected(current)?,
            Step::Request(pick, reply) => self.request(pick, reply)?,
            Step::Restore => self.restore(),
            Step::Save => self.backup = self.store.clone(),
            Step::Shutdown => {
                self.truth.close();
                self.handle(Input::Shutdown)?;
            }
            Step::Skew(millis) => self.skew = millis.into(),
            Step::Sleep(millis) => {
                self.clock = self.clock.after(Duration::from_millis(millis.into()));
            }
            Step::Timeout => self.handle(Input::Timeout)?,
            Step::Want => self.handle(Input::Want)?,
            Step::Zombie(pick) => {
                if !self.zombies.is_empty() {
                    let op = self.zombies.remove(usize::from(pick) % self.zombies.len());
                    self.apply(op);
                }
            }
        }
        Ok(())
    }

    fn changed(&mut self, ahead: i8) -> Judged {
        let Some(record) = self.store.record(&key()) else { return Ok(()) };
        let number = record.generation.number().saturating_add_signed(ahead.into());
        let health = if ahead > 0 { Health::Live } else { record.health };
        self.handle(Input::Changed { generation: Generation::from_number(number), health })
    }

    fn rejected(&mut self, current: bool) -> Judged {
        let served = match self.lifecycle.availability(self.now()) {
            Availability::Ready(token) => Some(token.fingerprint),
            Availability::Failed(_) | Availability::Pending { .. } => None,
        };
        let newest = || named(&self.texts().0);
        let fingerprint = served.filter(|_| current).unwrap_or_else(newest);
        self.truth.reject(fingerprint);
        self.handle(Input::Rejected { fingerprint })
    }

    /// Hands an input over, takes every output, and judges what can be seen.
    pub(crate) fn handle(&mut self, input: Input) -> Judged {
        if let Some(shown) = &mut self.shown {
            shown.push_str(&format!("{input:?}\n"));
        }
        self.lifecycle.handle_input(self.now(), input);
        self.drain()?;
        self.judge()
    }

    fn drain(&mut self) -> Judged {
        for _ in 0..400 {
            let output = self.lifecycle.poll_output();
            if let Some(shown) = &mut self.shown {
                shown.push_str(&format!("{output:?}\n"));
            }
            match output {
                None => return Ok(()),
                Some(Output::Event(event)) => self.hear(event)?,
                Some(Output::Store(StoreRequest { id, op, .. })) => {
                    self.asked += 1;
                    if let StoreOp::Arm { intent, .. } = &op {
                        self.truth.ask(self.now(), intent);
                    }
                    let operation = Operation { answer: None, id, op };
                    let fate = self.fates.next().unwrap_or(Fate::Answered);
                    for input in self.meet(operation, fate) {
                        self.lifecycle.handle_input(self.now(), input);
                    }
                }
                Some(Output::Transmit(transmit)) => self.transmit(self.now(), &transmit)?,
            }
        }
        Err(TestCaseError::fail("outputs without end"))
    }

    fn hear(&mut self, event: Event) -> Judged {
        let is_told = match self.decided.front() {
            Some(true) => matches!(event, Event::Ended { .. }),
            Some(false) => matches!(event, Event::Adopted { .. }),
            None => false,
        };
        if is_told {
            self.decided.pop_front();
        }
        self.truth.hear(event)
    }

    fn judge(&mut self) -> Judged {
        let view = self.view();
        let availability = self.lifecycle.availability(self.now());
        if let Some(shown) = &mut self.shown {
            shown.push_str(&format!("{view:?} {availability:?} {:?}\n", self.lifecycle));
        }
        let is_ending = self.decided.back() == Some(&true);
        self.truth.judge(self.ours(self.clock), &view, availability, is_ending)?;
        let is_stalled = matches!(availability, Availability::Pending { .. })
            && view.wanted.is_some()
            && self.lifecycle.poll_timeout().is_none();
        prop_assert!(!is_stalled || self.truth.is_closing(), "stalled: {view:?}");
        for token in self.truth.unpaid() {
            prop_assert_eq!(view.uncommitted, Some(token), "a successor was dropped");
        }
        Ok(())
    }

    /// Lets time pass: every time-out comes at its moment, and leads somewhere.
    pub(crate) fn pass(&mut self, span: Duration) -> Judged {
        let until = self.clock.after(span);
        for _ in 0..60 {
            let due = self.lifecycle.poll_timeout().filter(|it| *it <= self.ours(until));
            let Some(due) = due else { break };
            self.clock = self.clock.after(due.since(self.now()));
            let (before, asked, now) = (self.view(), self.asked, self.now());
            self.handle(Input::Timeout)?;
            let rests = self.lifecycle.poll_timeout().is_some_and(|it| it <= now);
            let in_vain = rests && asked == self.asked && before == self.view();
            prop_assert!(!in_vain, "a time-out in vain: {before:?}");
        }
        self.clock = self.clock.max(until);
        Ok(())
    }
}
