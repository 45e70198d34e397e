//! The resource server: which endpoints there are, and the checks before each.

mod content;
mod creation;
mod route;

use http::{Request, Response, StatusCode};
use sr_auth_core::{SecretBytes, Timestamp};

use super::Simulator;
use super::access::{Caller, CompanyCaller, Identified, Unidentified};
use super::answer::{self, Handled};
use super::fingerprint::lookup;
use super::rate_limit::{Budget, Limit};
pub(super) use route::listing;
use route::{Action, Endpoint, Found, Needs};

impl Simulator {
    pub(super) fn resource(&mut self, now: Timestamp, request: &Request<SecretBytes>) -> Handled {
        let untouched = Budget::untouched(Limit::USUAL);
        let (endpoint, parameter) = match route::find(request.method(), request.uri().path()) {
            Found::Endpoint { endpoint, parameter } => (endpoint, parameter),
            Found::Nothing => {
                let response = answer::message(StatusCode::NOT_FOUND, "Not found");
                return with_budget(Handled::new(response).because("no such path"), untouched);
            }
            Found::OtherMethods(allow) => {
                let response = answer::method_not_allowed(&allow);
                return with_budget(Handled::new(response).because("no such method"), untouched);
            }
        };
        if let Needs::Nothing = endpoint.needs {
            let budget = lookup("nobody");
            return self.within_budget(now, endpoint, budget, |simulator| {
                Handled::new(simulator.postings(parameter, request))
            });
        }
        let identified = match self.identify(now, request) {
            Ok(identified) => identified,
            Err(why) => return with_budget(self.nobody(why), Budget::untouched(endpoint.limit)),
        };
        let credential = Some(identified.fingerprint);
        let Identified { budget, caller, .. } = identified;
        let handled = self.within_budget(now, endpoint, budget, |simulator| {
            simulator.admitted(now, endpoint, parameter, &caller, request)
        });
        handled.by(credential)
    }

    pub(super) fn nobody(&self, why: Unidentified) -> Handled {
        let handled = Handled::new(self.unidentified(why));
        match why {
            Unidentified::Invalid { fingerprint, reason } => {
                handled.because(reason).by(Some(fingerprint))
            }
            Unidentified::Missing => handled.because("no credential"),
            Unidentified::Unclear(reason) => handled.because(reason),
        }
    }

    /// Counts the request, and answers it unless it is one too many.
    fn within_budget(
        &mut self,
        now: Timestamp,
        endpoint: &'static Endpoint,
        budget: [u8; 32],
        answer: impl FnOnce(&mut Self) -> Handled,
    ) -> Handled {
        match self.limits.take(now, (budget, endpoint.name), endpoint.limit) {
            Ok((budget, slot)) => {
                let handled = answer(self);
                with_budget(Handled { slot, ..handled }, budget)
            }
            Err(budget) => with_budget(self.throttled("too many requests"), budget),
        }
    }

    /// Judges what the caller may do, then does it.
    fn admitted(
        &mut self,
        now: Timestamp,
        endpoint: &Endpoint,
        parameter: &str,
        caller: &Caller,
        request: &Request<SecretBytes>,
    ) -> Handled {
        let (caller, any_of, role) = match (endpoint.needs, caller) {
            (Needs::Company { any_of, role }, Caller::Company(caller)) => (caller, any_of, role),
            (Needs::PartnerKey, Caller::Partner) => return Handled::new(self.feed(request)),
            (Needs::Nothing, _) => return Handled::new(self.postings(parameter, request)),
            (Needs::PartnerKey, Caller::Company(_) | Caller::Master(_))
            | (Needs::Company { .. }, Caller::Master(_) | Caller::Partner) => {
                let response = answer::message(StatusCode::FORBIDDEN, "Access denied");
                return Handled::new(response).because("the wrong kind of credential");
            }
        };
        let api_access = self.world.company(&caller.company).is_some_and(|it| it.api_access);
        let shape = self.switches.missing_scope;
        if let Some((response, reason)) = caller.refusal(api_access, any_of, role, shape) {
            return Handled::new(response).because(reason);
        }
        Handled::new(self.content(now, endpoint.action, parameter, caller, request))
    }

    fn content(
        &mut self,
        now: Timestamp,
        action: Action,
        parameter: &str,
        caller: &CompanyCaller,
        request: &Request<SecretBytes>,
    ) -> Response<SecretBytes> {
        match action {
            Action::CreateCandidate => self.create_candidate(caller, request),
            Action::CreateJob => self.create_job(now, caller, request),
            Action::ListAuditEvents => self.audit_events(caller, request),
            Action::ListCandidates => self.candidates(caller, request),
            Action::ListFeed => self.feed(request),
            Action::ListJobs => self.jobs(caller, request),
            Action::ListPostings => self.postings(parameter, request),
            Action::ListUsers => self.users(caller, request),
            Action::Publish => self.publish(caller, parameter, true),
            Action::ShowCompany => self.company(caller),
            Action::ShowJob => self.job(caller, parameter),
            Action::ShowMe => self.me(caller),
            Action::Unpublish => self.publish(caller, parameter, false),
        }
    }
}

fn with_budget(mut handled: Handled, budget: Budget) -> Handled {
    budget.write_to(handled.response.headers_mut());
    handled
}
