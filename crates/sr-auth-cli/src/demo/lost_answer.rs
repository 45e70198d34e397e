//! Steps with a refresh whose answer is lost: what can be saved, and what is said when it cannot.

use std::time::Duration;

use sr_auth_core::lifecycle::Event;
use sr_auth_core::store::{CauseOfDeath, GrantKey, Health, Record, StoreOp, StoreOutcome};
use sr_auth_core::{Fingerprint, FingerprintKey, Secret};
use sr_auth_http::{Clock, Events, News, TokenSource, TokenSources, entropy};
use sr_auth_store::Store;
use sr_testkit::{Effect, Fault, Target};

use super::consent::{Decision, round_trip};
use super::report::Report;
use super::stage::Stage;
use crate::exit::{Exit, Failure};

/// When every access token of 1799 s wants to be renewed, and none has ended.
const UNTIL_DUE: Duration = Duration::from_secs(1_380);
/// Within the quiet period of 135 s.
const A_MINUTE: Duration = Duration::from_secs(60);
/// What is left of it, and a second.
const QUIET_IS_OVER: Duration = Duration::from_secs(76);
/// Longer than the rest of the access token.
const UNTIL_ENDED: Duration = Duration::from_secs(300);
/// How long anything may take by the clock on the wall.
const WITHIN: Duration = Duration::from_secs(10);

/// A user's grant that an application keeps, and a clock that the demo moves.
struct Kept {
    clock: Clock,
    events: Events,
    key: GrantKey,
    sources: TokenSources,
    store: Store,
}

pub(super) async fn lost(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    report.step("A lost answer: service goes on, and what is lost is said plainly")?;
    let Some(mut kept) = Kept::begin(stage, report, "refused").await? else { return Ok(()) };
    let first = kept.lose_answer(stage, report).await?;
    report.say("The quiet period is over: the token is presented once more. It was spent.")?;
    kept.advance(stage, QUIET_IS_OVER);
    let event = kept.event(|it| matches!(it, Event::Died { .. } | Event::Rotated { .. })).await?;
    report.show(&stage.log)?;
    let lost = CauseOfDeath::LostInRotation;
    let right = matches!(event, Event::Died { cause, .. } if cause == lost);
    report.check(right, "the cause is recorded: lost in rotation, not revoked by anybody")?;
    let record = kept.record().await?;
    let buried = record.is_some_and(|it| it.health == Health::Dead(lost));
    report.check(buried, "it is in the store, for every process and for `sr-auth status`")?;
    let now = kept.source().authorization().await;
    let same = now.is_ok_and(|it| it.fingerprint() == first);
    report.check(same, "the old access token is served all the same, to its end")?;
    let before = stage.token_requests();
    report.say("The access token ends.")?;
    kept.advance(stage, UNTIL_ENDED);
    let outcome = kept.source().authorization().await;
    report.check(outcome.is_err(), "from now on a person has to consent again, and is told so")?;
    if let Err(error) = outcome {
        report.told(&error.into())?;
    }
    report.check(stage.token_requests() == before, "the dead token is not presented any more")?;
    kept.sources.shutdown().await;
    Ok(())
}

pub(super) async fn survived(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    report.step(
        "The same at a server that takes a spent refresh token for a while: nothing is lost",
    )?;
    let Some(mut kept) = Kept::begin(stage, report, "grace:300").await? else { return Ok(()) };
    let first = kept.lose_answer(stage, report).await?;
    report.say("The quiet period is over: the token is presented once more, and taken.")?;
    kept.advance(stage, QUIET_IS_OVER);
    let event = kept.event(|it| matches!(it, Event::Died { .. } | Event::Rotated { .. })).await?;
    report.show(&stage.log)?;
    let rotated = matches!(event, Event::Rotated { .. });
    report.check(rotated, "new tokens came, and were stored before anybody was told")?;
    let differs = kept.serves_another_than(first).await;
    report.check(differs, "the next access token is served, and nobody has noticed")?;
    let me = stage.api(kept.source()).get("/users/me").await;
    report.show(&stage.log)?;
    report.obtained(me, "it works")?;
    kept.sources.shutdown().await;
    Ok(())
}

impl Kept {
    /// Has a user consent, and stores the grant.
    async fn begin(
        stage: &Stage,
        report: &mut Report,
        spent: &str,
    ) -> Result<Option<Self>, Failure> {
        let switch = format!("spent_refresh_token={spent}");
        let known = stage.sandbox.with(|it| it.switches_mut().set(&switch));
        report.check(known.is_ok(), &format!("the sandbox is set to {switch}"))?;
        let trip = round_trip(stage, report, Decision::Authorize, false).await?;
        let client = trip.settings.client().clone();
        let grant = trip.pending.accept(&trip.settings, &trip.callback, trip.received_at)?;
        let tokens = stage.tokens(&client)?.authorization_code(grant).await;
        // It was shown before.
        let _consent = stage.log.take();
        let Some(tokens) = report.obtained(tokens, "a user has consented once more")? else {
            return Ok(None);
        };
        let clock = Clock::manual(stage.clock.now());
        let of_store = clock.clone();
        let store = Store::in_memory_with_clock(move || of_store.now())?.accept_volatile();
        let mut random = [0; 32];
        random.iter_mut().zip(entropy()?).for_each(|(kept, byte)| *kept = byte);
        let fingerprints = FingerprintKey::new(random);
        let sources = TokenSources::authorization_code(client)
            .clock(clock.clone())
            .endpoints(stage.endpoints.clone())
            .store(store.clone(), fingerprints)
            .transport(stage.transport())
            .build()?;
        let (events, key) = (sources.events(), GrantKey::new("demo")?);
        let kept = Self { clock, events, key, sources, store };
        let stored = kept.source().adopt(&tokens).await;
        let stored = report.obtained(stored, "the application keeps the grant in its store")?;
        Ok(stored.map(|()| kept))
    }

    /// Loses the answer to a renewal, and shows that nobody who calls notices; returns the
    /// fingerprint of the access token that is served.
    async fn lose_answer(
        &mut self,
        stage: &Stage,
        report: &mut Report,
    ) -> Result<Option<Fingerprint>, Failure> {
        let first = self.source().authorization().await?.fingerprint();
        report.say("23 minutes later a renewal is due. The server rotates; its answer is lost.")?;
        self.advance(stage, UNTIL_DUE);
        stage.sandbox.with(|it| it.inject(Fault::new(Target::Token, Effect::LostAfter)));
        let before = stage.token_requests();
        let served = self.source().authorization().await;
        let event = self.event(|it| matches!(it, Event::InDoubt { .. })).await?;
        report.show(&stage.log)?;
        let in_doubt = matches!(event, Event::InDoubt { .. });
        report.check(in_doubt, "the application knows that it does not know what happened")?;
        let same = served.is_ok_and(|it| it.fingerprint() == first);
        report.check(same, "who calls meanwhile is served with the old access token")?;
        let me = stage.api(self.source()).get("/users/me").await;
        report.show(&stage.log)?;
        report.obtained(me, "it works")?;
        let intent = self.record().await?.and_then(|it| it.intent);
        let quiet = intent.map(|it| it.quiet.as_secs()).unwrap_or_default();
        let sentence = format!("the store says that for {quiet} s nobody presents the token again");
        report.check(quiet == 135, &sentence)?;
        self.advance(stage, A_MINUTE);
        let me = stage.api(self.source()).get("/users/me").await;
        report.show(&stage.log)?;
        report.obtained(me, "a minute later calls go on to work")?;
        let asked = stage.token_requests() - before;
        report.check(asked == 1, &format!("the server counts {asked} presentation"))?;
        Ok(first)
    }

    fn source(&self) -> TokenSource {
        self.sources.source(&self.key)
    }

    /// Waits until another access token is served; tells whether one is.
    async fn serves_another_than(&self, first: Option<Fingerprint>) -> bool {
        let source = self.source();
        let waiting = async {
            while source.ready().is_none_or(|it| it.fingerprint() == first) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(WITHIN, waiting).await.is_ok()
    }

    /// Moves both clocks.
    fn advance(&self, stage: &Stage, span: Duration) {
        stage.sandbox.advance(span);
        self.clock.advance(span);
    }

    /// Waits for something that happens to the grant.
    async fn event(&mut self, is: impl Fn(&Event) -> bool) -> Result<Event, Failure> {
        let waiting = async {
            loop {
                match self.events.next().await {
                    Some(News::Grant { event, .. }) if is(&event) => return Some(event),
                    Some(News::Fleet(_) | News::Grant { .. }) => {}
                    None => return None,
                }
            }
        };
        let event = tokio::time::timeout(WITHIN, waiting).await.ok().flatten();
        event.ok_or_else(|| {
            let what = "the renewal did not come to its end in time";
            Failure::new(Exit::Failed, "sr_auth::demo", what, "start the demo again")
        })
    }

    async fn record(&self) -> Result<Option<Record<Secret>>, Failure> {
        let answer = self.store.apply(StoreOp::Load { key: self.key.clone() }).await?;
        let StoreOutcome::Loaded(record) = answer.outcome else { return Ok(None) };
        Ok(Some(record))
    }
}
