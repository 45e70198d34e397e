//! Between the grants and the token endpoints: who may begin a renewal now.

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZeroU32;
use std::time::Duration;

use super::admission::Admission;
use super::breaker::{Breaker, Finding, Pace, Reply};
use super::evidence::Evidence;
use super::message::{ApplicationId, FleetEvent};
use super::settings::Settings;
use crate::Timestamp;
use crate::lifecycle::{Application, Wanted};
use crate::store::Renewal;

/// All applications and their token endpoints.
#[derive(Debug, Default)]
pub(super) struct Gates {
    applications: Vec<Client>,
    endpoints: Vec<Endpoint>,
    notices: VecDeque<FleetEvent>,
    /// Applications of which some grants stand aside.
    parked: BTreeSet<ApplicationId>,
}

#[derive(Debug)]
struct Client {
    application: Application,
    breaker: Breaker,
    endpoint: usize,
    /// How its grants get their tokens, as long as no record says it.
    renewal: Renewal,
}

#[derive(Debug)]
struct Endpoint {
    admission: Admission,
    breaker: Breaker,
}

/// What lets one grant of an application go: its place in flight, and the breakers that watch it
/// alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    probes_application: bool,
    probes_endpoint: bool,
}

impl Gates {
    /// Takes in an application. Those with the same token endpoint share its budget.
    pub(super) fn register(
        &mut self,
        now: Timestamp,
        application: Application,
        renewal: Renewal,
        settings: &Settings,
    ) -> ApplicationId {
        let margins = settings.lifecycle().margins();
        let same = |it: &Client| it.application.endpoint() == application.endpoint();
        let known = self.applications.iter().find(|it| same(it)).map(|it| it.endpoint);
        let endpoint = known.unwrap_or_else(|| {
            let admission = Admission::new(now, settings.budget);
            let breaker = Breaker::new(Pace::of_endpoint(margins));
            self.endpoints.push(Endpoint { admission, breaker });
            self.endpoints.len() - 1
        });
        let id = u32::try_from(self.applications.len()).unwrap_or(u32::MAX);
        let breaker = Breaker::new(Pace::of_application(margins));
        let client = Client { application, breaker, endpoint, renewal };
        self.applications.push(client);
        ApplicationId(id)
    }

    /// Gives an application new credentials for the endpoint that it has.
    pub(super) fn replace(&mut self, id: ApplicationId, new: &Application) {
        if let Some(client) = self.applications.get_mut(id.place()) {
            client.application = new.at(client.application.endpoint().clone());
            client.breaker.reset();
        }
    }

    /// Forgets what stopped anything.
    pub(super) fn resume(&mut self) {
        self.applications.iter_mut().for_each(|it| it.breaker.reset());
        self.endpoints.iter_mut().for_each(|it| it.breaker.reset());
    }

    pub(super) fn application(&self, id: ApplicationId) -> Option<&Application> {
        self.client(id).map(|it| &it.application)
    }

    pub(super) fn renewal(&self, id: ApplicationId) -> Option<Renewal> {
        self.client(id).map(|it| it.renewal)
    }

    /// Returns the application, if there is one alone.
    pub(super) fn only(&self) -> Option<ApplicationId> {
        (self.applications.len() == 1).then_some(ApplicationId(0))
    }

    /// Has a grant wait for its turn, or not.
    pub(super) fn queue(&mut self, slot: u32, application: ApplicationId, wanted: Option<Wanted>) {
        let endpoint = self.client(application).map(|it| it.endpoint);
        let endpoint = endpoint.and_then(|it| self.endpoints.get_mut(it));
        match (endpoint, wanted) {
            (Some(endpoint), Some(wanted)) => endpoint.admission.enter(slot, wanted),
            (Some(endpoint), None) => endpoint.admission.leave(slot),
            (None, _) => {}
        }
    }

    /// Returns the next grant that may begin; `whose` tells the application of a slot.
    pub(super) fn next(
        &mut self,
        now: Timestamp,
        whose: impl Fn(u32) -> Option<ApplicationId>,
    ) -> Option<(u32, Pass)> {
        self.release(now, &whose);
        for endpoint in &mut self.endpoints {
            while endpoint.breaker.would_pass(now) {
                let Some(turn) = endpoint.admission.next(now) else { break };
                let slot = turn.slot();
                let application = whose(slot).unwrap_or_default();
                let client = self.applications.get_mut(application.place());
                let Some(client) = client else { break };
                if !client.breaker.would_pass(now) {
                    self.parked.insert(application);
                    endpoint.admission.park(turn);
                    continue;
                }
                endpoint.admission.admit(turn);
                let pass = Pass {
                    probes_application: client.breaker.ask(now) == Reply::Probe,
                    probes_endpoint: endpoint.breaker.ask(now) == Reply::Probe,
                };
                return Some((slot, pass));
            }
        }
        None
    }

    /// Lets the grants wait again whose application may be asked again.
    fn release(&mut self, now: Timestamp, whose: impl Fn(u32) -> Option<ApplicationId>) {
        let Self { applications, endpoints, parked, .. } = self;
        parked.retain(|id| {
            let Some(client) = applications.get_mut(id.place()) else { return false };
            if !client.breaker.would_pass(now) {
                return true;
            }
            if let Some(endpoint) = endpoints.get_mut(client.endpoint) {
                endpoint.admission.release(usize::MAX, |slot| whose(slot) == Some(*id));
            }
            false
        });
    }

    /// Takes in what a presentation taught.
    pub(super) fn report(
        &mut self,
        now: Timestamp,
        id: ApplicationId,
        pass: Pass,
        evidence: Evidence,
    ) {
        let Some(client) = self.applications.get_mut(id.place()) else { return };
        let Some(endpoint) = self.endpoints.get_mut(client.endpoint) else { return };
        if let Some(span) = evidence.close {
            endpoint.admission.close(now, span);
        }
        if let Some(change) =
            told(now, &mut client.breaker, evidence.application, pass.probes_application)
        {
            self.notices.push_back(match change {
                Some(retry_at) => FleetEvent::ApplicationStopped { application: id, retry_at },
                None => FleetEvent::ApplicationResumed { application: id },
            });
        }
        if let Some(change) =
            told(now, &mut endpoint.breaker, evidence.endpoint, pass.probes_endpoint)
        {
            let endpoint = client.application.endpoint().clone();
            self.notices.push_back(match change {
                Some(retry_at) => FleetEvent::EndpointStopped { endpoint, retry_at },
                None => FleetEvent::EndpointResumed { endpoint },
            });
        }
    }

    /// Notes that a presentation is over, whether its request left or not.
    pub(super) fn finished(
        &mut self,
        now: Timestamp,
        id: ApplicationId,
        pass: Pass,
        has_sent: bool,
    ) {
        if !has_sent {
            // Nothing was learnt; a probe must not be awaited.
            let nothing = Evidence {
                application: Finding::Lost,
                close: None,
                endpoint: Finding::Lost,
                is_refused: false,
            };
            self.report(now, id, pass, nothing);
        }
        let endpoint = self.client(id).map(|it| it.endpoint);
        if let Some(endpoint) = endpoint.and_then(|it| self.endpoints.get_mut(it)) {
            endpoint.admission.finished(has_sent);
        }
    }

    /// Lets nobody go to an application's endpoint for a while.
    pub(super) fn close(&mut self, now: Timestamp, id: ApplicationId, span: Duration) {
        let endpoint = self.client(id).map(|it| it.endpoint);
        if let Some(endpoint) = endpoint.and_then(|it| self.endpoints.get_mut(it)) {
            endpoint.admission.close(now, span);
        }
    }

    /// Divides each budget by so many processes.
    pub(super) fn share(&mut self, now: Timestamp, processes: NonZeroU32) {
        self.endpoints.iter_mut().for_each(|it| it.admission.share(now, processes));
    }

    /// Lets go one at a time and only what cannot wait, or everything again.
    pub(super) fn be_careful(&mut self, is_careful: bool) {
        self.endpoints.iter_mut().for_each(|it| it.admission.be_careful(is_careful));
    }

    pub(super) fn poll_notice(&mut self) -> Option<FleetEvent> {
        self.notices.pop_front()
    }

    /// Returns when a grant may begin that may not now.
    pub(super) fn timeout(&self) -> Option<Timestamp> {
        let turns = self.endpoints.iter().filter_map(|it| {
            let at = it.admission.next_at()?;
            Some(it.breaker.retry_at().map_or(at, |pause| pause.max(at)))
        });
        let parked = self.parked.iter().filter_map(|id| self.client(*id));
        turns.chain(parked.filter_map(|it| it.breaker.retry_at())).min()
    }

    fn client(&self, id: ApplicationId) -> Option<&Client> {
        self.applications.get(id.place())
    }
}

/// Tells a breaker what was found. `Some` when it has stopped, with the moment of the next probe, or
/// lets all pass again.
fn told(
    now: Timestamp,
    breaker: &mut Breaker,
    finding: Finding,
    is_probe: bool,
) -> Option<Option<Timestamp>> {
    let before = breaker.is_passing();
    // Whoever was on the way before cannot lose the probe of another.
    if finding != Finding::Lost || is_probe {
        breaker.report(now, finding);
    }
    (before != breaker.is_passing()).then(|| breaker.retry_at())
}
