//! Which company the new credentials open: a call that names it, or the owner is asked.

use sr_auth_core::{AccessToken, GrantError, SecretBytes, Timestamp, TransmitId};

use super::settings::Probed;
use super::store_step::Step;
use super::{AskedFor, ExchangeError, Input, IntegrationExchange, State, Unverified, Verification};
use crate::store::Verified;

/// The call, under way or to be made again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Probing {
    Pausing { tries: u32, retry_at: Timestamp },
    Waiting { id: TransmitId, give_up_at: Timestamp, tries: u32 },
}

impl IntegrationExchange {
    pub(super) fn verify(&mut self, now: Timestamp) -> State {
        match self.held.settings.verification {
            Verification::Owner => self.await_owner(Unverified::NoProbe),
            Verification::Probe(_) => self.ask(now, AskedFor::Customer),
        }
    }

    pub(super) fn customer_token(
        &mut self,
        now: Timestamp,
        result: Result<AccessToken, GrantError>,
    ) -> State {
        match result {
            Ok(token) => {
                self.held.customer = Some(token);
                self.probe(now, 1)
            }
            Err(_) => self.await_owner(Unverified::NoToken),
        }
    }

    fn probe(&mut self, now: Timestamp, tries: u32) -> State {
        let spans = self.held.settings.spans;
        let not_after = now.after(spans.write);
        match self.held.probe(not_after) {
            Some(id) => State::Probing(Probing::Waiting {
                id,
                give_up_at: not_after.after(spans.probe),
                tries,
            }),
            None => self.await_owner(Unverified::NoProbe),
        }
    }

    pub(super) fn probing(&mut self, now: Timestamp, probing: Probing, input: Input) -> State {
        match (probing, input) {
            (Probing::Waiting { id, tries, .. }, Input::Response { id: of, response })
                if id == of =>
            {
                self.probed(now, tries, &response)
            }
            (Probing::Waiting { id, tries, .. }, Input::TransportFailed { id: of, .. })
                if id == of =>
            {
                self.probe_failed(now, tries)
            }
            (Probing::Waiting { give_up_at, tries, .. }, Input::Timeout) if now >= give_up_at => {
                self.probe_failed(now, tries)
            }
            (Probing::Pausing { tries, retry_at }, Input::Timeout) if now >= retry_at => {
                self.probe(now, tries + 1)
            }
            // An early timeout, or an answer to a call that was given up.
            (unchanged, _) => State::Probing(unchanged),
        }
    }

    fn probe_failed(&mut self, now: Timestamp, tries: u32) -> State {
        let spans = self.held.settings.spans;
        if tries >= spans.probes {
            return self.await_owner(Unverified::NoAnswer);
        }
        State::Probing(Probing::Pausing { tries, retry_at: now.after(spans.pause) })
    }

    fn probed(
        &mut self,
        now: Timestamp,
        tries: u32,
        response: &http::Response<SecretBytes>,
    ) -> State {
        match self.held.read_probe(response) {
            Probed::Company => self.store(now, Step::Activate(Verified::ByProbe)),
            Probed::Later => self.probe_failed(now, tries),
            Probed::OtherCompany => self.store(now, Step::Void(ExchangeError::OtherCompany)),
            Probed::Refused => self.await_owner(Unverified::Refused),
            Probed::Unreadable => self.await_owner(Unverified::Unreadable),
        }
    }
}
