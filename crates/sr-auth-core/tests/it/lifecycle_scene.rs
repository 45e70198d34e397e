//! A lifecycle on a stage: the model is its store, a script its server, and what happens is told.
//!
//! Times are seconds since the beginning. A script is a list of moments and steps; between two of
//! them every time-out comes at its own moment. Tokens are called `at1`, `rt1`, …, which is also
//! their text; our process is `A`, another one `B`.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;

use sr_auth_core::lifecycle::{
    Application, Availability, Event, Input, Output, Process, Settings, StoreFailure, StoreOpId,
    StoreRequest, TokenLifecycle,
};
use sr_auth_core::store::{
    GrantKey, Model, NewGrant, OwnerId, Record, Renewal, StoreAnswer, StoreIdentity, StoreOp,
};
use sr_auth_core::{
    Endpoints, Fingerprint, FingerprintKey, Machine as _, Secret, Timestamp, Transmit, TransmitId,
    TransportFailure,
};

use crate::fixture::{answer, at, client, secret};
use crate::lifecycle_words::{moment, named, of_answer, of_op};

pub(crate) const A: OwnerId = OwnerId::new(0xa);
pub(crate) const B: OwnerId = OwnerId::new(0xb);

/// How the store behaves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mood {
    /// Carries everything out, and its answers are lost.
    Deaf,
    /// Carries nothing out, and nobody can tell.
    Lost,
    /// Says that it did nothing.
    Refusing,
    /// Never answers and does nothing.
    Silent,
    /// Keeps what is asked until [`Step::Deliver`].
    Slow,
    /// Works.
    Up,
}

/// What comes back from the token endpoint, or does not.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// The connection broke after this much of a success.
    Cut(String),
    Body(u16, String),
    Lost,
    NotSent,
    /// A status with `Retry-After`.
    Wait(u16, u32),
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The newest request is answered.
    Answer(Reply),
    /// An earlier request is answered.
    AnswerTo(usize, Reply),
    /// The newest kept operation is carried out; its answer stays to be delivered.
    CarryOut,
    /// The kept operation of this place in the queue is carried out and answered.
    Deliver(usize),
    /// The oldest kept operation is carried out, and its answer is lost.
    DeliverUnseen,
    /// Somebody else does something in the store.
    Elsewhere(StoreOp<Secret>),
    /// A command or news, in so many words.
    Input(&'static str, fn() -> Input),
    /// Nothing but time.
    Pass,
    /// The store goes back to what it was at the [`Step::Save`].
    Restore,
    Save,
    Store(Mood),
    Want,
}

#[derive(Debug)]
pub(crate) struct Scene {
    backup: Option<Model<Secret>>,
    /// How far the store's clock is behind ours.
    pub(crate) behind: Duration,
    pub(crate) events: Vec<(Timestamp, Event)>,
    kept: VecDeque<(StoreRequest, Option<StoreAnswer<Secret>>)>,
    pub(crate) lifecycle: TokenLifecycle,
    mood: Mood,
    pub(crate) now: Timestamp,
    /// When which refresh token was presented, `-` for client credentials.
    pub(crate) presented: Vec<(Timestamp, String)>,
    said: [String; 2],
    sent: Vec<TransmitId>,
    pub(crate) store: Model<Secret>,
    story: String,
}

pub(crate) fn key() -> GrantKey {
    GrantKey::new("planner/acme/user-1").expect("a valid key")
}

pub(crate) fn fingerprints() -> FingerprintKey {
    FingerprintKey::new([7; 32])
}

pub(crate) fn fingerprint(token: &str) -> Fingerprint {
    fingerprints().fingerprint(&secret(token))
}

pub(crate) fn lifecycle(renewal: Renewal, settings: Settings) -> TokenLifecycle {
    let application = Application::new(client(), Endpoints::production().token().clone());
    TokenLifecycle::new(key(), application, renewal, Process::new(A, fingerprints()), settings)
}

impl Scene {
    /// A user's grant: `at1`, good until 1769 s and due at 1200 s, and `rt1`.
    pub(crate) fn of_user() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let mut scene = Self::empty(Renewal::SingleUse, settings);
        scene.store.apply(at(0), crate::lifecycle_words::consent(1, 0));
        scene
    }

    /// A grant that came without an access token, as from an import.
    pub(crate) fn imported() -> Self {
        let mut scene = Self::empty(Renewal::SingleUse, Settings::default());
        let refresh = Some(crate::lifecycle_words::refresh(1, 0));
        let grant = NewGrant { access: None, refresh, renewal: Renewal::SingleUse };
        scene.store.apply(at(0), StoreOp::Adopt { grant, key: key(), only_if_missing: false });
        scene
    }

    /// Client credentials, before their first use.
    pub(crate) fn of_client() -> Self {
        Self::empty(Renewal::Repeatable, Settings::default())
    }

    pub(crate) fn empty(renewal: Renewal, settings: Settings) -> Self {
        Self {
            backup: None,
            behind: Duration::ZERO,
            events: Vec::new(),
            kept: VecDeque::new(),
            lifecycle: lifecycle(renewal, settings),
            mood: Mood::Up,
            now: at(0),
            presented: Vec::new(),
            said: [String::new(), String::new()],
            sent: Vec::new(),
            store: Model::new(StoreIdentity(1)),
            story: String::new(),
        }
    }

    /// Plays a script and returns what happened.
    pub(crate) fn story(mut self, script: Vec<(u64, Step)>) -> String {
        self.play(script);
        self.story
    }

    pub(crate) fn play(&mut self, script: Vec<(u64, Step)>) -> &mut Self {
        for (secs, step) in script {
            self.pass_until(at(secs));
            self.take(step);
        }
        self
    }

    /// Lets time pass: every time-out comes at its own moment.
    fn pass_until(&mut self, until: Timestamp) {
        let mut stuck = 0;
        while let Some(due) = self.lifecycle.poll_timeout().filter(|due| *due <= until) {
            stuck = if due > self.now { 0 } else { stuck + 1 };
            assert!(stuck < 10, "time-outs without end at {:?}\n{}", self.now, self.story);
            self.now = self.now.max(due);
            self.head("time-out");
            self.handle(Input::Timeout);
        }
        self.now = until;
    }

    /// Goes on to the next moment at which the machine acts by itself.
    pub(crate) fn wake(&mut self) {
        let due = self.lifecycle.poll_timeout().expect("something to wait for");
        self.pass_until(due);
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Answer(reply) => {
                let newest = self.presented.len();
                self.answer(newest, &reply);
            }
            Step::AnswerTo(count, reply) => self.answer(count, &reply),
            Step::CarryOut => {
                let now = self.now.before(self.behind);
                let (request, answer) = self.kept.back_mut().expect("an operation that is kept");
                *answer = Some(self.store.apply(now, request.op.clone()));
            }
            Step::Deliver(place) => {
                let mood = if self.mood == Mood::Slow { Mood::Up } else { self.mood };
                self.deliver(place, mood);
            }
            Step::DeliverUnseen => self.deliver(0, Mood::Deaf),
            Step::Elsewhere(op) => {
                let what = of_op(&op);
                let outcome = self.store.apply(self.now.before(self.behind), op).outcome;
                self.head(&format!("elsewhere: {what}: {}", of_answer(&outcome)));
            }
            Step::Input(words, make) => {
                self.head(words);
                self.handle(make());
            }
            Step::Pass => {}
            Step::Restore => {
                self.store = self.backup.clone().expect("a backup");
                self.head("the store is restored from its backup");
            }
            Step::Save => self.backup = Some(self.store.clone()),
            Step::Store(mood) => {
                self.mood = mood;
                self.head(&format!("the store is {mood:?}"));
            }
            Step::Want => {
                self.head("somebody wants a token");
                self.handle(Input::Want);
            }
        }
    }

    fn deliver(&mut self, place: usize, mood: Mood) {
        let (request, answer) = self.kept.remove(place).expect("an operation that is kept");
        self.head("the store comes to it");
        match answer {
            Some(answer) => self.hand_over(request.id, &of_op(&request.op), Ok(answer)),
            None => self.carry_out(request, mood),
        }
        self.drain();
    }

    fn answer(&mut self, count: usize, reply: &Reply) {
        let id = *self.sent.get(count.wrapping_sub(1)).expect("a request");
        let failed = |failure, received| Input::TransportFailed { id, failure, received };
        let (words, input) = match reply {
            Reply::Body(status, body) => {
                let response = answer(*status, body);
                (format!("answers {status}"), Input::Response { id, response })
            }
            Reply::Cut(body) => {
                let input = failed(TransportFailure::AfterSend, Some(answer(200, body)));
                ("breaks off within its answer".to_owned(), input)
            }
            Reply::Lost => {
                ("does not answer".to_owned(), failed(TransportFailure::AfterSend, None))
            }
            Reply::NotSent => {
                ("cannot be reached".to_owned(), failed(TransportFailure::BeforeSend, None))
            }
            Reply::Wait(status, secs) => {
                let mut response = answer(*status, "");
                response.headers_mut().insert(http::header::RETRY_AFTER, (*secs).into());
                (format!("answers {status}, in {secs} s"), Input::Response { id, response })
            }
        };
        self.head(&format!("the server {words} (request {count})"));
        self.handle(input);
    }

    fn handle(&mut self, input: Input) {
        self.lifecycle.handle_input(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        for round in 0.. {
            assert!(round < 40, "outputs without end\n{}", self.story);
            match self.lifecycle.poll_output() {
                None => break,
                Some(Output::Event(event)) => {
                    self.line(&format!("tells {}", named(&format!("{event:?}"))));
                    self.events.push((self.now, event));
                }
                Some(Output::Store(request)) => self.carry_out(request, self.mood),
                Some(Output::Transmit(transmit)) => self.send(&transmit),
            }
        }
        self.say();
    }

    fn carry_out(&mut self, request: StoreRequest, mood: Mood) {
        let what = of_op(&request.op);
        let StoreRequest { id, op, .. } = request;
        let result = match mood {
            Mood::Up => Ok(self.store.apply(self.now.before(self.behind), op)),
            Mood::Refusing => Err(StoreFailure::NotDone),
            Mood::Deaf => {
                self.store.apply(self.now.before(self.behind), op);
                Err(StoreFailure::OutcomeUnknown)
            }
            Mood::Lost => Err(StoreFailure::OutcomeUnknown),
            Mood::Silent => return self.line(&format!("store: {what}: no answer")),
            Mood::Slow => {
                self.line(&format!("store: {what}: …"));
                let answer_within = request.answer_within;
                let request = StoreRequest { answer_within, id, op };
                return self.kept.push_back((request, None));
            }
        };
        self.hand_over(id, &what, result);
    }

    fn hand_over(
        &mut self,
        id: StoreOpId,
        what: &str,
        result: Result<StoreAnswer<Secret>, StoreFailure>,
    ) {
        let came = match &result {
            Ok(answer) => of_answer(&answer.outcome),
            Err(failure) => format!("{failure:?}"),
        };
        self.line(&format!("store: {what}: {came}"));
        self.lifecycle.handle_input(self.now, Input::Stored { id, result });
    }

    fn send(&mut self, transmit: &Transmit) {
        let body = String::from_utf8_lossy(transmit.request.body().expose()).into_owned();
        let mut fields = body.split('&').filter_map(|it| it.split_once('='));
        let token = fields.find(|(name, _)| *name == "refresh_token");
        let token = token.map_or("-", |(_, value)| value).to_owned();
        let (count, within) = (transmit.id.count(), transmit.answer_within);
        let not_after = moment(transmit.not_after);
        self.line(&format!(
            "presents {token} (request {count}, by {not_after}, within {within:?})"
        ));
        self.presented.push((self.now, token));
        self.sent.push(transmit.id);
    }

    /// Tells what a caller gets and when the machine wakes by itself, if either is new.
    fn say(&mut self) {
        let wakes = self.lifecycle.poll_timeout().map_or_else(|| "never".to_owned(), moment);
        let says = [format!("caller {}", self.caller()), format!("wakes {wakes}")];
        for (said, says) in self.said.clone().into_iter().zip(&says) {
            if said != *says {
                self.line(says);
            }
        }
        self.said = says;
    }

    /// What a caller gets.
    pub(crate) fn caller(&self) -> String {
        match self.lifecycle.availability(self.now) {
            Availability::Ready(token) => {
                format!("gets {} until {}", token.value.expose(), moment(token.ends_at))
            }
            Availability::Pending { until: None } => "waits".to_owned(),
            Availability::Pending { until: Some(until) } => {
                format!("waits, more is known at {}", moment(until))
            }
            Availability::Failed(failure) => {
                let retry = failure.retry_at().map(|it| format!(", next try at {}", moment(it)));
                let (code, advice) = (failure.code(), failure.remedy().advice());
                format!("fails: {failure} [{code}; {advice}]{}", retry.unwrap_or_default())
            }
        }
    }

    pub(crate) fn record(&self) -> &Record<Secret> {
        self.store.record(&key()).expect("a record")
    }

    fn head(&mut self, words: &str) {
        let now = moment(self.now);
        writeln!(self.story, "{now:>14}  {words}").expect("writing to a text");
    }

    fn line(&mut self, words: &str) {
        writeln!(self.story, "{:>14}  · {words}", "").expect("writing to a text");
    }
}
