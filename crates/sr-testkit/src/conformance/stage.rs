//! The stage: makes a store for each scene and keeps what was found.

use sr_auth_core::store::StoreIdentity;
use sr_auth_store::Durability;

use super::Suite;
use super::bench::{Bench, Step, Stop};
use super::kind::Kind;
use super::report::{Report, Violation};
use super::rule::Rule;
use super::subject::{Subject, TrialError};

/// Where scenes are played; `M` makes their stores.
#[derive(Debug)]
pub(super) struct Stage<'a, M> {
    identities: Vec<StoreIdentity>,
    make: &'a M,
    report: Report,
    suite: &'a Suite,
}

impl<'a, S: Subject, M: AsyncFn() -> Result<S, TrialError>> Stage<'a, M> {
    pub(super) fn new(suite: &'a Suite, make: &'a M) -> Self {
        Self { identities: Vec::new(), make, report: Report::default(), suite }
    }

    pub(super) const fn suite(&self) -> &'a Suite {
        self.suite
    }

    pub(super) const fn report(&mut self) -> &mut Report {
        &mut self.report
    }

    pub(super) fn into_report(self) -> Report {
        self.report
    }

    /// Whether the backend promises to keep what it answered.
    pub(super) async fn is_durable(&self) -> Result<bool, TrialError> {
        let backend = (self.make)().await?.connect().await?;
        Ok(backend.durability() == Durability::Durable)
    }

    /// Plays a scene in a store of its own.
    pub(super) async fn play<K: Kind>(
        &mut self,
        scene: &'static str,
        play: impl AsyncFnOnce(&mut Bench<S, K>) -> Step<()>,
    ) -> Result<(), TrialError> {
        let outcome = self.try_to_play(scene, play).await;
        self.note(outcome)
    }

    /// The same, with the verdict for the caller.
    pub(super) async fn try_to_play<K: Kind>(
        &mut self,
        scene: &'static str,
        play: impl AsyncFnOnce(&mut Bench<S, K>) -> Step<()>,
    ) -> Step<()> {
        let subject = (self.make)().await?;
        let (connections, patience) = (self.suite.connections, self.suite.patience);
        let mut bench = Bench::open(subject, scene, connections, patience).await?;
        let outcome = play(&mut bench).await;
        let identity = bench.identity();
        self.report.absorb(bench.seen());
        outcome?;
        // Once is enough to say it.
        if self.identities.contains(&identity) && !self.report.breaks(Rule::StoreNamed) {
            let saw = format!("{identity:?} for two stores");
            self.report.add(Violation::new(Rule::StoreNamed, scene, saw));
        }
        self.identities.push(identity);
        Ok(())
    }

    /// Plays a scene with restarts, if the backend promises to outlive them.
    pub(super) async fn play_restarts<K: Kind>(
        &mut self,
        scene: &'static str,
        play: impl AsyncFnOnce(&mut Bench<S, K>) -> Step<()>,
    ) -> Result<(), TrialError> {
        let mut promised = true;
        let story = async |bench: &mut Bench<S, K>| {
            promised = bench.is_durable();
            if promised { play(bench).await } else { Ok(()) }
        };
        self.play(scene, story).await?;
        if !promised {
            self.report.leave_out("restarts: the backend promises no durability");
        }
        Ok(())
    }

    /// Keeps what was found; the author's own failures end the run.
    pub(super) fn note(&mut self, outcome: Step<()>) -> Result<(), TrialError> {
        match outcome {
            Ok(()) => Ok(()),
            Err(Stop::Trial(error)) => Err(error),
            Err(Stop::Violation(violation)) => {
                self.report.add(violation);
                Ok(())
            }
        }
    }
}
