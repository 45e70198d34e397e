//! One credential as a value: no queue, no settings, no caller.

use std::collections::VecDeque;
use std::time::Duration;

use super::attempt::{self, Attempt};
use super::command::{Command, Commands};
use super::context::{Context, Counts, Knowledge, Rotation, Shared};
use super::doubt::Doubt;
use super::held::{Held, fingerprint, is_ended};
use super::news::News;
use super::{Access, Availability, Blame, Cause, Event, Input, Output, Unavailable};
use super::{Wanted, access, health};
use crate::machine::TransmitId;
use crate::store::{Health, NewGrant, OwnerId, Renewal};
use crate::wire::token_answer;
use crate::{Fingerprint, Timestamp};

#[derive(Clone, Debug)]
pub(crate) struct Regions {
    pub(super) known: Knowledge,
}

impl Regions {
    pub(crate) const fn new(renewal: Renewal) -> Self {
        let known = Knowledge {
            affairs: None,
            health: Health::Live,
            held: None,
            missing: false,
            renewal,
            transmit: TransmitId::FIRST,
            wanted: None,
        };
        Self { known }
    }

    /// Takes in what happened.
    pub(crate) fn handle(
        &mut self,
        now: Timestamp,
        input: Input,
        shared: Shared<'_>,
        counts: &mut Counts,
        outputs: &mut VecDeque<Output>,
    ) {
        if matches!(input, Input::Admitted) && self.asks(now).is_none() {
            // What was asked for is not wanted any more, or a command came in between.
            return;
        }
        let (mut commands, mut rotation) = self.known.take_up();
        let cx = &mut Context { counts, known: &mut self.known, outputs, shared };
        let was_under_way = matches!(rotation, Rotation::Attempt(_));
        route(now, input, &mut commands, &mut rotation, cx);
        if was_under_way {
            rotation = rotation.catch_up(now, cx);
        }
        settle(now, &mut commands, &mut rotation, cx);
        self.known.put_down(commands, rotation);
    }

    fn commands(&self) -> Option<&Commands> {
        self.known.affairs().commands.as_deref()
    }

    pub(super) fn rotation(&self) -> Rotation {
        self.known.affairs().rotation
    }

    /// Returns how much a renewal is wanted that could begin now: see [`Input::Admitted`].
    pub(crate) fn asks(&self, now: Timestamp) -> Option<Wanted> {
        let is_free = match self.rotation() {
            Rotation::Idle => true,
            Rotation::Doubt(doubt) => doubt.is_ripe(),
            Rotation::Attempt(_) | Rotation::BackingOff { .. } => false,
        };
        let is_held = self.known.held.is_some() && self.commands().is_none();
        let wanted = self.known.wanted.filter(|_| is_free && is_held);
        wanted.filter(|_| health::may_present_now(now, &self.known))
    }

    /// Tells whether no token is in memory.
    pub(crate) fn holds_nothing(&self) -> bool {
        self.known.held.is_none()
    }

    /// Tells whether something was begun that has to be finished before the process ends.
    pub(crate) fn is_busy(&self) -> bool {
        let verdict = matches!(
            self.rotation(),
            Rotation::Attempt(_) | Rotation::Doubt(Doubt::Burying { .. } | Doubt::Verifying { .. })
        );
        verdict || self.commands().is_some()
    }

    /// Tells whether a presentation is under way, from its intent to its answer.
    pub(crate) fn is_presenting(&self) -> bool {
        matches!(
            self.rotation(),
            Rotation::Attempt(Attempt::Arming { .. } | Attempt::InFlight { .. })
        )
    }

    /// Tells whether an input is the answer to a presentation that was given up.
    pub(crate) fn has_given_up(&self, input: &Input) -> bool {
        let (Input::Response { id, .. } | Input::TransportFailed { id, .. }) = input else {
            return false;
        };
        self.known.affairs().late.is_some_and(|late| late.id == *id)
    }

    /// Returns how much a renewal is wanted, whether it could begin now or not.
    pub(crate) const fn wanted(&self) -> Option<Wanted> {
        self.known.wanted
    }

    /// Tells whether the record was read, or found to be missing.
    pub(crate) const fn is_loaded(&self) -> bool {
        self.known.held.is_some() || self.known.missing
    }

    /// Tells whether nothing is lost when the value is dropped: the store has all of it, and no
    /// answer is awaited.
    pub(crate) fn is_idle(&self) -> bool {
        let resting = matches!(self.rotation(), Rotation::Idle | Rotation::BackingOff { .. });
        resting && self.known.wanted.is_none() && self.commands().is_none()
    }

    /// Lets go of what the store has, when nothing is under way.
    pub(crate) fn shed(&mut self, now: Timestamp, healing_for: Duration) {
        if self.is_idle()
            && let Some(held) = self.known.held.as_mut()
        {
            held.shed(now, healing_for);
        }
    }

    /// Tells whether an intent of this process may stand.
    pub(crate) fn has_intent(&self, owner: OwnerId) -> bool {
        match self.rotation() {
            Rotation::Attempt(_) => true,
            Rotation::Doubt(doubt) => doubt.is_ours(owner),
            Rotation::BackingOff { .. } | Rotation::Idle => false,
        }
    }

    pub(crate) fn availability(&self, now: Timestamp) -> Availability<'_> {
        let known = &self.known;
        let generation = known.held.as_ref().map(|it| it.generation).unwrap_or_default();
        if let Some(end) = self.commands().and_then(|it| it.end(generation)) {
            return Availability::Failed(Unavailable::new(Cause::Ended(end), None));
        }
        let revealed = known.affairs().successor.as_deref().and_then(|it| it.access.as_ref());
        let revealed = revealed.filter(|it| self.is_delayed() && now < it.ends_at);
        let held = known.held.as_ref().filter(|_| !is_ended(known.health));
        let held = held.filter(|it| Access::of(Some(it), now).is_good());
        if let Some(token) = revealed.or_else(|| held.and_then(|it| it.access.as_deref())) {
            return Availability::Ready(token);
        }
        if let Some(cause) = health::obstacle(known) {
            return Availability::Failed(Unavailable::new(cause, None));
        }
        match self.rotation() {
            Rotation::BackingOff { blame, until } => {
                Availability::Failed(Unavailable::new(Cause::Renewal(blame), Some(until)))
            }
            Rotation::Doubt(doubt) => Availability::Pending { until: doubt.timeout() },
            Rotation::Attempt(_) if self.is_delayed() => {
                let cause = Cause::Renewal(Blame::Store);
                Availability::Failed(Unavailable::new(cause, self.poll_timeout()))
            }
            Rotation::Attempt(_) | Rotation::Idle => Availability::Pending { until: None },
        }
    }

    /// Tells whether the store has failed to take a successor: its access token is good all the
    /// same, unless the grant has been given anew or ended since.
    fn is_delayed(&self) -> bool {
        let Rotation::Attempt(Attempt::Committing { claim, failures: 1.., .. }) = self.rotation()
        else {
            return false;
        };
        let known = &self.known;
        !is_ended(known.health)
            && known.held.as_ref().is_none_or(|it| it.generation == claim.generation)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        let rotation = match self.rotation() {
            Rotation::Attempt(attempt) => Some(attempt.timeout()),
            Rotation::BackingOff { until, .. } => Some(until),
            Rotation::Doubt(doubt) => doubt.timeout(),
            Rotation::Idle => self.keep_alive_at(),
        };
        let command = self.commands().map(Commands::timeout);
        let warning = health::next_warning(&self.known).map(|(at, _)| at);
        [rotation, command, warning].into_iter().flatten().min()
    }

    /// Returns when an idle grant's refresh token wants to be replaced; a last leg, when the access
    /// token has ended and somebody waits.
    fn keep_alive_at(&self) -> Option<Timestamp> {
        let known = &self.known;
        let held = known.held.as_ref().filter(|_| health::obstacle(known).is_none())?;
        if known.health == Health::LastLeg {
            let is_early = known.wanted.is_some_and(|it| it < Wanted::Interactive);
            return held.access.as_deref().filter(|_| is_early).map(|it| it.ends_at);
        }
        let is_wanted = known.wanted.is_some() || known.renewal == Renewal::Repeatable;
        held.refresh().filter(|_| !is_wanted).map(|it| it.renew_at)
    }
}

impl Rotation {
    /// Goes on after a command has changed the grant.
    fn unsettled(self, now: Timestamp, cx: &mut Context<'_>) -> Self {
        match self {
            // Its end brings the record by itself.
            Self::Attempt(_) => self,
            // What is being read may be from before the command, or have come after it.
            Self::Doubt(Doubt::Reading { .. }) => Self::Doubt(Doubt::read(now, cx)),
            Self::BackingOff { .. } | Self::Doubt(_) | Self::Idle => Self::Idle,
        }
    }

    /// Hears what was told while a presentation was under way, when that has ended: in a wait, which
    /// may be long, nothing else would have the record read.
    fn catch_up(self, now: Timestamp, cx: &mut Context<'_>) -> Self {
        match (self, cx.known.affairs().news.filter(|it| it.is_new(cx))) {
            (Self::BackingOff { .. } | Self::Doubt(_), Some(news)) => {
                self.next(now, news.into_input(), cx)
            }
            (unchanged, _) => unchanged,
        }
    }

    fn next(self, now: Timestamp, input: Input, cx: &mut Context<'_>) -> Self {
        match (self, input) {
            (Self::Attempt(attempt), input) => attempt.next(now, input, cx),
            (Self::Doubt(doubt), input) => doubt.next(now, input, cx),
            (Self::BackingOff { until, .. }, Input::Timeout) if now >= until => Self::Idle,
            (Self::BackingOff { .. }, Input::Changed { generation, health })
                if News::new(generation, health).is_new(cx) =>
            {
                Self::Doubt(Doubt::read(now, cx))
            }
            (Self::Idle, Input::Admitted) if cx.known.wanted.is_some() && !cx.shared.closing => {
                Attempt::begin(now, None, cx)
            }
            (Self::Idle, Input::Want) if health::obstacle(cx.known).is_some() => {
                Self::Doubt(Doubt::read(now, cx))
            }
            // An early timeout, or an answer that nobody waits for.
            (unchanged, _) => unchanged,
        }
    }
}

fn reject(now: Timestamp, of: Fingerprint, cx: &mut Context<'_>) {
    let Some(held) = cx.known.held.as_mut() else { return };
    let event: Option<Event> = access::reject(held, of, now);
    if held.rejected && fingerprint(held.access.as_deref()) == Some(of) {
        cx.known.wanted = Some(Wanted::Interactive);
    }
    if let Some(event) = event {
        cx.tell(event);
    }
}

fn warn(now: Timestamp, cx: &mut Context<'_>) {
    while let Some((at, event)) = health::next_warning(cx.known) {
        let Event::Dying { percent, .. } = event else { return };
        if now < at {
            return;
        }
        let Some(held) = cx.known.held.as_mut() else { return };
        Held::warn(held, percent);
        cx.tell(event);
    }
}

/// Brings an input to the region that it belongs to.
fn route(
    now: Timestamp,
    input: Input,
    commands: &mut Option<Box<Commands>>,
    rotation: &mut Rotation,
    cx: &mut Context<'_>,
) {
    match input {
        Input::Adopt(grant) => Commands::push(commands, now, Command::Adopt(grant), cx),
        Input::End { end, generation } => {
            Commands::push(commands, now, Command::End { end, generation }, cx);
        }
        Input::Rejected { fingerprint } => reject(now, fingerprint, cx),
        Input::Stored { id, result } if commands.as_ref().is_some_and(|it| it.has_asked(id)) => {
            let input = Input::Stored { id, result };
            if Commands::next(commands, now, input, cx) {
                *rotation = rotation.unsettled(now, cx);
            }
        }
        Input::Timeout => {
            Commands::next(commands, now, Input::Timeout, cx);
            warn(now, cx);
            *rotation = rotation.next(now, Input::Timeout, cx);
        }
        Input::Response { id, response } if attempt::is_late(id, *rotation, cx.known) => {
            let classify = |sent_at| Some(token_answer::classify(&response, sent_at, now));
            *rotation = attempt::late(now, *rotation, classify, cx);
        }
        Input::TransportFailed { id, received: Some(part), .. }
            if attempt::is_late(id, *rotation, cx.known) =>
        {
            let classify = |sent_at| token_answer::classify_part(&part, sent_at, now);
            *rotation = attempt::late(now, *rotation, classify, cx);
        }
        Input::Want => {
            let wanted = access::wanted(cx.known.held.as_ref(), now, cx.shared.margins);
            cx.known.wanted = cx.known.wanted.max(wanted);
            *rotation = rotation.next(now, Input::Want, cx);
        }
        Input::Changed { generation, health } => {
            let news = News::new(generation, health);
            if news.is_rewound() {
                Commands::doubt(commands);
            }
            news.hear(cx.known);
            *rotation = rotation.next(now, Input::Changed { generation, health }, cx);
        }
        input @ (Input::Admitted
        | Input::ClockDiverged
        | Input::Response { .. }
        | Input::Shutdown
        | Input::Stored { .. }
        | Input::TransportFailed { .. }) => *rotation = rotation.next(now, input, cx),
    }
}

/// Goes on with what follows from the data alone.
fn settle(
    now: Timestamp,
    commands: &mut Option<Box<Commands>>,
    rotation: &mut Rotation,
    cx: &mut Context<'_>,
) {
    if matches!(rotation, Rotation::Idle)
        && let Some(news) = cx.known.affairs().news
    {
        if news.is_new(cx) {
            *rotation = Rotation::Doubt(Doubt::read(now, cx));
        } else {
            cx.known.affairs_mut().news = None;
        }
    }
    // What is being read may revive the grant for those who ask.
    if !matches!(rotation, Rotation::Doubt(Doubt::Reading { .. })) {
        health::judge(now, cx.known, cx.shared.margins);
    }
    if !matches!(rotation, Rotation::Idle) || cx.known.wanted.is_none() || commands.is_some() {
        return;
    }
    if cx.known.missing && !cx.is_single_use() {
        // Client credentials need no consent: their record is made when it is first used.
        let grant = NewGrant::repeatable();
        Commands::push(commands, now, Command::Found(grant), cx);
        return;
    }
    match cx.known.held.as_ref() {
        None => *rotation = Rotation::Doubt(Doubt::read(now, cx)),
        Some(_) if now < cx.known.affairs().not_before => {
            let (blame, until) = (cx.blame_of_not_before(), cx.known.affairs().not_before);
            *rotation = Rotation::BackingOff { blame, until };
        }
        Some(_) => {}
    }
}
