//! What must be so at the end of a run: all trouble is over, and nothing stands still.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sr_auth_core::lifecycle::{Availability, Cause, Input, StoreOpId};
use sr_auth_core::store::{StoreAnswer, StoreOutcome};
use sr_auth_core::{Machine as _, TransmitId, TransportFailure};

use crate::chaos::{Fate, Reply};
use crate::endpoint::{answer, response};
use crate::stage::{Judged, Stage, key, named};

impl Stage {
    /// Ends all trouble, and waits until everybody knows what is what: a caller gets a token or the
    /// reason why nobody will, and whatever was received is durable.
    pub(crate) fn comes_to_rest(&mut self) -> Judged {
        self.fates = vec![Fate::Answered].into_iter().cycle();
        let begin = self.clock;
        // Only the newest request is answered: those before it were given up.
        self.requests.drain(..self.requests.len().saturating_sub(1));
        for _ in 0..1_000 {
            self.handle(Input::Want)?;
            if self.is_settled() {
                let days = self.clock.since(begin).as_secs() / 86_400;
                prop_assert!(days < 2, "after {days} days");
                return Ok(());
            }
            match self.requests.first() {
                Some(request) => {
                    let stored = self.store.record(&key()).and_then(|it| it.refresh.as_ref());
                    let is_good = request.token == stored.map(|it| it.fingerprint);
                    let rotated = Reply::Rotated { twice: false };
                    self.request(0, if is_good { rotated } else { Reply::InvalidGrant })?;
                }
                None => {
                    let due = self.lifecycle.poll_timeout().unwrap_or_else(|| self.now());
                    self.pass(due.since(self.now()).max(Duration::from_millis(1)))?;
                }
            }
        }
        Err(TestCaseError::fail(format!("no rest: {:?}", self.view())))
    }

    fn is_settled(&self) -> bool {
        let is_told = match self.lifecycle.availability(self.now()) {
            Availability::Failed(failure) => !matches!(failure.cause(), Cause::Renewal(_)),
            Availability::Pending { .. } => false,
            Availability::Ready(_) => true,
        };
        is_told && self.truth.unpaid().next().is_none()
    }

    /// Input that no longer matters changes nothing: an answer that was given before or that nobody
    /// asked for, a time-out before its time, a rejection of a token that is not in use.
    pub(crate) fn ignores_stale_input(&mut self) -> Judged {
        self.handle(Input::Timeout)?;
        let now = self.now();
        if self.lifecycle.poll_timeout().is_some_and(|due| due <= now) {
            return Ok(());
        }
        let unheard_of = (0..9_999).fold(TransmitId::FIRST, |id, _| id.next());
        let success = r#"{"access_token":"a","refresh_token":"r"}"#;
        let mut stale = vec![
            Input::Admitted,
            Input::Rejected { fingerprint: named("somebody else's") },
            Input::Timeout,
            Input::TransportFailed {
                failure: TransportFailure::AfterSend,
                id: unheard_of,
                received: Some(answer(200, success)),
            },
            response(unheard_of, 200, success),
            response(unheard_of, 400, r#"{"error":"invalid_grant"}"#),
        ];
        if let Some((id, answer)) = self.answered.clone() {
            stale.push(Input::Stored { id, result: Ok(answer.clone()) });
            let other = StoreOpId(u32::MAX);
            stale.push(Input::Stored { id: other, result: Ok(answer.clone()) });
            let answer = StoreAnswer { outcome: StoreOutcome::Missing, ..answer };
            stale.push(Input::Stored { id, result: Ok(answer) });
        }
        let before = format!("{:?}", self.lifecycle);
        for input in stale {
            let name = format!("{input:?}");
            let mut copy = self.lifecycle.clone();
            copy.handle_input(now, input);
            prop_assert!(copy.poll_output().is_none(), "{name} led to something");
            prop_assert_eq!(copy.view(now), self.view(), "{} changed the view", &name);
            prop_assert_eq!(format!("{copy:?}"), before.clone(), "{} changed something", &name);
        }
        Ok(())
    }
}
