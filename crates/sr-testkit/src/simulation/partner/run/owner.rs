//! People: a customer's administrator, owners of accounts, their browsers, and the partner itself.

use std::time::Duration;

use sr_auth_core::Secret;
use sr_partner::TenantId;
use sr_partner::consent::{ConsentDisplayMode, ConsentTicket, ConsentVisit, Visitor};
use sr_partner::store::{EndCause, PartnerOp, Phase, Verified};

use super::{Event, Run};
use crate::simulation::oracle::Invariant;
use crate::simulation::partner::oracle::PAGE;
use crate::simulation::partner::scenario::PartnerScenario;

/// A consent page in a browser.
#[derive(Debug)]
pub(super) struct Form {
    company: usize,
    text: Secret,
    visitor: Visitor,
}

const TENANTS: [&str; 2] = ["acme", "umbrella"];

fn tenant(number: usize) -> TenantId {
    let name = TENANTS.get(number % TENANTS.len()).copied().unwrap_or("acme");
    TenantId::new(name).expect("the names of the simulation are valid")
}

impl Run<'_> {
    pub(super) fn is_up(&self, process: usize) -> bool {
        self.processes.get(process).is_some_and(|it| !it.is_down)
    }

    /// The administrator of a company connects the application, and browsers come to the page.
    pub(super) fn connects(&mut self, company: usize, two: bool) {
        let Some(key) = self.key(company) else { return };
        if !self.resting && self.choices.below(12) == 11 {
            self.trace.say(self.now, format_args!("company {company} gave no consent"));
        } else {
            self.simulator.consent_to(&key.app, &key.company);
        }
        let first = self.choices.below(2) as usize;
        self.opens(company, first);
        if two {
            self.coverage.word("two tenants at once");
            self.opens(company, first + 1);
        }
    }

    /// A page is shown to somebody, and comes back after a while.
    fn opens(&mut self, company: usize, of: usize) {
        let Some(key) = self.key(company) else { return };
        let bound = self.record(company).and_then(|it| it.binding.as_ref());
        let owner = bound.map(|it| it.tenant.clone());
        let tenant = match (&owner, self.resting) {
            // Nobody takes anything from anybody in the end.
            (Some(owner), true) => owner.clone(),
            _ => tenant(of),
        };
        let session = Secret::new(format!("cookie of {tenant}"));
        let query = format!("companyId={}&redirect={PAGE}", key.company);
        let mode = ConsentDisplayMode::Redirect;
        let Ok(visit) = ConsentVisit::parse(&query, mode, &self.common.origins) else { return };
        let visitor = Visitor::new(&session, tenant.clone());
        let (seen, entropy) = (self.storage.generation(&key), self.draw());
        let ticket = ConsentTicket::new(self.now, key.app, visit, visitor.clone(), seen, entropy);
        let other = owner.filter(|it| *it != tenant);
        let ticket = match other.filter(|_| self.choices.below(3) == 2) {
            Some(from) => {
                self.coverage.word("an owner gives a company away");
                self.oracle.agreed(company, from.clone(), tenant);
                ticket.taking_over_from(from)
            }
            None => ticket,
        };
        let text = ticket.to_secret(&self.common.ticket_key);
        self.forms.push(Form { company, text, visitor });
        let form = u32::try_from(self.forms.len() - 1).unwrap_or(u32::MAX);
        let thinks = self.choices.span(Duration::from_secs(120)) + Duration::from_millis(1);
        let processes = u32::try_from(self.processes.len()).unwrap_or(1);
        let process = self.choices.below(processes) as u8;
        self.queue.put(self.now.after(thinks), Event::Submits { form, process });
        if !self.resting && self.choices.below(5) == 4 {
            self.coverage.word("a double click");
            let again = thinks + self.choices.span(Duration::from_secs(3));
            let process = self.choices.below(processes) as u8;
            self.queue.put(self.now.after(again), Event::Submits { form, process });
        }
    }

    pub(super) fn submits(&mut self, form: u32, process: usize) {
        if !self.is_up(process) {
            return;
        }
        let Some(form) = self.forms.get(form as usize) else { return };
        let company = form.company;
        let Some(key) = self.key(company) else { return };
        let consent = ConsentTicket::accept(
            &form.text,
            &self.common.ticket_key,
            self.now,
            &key.app,
            &form.visitor,
            &self.common.origins,
        );
        if let Ok(consent) = consent {
            self.begins(process, company, consent);
        }
    }

    /// The owner of the account looks at credentials that wait.
    pub(super) fn decides(&mut self, company: usize, confirms: bool) {
        let Some(key) = self.key(company) else { return };
        let attempt = self.record(company).and_then(|it| it.attempt.as_ref());
        let waits = attempt.filter(|it| matches!(it.phase, Phase::Integrated { .. }));
        let Some(attempt) = waits.map(|it| it.id) else { return };
        if confirms {
            self.coverage.word("a company is confirmed");
            self.apply(PartnerOp::Activate { attempt, key, verified: Verified::ByOwner });
        } else {
            self.coverage.word("a company is given up");
            self.apply(PartnerOp::Void { attempt, key });
        }
    }

    /// Something that people, SmartRecruiters or fate do.
    pub(super) fn happens(&mut self) {
        if self.resting {
            return;
        }
        let count = u32::try_from(self.common.keys.len()).unwrap_or(1);
        let company = self.choices.below(count) as usize;
        match self.choices.below(16) {
            0..=2 => self.calls_api(),
            3..=5 => self.asks_for_token(company, None),
            6..=8 => self.connects(company, false),
            9 => self.connects(company, true),
            10..=11 => self.disables(company),
            12 => {
                let confirms = self.choices.below(2) == 0;
                self.decides(company, confirms);
            }
            13 => self.ends_here(company),
            _ => {}
        }
        for process in 0..self.processes.len() {
            if self.choices.happens(self.scenario.crashes) && self.is_up(process) {
                let dies_in = Some(self.choices.below(12));
                if let Some(it) = self.processes.get_mut(process) {
                    it.dies_in = dies_in;
                }
            }
        }
        let next = self.choices.span(Duration::from_secs(240)) + Duration::from_secs(1);
        self.queue.put(self.now.after(next), Event::Happens);
    }

    fn ends_here(&mut self, company: usize) {
        let Some(key) = self.key(company) else { return };
        let cause = EndCause::Revoked;
        if self.choices.below(4) == 3 {
            self.coverage.word("every integration ends");
            self.apply(PartnerOp::EndAll { cause });
        } else {
            self.coverage.word("ended by our own hand");
            self.apply(PartnerOp::End { cause, generation: None, key });
        }
    }

    /// The faults are over: customers try again, as the pages tell them to.
    pub(super) fn rests(&mut self, round: u8) {
        if !self.resting {
            self.resting = true;
            self.scenario.calm_down();
            for process in &mut self.processes {
                (process.dies_in, process.is_down) = (None, false);
            }
            self.trace.say(self.now, format_args!("the faults are over"));
        } else {
            for company in 0..self.common.keys.len() {
                self.tries_again(company, round);
            }
        }
        let pause = PartnerScenario::REST / 5;
        if round < 4 {
            self.queue.put(self.now.after(pause), Event::Rests { round: round + 1 });
        }
    }

    fn tries_again(&mut self, company: usize, round: u8) {
        if self.is_connected(company) {
            return;
        }
        if round > 1 {
            // "Disable the integration in SmartRecruiters, then connect it again from there."
            self.disables(company);
            if let Some(key) = self.key(company).filter(|_| round > 2) {
                let cause = EndCause::Refused;
                self.apply(PartnerOp::End { cause, generation: None, key });
            }
        }
        self.coverage.word("connected anew after the faults");
        self.connects(company, false);
    }

    /// Tells whether what is live opens the company at SmartRecruiters.
    fn is_connected(&self, company: usize) -> bool {
        let Some(key) = self.key(company) else { return true };
        let live = self.record(company).and_then(|it| it.binding.as_ref());
        let ours = live.map(|it| it.integrated.client_id.as_str());
        let theirs = self.simulator.integrations(&key);
        theirs.iter().any(|it| Some(it.client_id.as_str()) == ours)
    }

    pub(super) fn judge_rest(&mut self) {
        let end = self.now;
        if self.is_exchanging() {
            self.oracle.breaks(end, Invariant::OneOutcome, 0, "an exchange is under way for ever");
        }
        for company in 0..self.common.keys.len() {
            if !self.is_connected(company) {
                let detail = "a company cannot be connected any more";
                self.oracle.breaks(end, Invariant::ConnectsAgain, company, detail);
            }
        }
    }
}
