//! What to do when a presentation, ours or somebody else's, may have happened.
//!
//! ```text
//!  Quiet ── quiet period over, admitted ──▶ Arming, over the intent that stands
//!    │ ▲
//!    ▼ │ nothing new                          ┌── moved ──▶ Idle
//!  Reading ── moved ──▶ Idle     Verifying ───┼── a sibling ──▶ Committing it
//!                                             ├── not believed ──▶ Disarming
//!                                             └── refused for good ──▶ Burying ──▶ Idle, dead
//! ```
//!
//! A quiet period is never shortened. A grant is buried only after the store was read again, and
//! the store does it only if the generation is still the one that was refused.

use std::time::Duration;

use super::attempt::{self, Attempt, Call, Claim};
use super::context::{Asked, Context, Rotation, Taken};
use super::held::fingerprint;
use super::news::News;
use super::{Access, Blame, Event, Input, Recovery, StoreFailure};
use crate::store::{
    CauseOfDeath, Health, IntentId, OwnerId, Record, StoreAnswer, StoreOp, StoreOutcome,
};
use crate::{Secret, Timestamp};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Doubt {
    /// A verdict is being written.
    Burying { call: Call, cause: CauseOfDeath, claim: Claim, failures: u8 },
    /// An intent stands; nobody presents before its time.
    Quiet { look: Option<Look>, ripe: bool, standing: Standing },
    /// The record is being read.
    Reading { again: bool, asked: Asked, pause: Duration, standing: Option<Standing> },
    /// The record is being read again before a verdict.
    Verifying { call: Call, cause: Option<CauseOfDeath>, claim: Claim, failures: u8 },
}

/// An intent that stands, ours or somebody else's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) attempt: u32,
    pub(crate) intent: IntentId,
    /// Nobody arms over it before.
    pub(crate) until: Timestamp,
}

impl Standing {
    pub(super) fn of(record: &Record<Secret>, until: Timestamp) -> Option<Self> {
        let intent = record.intent.as_ref()?;
        Some(Self { attempt: intent.attempt, intent: intent.id, until })
    }
}

/// When the record is looked at while a caller waits for somebody else's renewal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) at: Timestamp,
    pub(crate) pause: Duration,
}

/// The first pause between two looks, in parts of the claim: 50 ms.
const FIRST_LOOK: u32 = 10;
/// The longest one, in claims: 2 s.
const LAST_LOOK: u32 = 4;
/// The first pause is as long as twice this part of the time for which the intent has stood.
const PATIENCE: u32 = 8;

impl Doubt {
    /// Waits for an intent that stands `since` a while: an old one is looked at less often, so that a
    /// replica that does not show it yet has nobody arm as fast as the store answers.
    pub(super) fn quiet(
        now: Timestamp,
        standing: Standing,
        since: Duration,
        cx: &Context<'_>,
    ) -> Self {
        Self::Quiet { look: look(now, since / PATIENCE, standing, cx), ripe: false, standing }
    }

    pub(super) fn read(now: Timestamp, cx: &mut Context<'_>) -> Self {
        let asked = cx.load(now);
        Self::Reading { again: false, asked, pause: Duration::ZERO, standing: None }
    }

    pub(super) fn verify(
        now: Timestamp,
        claim: Claim,
        cause: Option<CauseOfDeath>,
        cx: &mut Context<'_>,
    ) -> Self {
        let call = Call::Asked(cx.load(now));
        Self::Verifying { call, cause, claim, failures: 0 }
    }

    fn bury(
        now: Timestamp,
        claim: Claim,
        cause: CauseOfDeath,
        failures: u8,
        cx: &mut Context<'_>,
    ) -> Self {
        let Claim { generation, presented: refused, .. } = claim;
        let (key, owner) = (cx.shared.key.clone(), cx.shared.owner);
        let bury = StoreOp::Bury { cause, generation, key, owner, refused };
        let call = Call::Asked(cx.ask(now, bury));
        Self::Burying { call, cause, claim, failures }
    }

    pub(super) fn next(self, now: Timestamp, input: Input, cx: &mut Context<'_>) -> Rotation {
        match (self, input) {
            (Self::Quiet { ripe: true, standing, .. }, Input::Admitted) => {
                Attempt::begin(now, Some(standing), cx)
            }
            (Self::Quiet { standing, look, .. }, Input::Timeout) => ripen(now, standing, look, cx),
            (Self::Quiet { standing, look, .. }, Input::Changed { .. }) => {
                let pause = look.map_or(Duration::ZERO, |it| it.pause);
                Rotation::Doubt(reread(now, standing, pause, cx))
            }
            (Self::Quiet { look: None, ripe: false, standing }, Input::Want) => {
                Rotation::Doubt(Self::quiet(now, standing, Duration::ZERO, cx))
            }
            (Self::Reading { again, asked, pause, standing }, Input::Stored { id, result })
                if id == asked.id =>
            {
                let rotation = read(now, result, pause, standing, cx);
                if again && matches!(rotation, Rotation::Idle) {
                    return Rotation::Doubt(Self::read(now, cx));
                }
                rotation
            }
            (Self::Reading { asked, pause, standing, .. }, Input::Timeout)
                if now >= asked.give_up_at =>
            {
                read(now, Err(StoreFailure::OutcomeUnknown), pause, standing, cx)
            }
            (Self::Reading { asked, pause, standing, .. }, Input::Changed { .. }) => {
                // What is being read may be from before that change.
                Rotation::Doubt(Self::Reading { again: true, asked, pause, standing })
            }
            (Self::Verifying { call, cause, claim, failures }, input) => {
                match step(now, call, input, failures, cx) {
                    Step::Answered(outcome) => verified(now, outcome, cause, claim, cx),
                    Step::Again => {
                        let call = Call::Asked(cx.load(now));
                        Rotation::Doubt(Self::Verifying { call, cause, claim, failures })
                    }
                    Step::Wait(call, failures) => {
                        Rotation::Doubt(Self::Verifying { call, cause, claim, failures })
                    }
                }
            }
            (Self::Burying { call, cause, claim, failures }, input) => {
                match step(now, call, input, failures, cx) {
                    Step::Answered(outcome) => buried(now, outcome, cause, claim, cx),
                    Step::Again => Rotation::Doubt(Self::bury(now, claim, cause, failures, cx)),
                    Step::Wait(call, failures) => {
                        Rotation::Doubt(Self::Burying { call, cause, claim, failures })
                    }
                }
            }
            // An early timeout, or an input that cannot shorten a quiet period.
            (Self::Quiet { .. } | Self::Reading { .. }, _) => Rotation::Doubt(self),
        }
    }

    pub(super) fn timeout(&self) -> Option<Timestamp> {
        match self {
            Self::Burying { call, .. } | Self::Verifying { call, .. } => Some(call.timeout()),
            Self::Quiet { look, ripe: true, .. } => look.map(|it| it.at),
            Self::Quiet { look, ripe: false, standing } => {
                Some(look.map_or(standing.until, |it| it.at.min(standing.until)))
            }
            Self::Reading { asked, .. } => Some(asked.give_up_at),
        }
    }

    /// Tells whether the intent that stands is one of `owner`'s.
    pub(super) fn is_ours(&self, owner: OwnerId) -> bool {
        match self {
            Self::Burying { .. } | Self::Verifying { .. } => true,
            Self::Quiet { standing, .. } => standing.intent.owner == owner,
            Self::Reading { standing, .. } => standing.is_some_and(|it| it.intent.owner == owner),
        }
    }

    /// Tells whether the quiet period is over, so that the intent may be armed over.
    pub(super) const fn is_ripe(&self) -> bool {
        matches!(self, Self::Quiet { ripe: true, .. })
    }
}

/// Decides when to look: only while somebody waits and somebody else can bring the answer.
fn look(now: Timestamp, before: Duration, standing: Standing, cx: &Context<'_>) -> Option<Look> {
    let is_waiting = !Access::of(cx.known.held.as_ref(), now).is_good()
        && cx.known.wanted == Some(super::Wanted::Interactive);
    if !is_waiting || standing.intent.owner == cx.shared.owner {
        return None;
    }
    let claim = cx.shared.margins.claim();
    let pause = (before * 2).clamp(claim / FIRST_LOOK, claim * LAST_LOOK);
    let spread = pause / 2 + pause / 2 * u32::from(cx.jitter()) / u32::from(u16::MAX);
    Some(Look { at: now.after(spread), pause })
}

fn ripen(
    now: Timestamp,
    standing: Standing,
    looking: Option<Look>,
    cx: &mut Context<'_>,
) -> Rotation {
    let is_over = now >= standing.until;
    if is_over && cx.is_single_use() && cx.shared.recovery == Recovery::Never {
        let until = now.after(cx.shared.margins.quiet_after(u32::MAX));
        return Rotation::BackingOff { blame: Blame::Doubt, until };
    }
    match looking {
        Some(it) if !is_over && now >= it.at => {
            Rotation::Doubt(reread(now, standing, it.pause, cx))
        }
        // Whoever may arm over it has no need to look.
        _ if is_over => Rotation::Doubt(Doubt::Quiet { look: None, ripe: true, standing }),
        look => Rotation::Doubt(Doubt::Quiet { look, ripe: false, standing }),
    }
}

fn reread(now: Timestamp, standing: Standing, pause: Duration, cx: &mut Context<'_>) -> Doubt {
    let asked = cx.load(now);
    Doubt::Reading { again: false, asked, pause, standing: Some(standing) }
}

/// The record was read, or could not be.
fn read(
    now: Timestamp,
    result: Result<StoreAnswer<Secret>, StoreFailure>,
    pause: Duration,
    standing: Option<Standing>,
    cx: &mut Context<'_>,
) -> Rotation {
    let quiet_again = |standing, cx: &mut Context<'_>| {
        let look = look(now, pause, standing, cx);
        ripen(now, standing, look, cx)
    };
    let Ok(StoreAnswer { outcome, .. }) = result else {
        return match standing {
            Some(standing) => quiet_again(standing, cx),
            None => cx.back_off(now, Blame::Store, Timestamp::EPOCH),
        };
    };
    if matches!(outcome, StoreOutcome::Missing) {
        cx.known.affairs_mut().news = None;
        return match cx.lose(now) {
            Rotation::Idle => rest(now, cx),
            rotation
            @ (Rotation::Attempt(_) | Rotation::BackingOff { .. } | Rotation::Doubt(_)) => rotation,
        };
    }
    let StoreOutcome::Loaded(record) = outcome else {
        // No answer to a reading: the store's binding is broken.
        return cx.back_off(now, Blame::Store, Timestamp::EPOCH);
    };
    let news = cx.known.affairs().news;
    // A record from before an end that was told since the store went back: a replica lags.
    let is_heard = news.is_some_and(|it| it.is_end_after(record.generation));
    let is_rewound = news.is_some_and(News::is_rewound) && !is_heard;
    if is_rewound && record.generation < cx.generation() {
        cx.known.affairs_mut().news = None;
        return attempt::heal(now, record, cx);
    }
    let stands = record.intent.as_ref().map(|it| it.id);
    let generation = record.generation;
    let taken = cx.take_over(now, record);
    // An end that was told is read for until it is seen.
    cx.known.affairs_mut().news.take_if(|it| !it.is_end_after(generation));
    match standing {
        Some(standing)
            if taken == Taken::Older
                || (taken == Taken::Same && stands == Some(standing.intent)) =>
        {
            quiet_again(standing, cx)
        }
        _ => rest(now, cx),
    }
}

/// Waits before a grant that cannot bring tokens is looked at again, and before an end is looked for
/// that was told and is not there: until a replica has caught up, or the fleet notices that the store
/// was restored to a time before it.
fn rest(now: Timestamp, cx: &Context<'_>) -> Rotation {
    let repeatable = cx.known.missing && !cx.is_single_use();
    let is_told = cx.known.affairs().news.is_some();
    if !is_told && (repeatable || (cx.known.health.may_present() && !cx.known.missing)) {
        return Rotation::Idle;
    }
    let until = now.after(cx.shared.margins.pause_after(4, u16::MAX));
    Rotation::BackingOff { blame: Blame::Store, until }
}

enum Step {
    /// The pause is over: ask again.
    Again,
    Answered(StoreOutcome<Secret>),
    Wait(Call, u8),
}

/// Repeats an operation until the store answers.
fn step(now: Timestamp, call: Call, input: Input, failures: u8, cx: &Context<'_>) -> Step {
    let failed = || {
        let failures = failures.saturating_add(1);
        let until = now.after(cx.shared.margins.pause_after(failures, cx.jitter()));
        Step::Wait(Call::Pausing { until }, failures)
    };
    match (call, input) {
        (Call::Asked(asked), Input::Stored { id, result }) if id == asked.id => {
            result.map_or_else(|_| failed(), |answer| Step::Answered(answer.outcome))
        }
        (Call::Asked(asked), Input::Timeout) if now >= asked.give_up_at => failed(),
        (Call::Pausing { until }, Input::Timeout) if now >= until => Step::Again,
        // An early timeout, or news that the answer will bring by itself.
        (call, _) => Step::Wait(call, failures),
    }
}

/// The server refused the refresh token, and the record was read since.
fn verified(
    now: Timestamp,
    outcome: StoreOutcome<Secret>,
    cause: Option<CauseOfDeath>,
    claim: Claim,
    cx: &mut Context<'_>,
) -> Rotation {
    if matches!(outcome, StoreOutcome::Missing) {
        return cx.forget();
    }
    let StoreOutcome::Loaded(record) = outcome else {
        // No answer to a reading: the store's binding is broken, and the intent stands.
        return cx.back_off(now, Blame::Store, claim.quiet_until);
    };
    // The generation alone does not tell: a record that was made anew counts from the beginning.
    let is_same = record.generation == claim.generation
        && fingerprint(record.refresh.as_ref()) == claim.presented;
    if is_same && let Some(sibling) = record.sibling {
        return attempt::promote(now, sibling, claim, cx);
    }
    let moved = record.generation >= claim.generation && !is_same;
    cx.take_over(now, record);
    if moved {
        return Rotation::Idle;
    }
    if cause.is_none()
        && !cx.shared.believing
        && let Some(kept) = attempt::keep(now, claim, cx)
    {
        return kept;
    }
    let cause = cause.unwrap_or_else(|| cause_of_death(now, claim, cx));
    Rotation::Doubt(Doubt::bury(now, claim, cause, 0, cx))
}

fn cause_of_death(now: Timestamp, claim: Claim, cx: &Context<'_>) -> CauseOfDeath {
    let token = cx.known.held.as_ref().and_then(|it| it.refresh());
    if token.is_some_and(|it| now >= it.ends_at) {
        return CauseOfDeath::Expired;
    }
    if claim.attempt > 1 { CauseOfDeath::LostInRotation } else { CauseOfDeath::RefusedByServer }
}

fn buried(
    now: Timestamp,
    outcome: StoreOutcome<Secret>,
    cause: CauseOfDeath,
    claim: Claim,
    cx: &mut Context<'_>,
) -> Rotation {
    match outcome {
        StoreOutcome::Done(Record { sibling: Some(sibling), .. }) => {
            attempt::promote(now, sibling, claim, cx)
        }
        StoreOutcome::Done(record) => {
            let generation = claim.generation;
            let died = record.generation == generation && record.health == Health::Dead(cause);
            cx.take(now, record);
            if died {
                cx.tell(Event::Died { cause, generation });
            }
            Rotation::Idle
        }
        StoreOutcome::Moved(record) | StoreOutcome::Ended(record) => {
            cx.take_over(now, record);
            Rotation::Idle
        }
        StoreOutcome::Missing => cx.forget(),
        // No answer to a verdict: the store's binding is broken, and the intent stands.
        StoreOutcome::Armed(_)
        | StoreOutcome::Busy { .. }
        | StoreOutcome::Due(_)
        | StoreOutcome::Loaded(_)
        | StoreOutcome::NotDue { .. }
        | StoreOutcome::Pulse(_) => cx.back_off(now, Blame::Store, claim.quiet_until),
    }
}
