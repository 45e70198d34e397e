//! Generated steps: operations that say what they mean relative to what is there, so that they still
//! mean it when steps before them are left out.

use std::time::Duration;

use proptest::option;
use proptest::prelude::*;
use sr_auth_core::store::{Generation, Sequence};
use sr_auth_store::Sealed;
use sr_partner::store::{
    EndCause, IntegrationRecord, NewAttempt, PartnerModel, PartnerOp, Verified,
};
use sr_partner::{ClientKey, IntegrationKey, OutboundClient, TenantId};

use super::Integrations;
use super::values::{
    client, client_key, consent, find, integrated, key, limits, new_attempt, refuse, run,
    sealed_again, stranger, tenant, token,
};
use crate::conformance::bench::Bench;
use crate::conformance::sequences::Drawn;
use crate::conformance::step::{Step, steps};
use crate::conformance::subject::Subject;
use crate::conformance::values::LONG;

/// An operation, relative to what is there.
#[derive(Clone, Debug)]
pub(in crate::conformance) enum Deed {
    Activate { company: u8, of: Of, by_probe: bool },
    Arm { company: u8, of: Of, own: bool, post: u32, quiet: Span, provisional: Span },
    Begin { company: u8, new: New },
    Commit { company: u8, of: Of, at: At, name: u64, confirm: Span },
    CountRefusal { client: Whose, source: Option<u64> },
    Disable { company: u8, consent: u64, name: u64 },
    End { company: u8, cause: EndCause, at: Option<At> },
    EndAll { cause: EndCause },
    FindClient { client: Whose, source: Option<u64> },
    Identify { company: u8, consent: u64, name: u64 },
    Issue { company: u8, of: Of, at: At, name: u64, life: Span },
    Load { company: u8 },
    Pulse { back: u64 },
    Unsettled { limit: usize },
    Void { company: u8, of: Of },
}

/// A consent.
#[derive(Clone, Copy, Debug)]
pub(in crate::conformance) struct New {
    consent: u64,
    other_run: bool,
    other_tenant: bool,
    prepared: Span,
    rebinds: bool,
    seen: At,
    silent: bool,
}

/// Which attempt: the one that stands, the one that is live, or one by its number.
#[derive(Clone, Copy, Debug)]
pub(in crate::conformance) enum Of {
    Live,
    Named(u64),
    Standing,
}

/// Which generation.
#[derive(Clone, Copy, Debug)]
pub(in crate::conformance) enum At {
    Newest,
    Next,
    Previous,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::conformance) enum Span {
    Long,
    None,
    Short,
}

/// Whose client.
#[derive(Clone, Copy, Debug)]
pub(in crate::conformance) enum Whose {
    Company(u8, u64),
    Nobody,
}

impl Drawn for Integrations {
    type Deed = Deed;

    fn sequence(longest: usize, restarts: bool) -> impl Strategy<Value = Vec<Step<Deed>>> {
        steps(begin(), deed(), longest, restarts)
    }

    fn keys() -> Vec<IntegrationKey> {
        [0, 1].map(company_key).to_vec()
    }

    fn op(
        bench: &Bench<impl Subject, Self>,
        deed: &Deed,
        quiet: Duration,
        sequence: Sequence,
    ) -> PartnerOp<Sealed> {
        Ground { model: bench.model(), quiet, sequence }.op(deed)
    }

    fn again(op: PartnerOp<Sealed>) -> PartnerOp<Sealed> {
        sealed_again(op)
    }
}

fn company_key(number: u8) -> IntegrationKey {
    key("planner", if number == 0 { "acme" } else { "other" })
}

/// What the steps refer to.
#[derive(Debug)]
struct Ground<'a> {
    model: &'a PartnerModel<Sealed>,
    quiet: Duration,
    sequence: Sequence,
}

impl Ground<'_> {
    fn record(&self, company: u8) -> Option<&IntegrationRecord<Sealed>> {
        self.model.record(&company_key(company))
    }

    fn generation(&self, company: u8, at: At) -> Generation {
        let number = self.record(company).map_or(0, |it| it.generation.number());
        Generation::from_number(match at {
            At::Newest => number,
            At::Next => number.saturating_add(1),
            At::Previous => number.saturating_sub(1),
        })
    }

    fn span(&self, span: Span) -> Duration {
        match span {
            Span::Long => LONG,
            Span::None => Duration::ZERO,
            Span::Short => self.quiet,
        }
    }

    fn attempt(&self, company: u8, of: Of) -> sr_partner::AttemptId {
        let record = self.record(company);
        let found = match of {
            Of::Live => record.and_then(|it| it.binding.as_ref()).map(|it| it.attempt),
            Of::Named(number) => return consent(number),
            Of::Standing => record.and_then(|it| it.attempt.as_ref()).map(|it| it.id),
        };
        found.unwrap_or_else(|| consent(0))
    }

    fn client(&self, company: u8, of: Of) -> ClientKey {
        let record = self.record(company);
        let found = match of {
            Of::Live => record.and_then(|it| it.binding.as_ref()?.outbound.as_ref()),
            Of::Named(number) => return client_key(&company_key(company), number),
            Of::Standing => record.and_then(|it| it.attempt.as_ref()?.outbound.as_ref()),
        };
        found.map_or_else(|| stranger(1), OutboundClient::key)
    }

    /// The number of the consent, for the names of its tokens.
    fn number(&self, company: u8, of: Of) -> u64 {
        let attempt = self.attempt(company, of);
        (0..5).find(|it| consent(*it) == attempt).unwrap_or(0)
    }

    fn whose(client: Whose) -> ClientKey {
        match client {
            Whose::Company(company, consent) => client_key(&company_key(company), consent),
            Whose::Nobody => stranger(1),
        }
    }

    fn begin(&self, company: u8, new: New) -> PartnerOp<Sealed> {
        let key = company_key(company);
        let bound = self.record(company).and_then(|it| it.binding.as_ref());
        let before: Option<TenantId> = bound.map(|it| it.tenant.clone());
        let attempt = new_attempt(&key, new.consent, 0);
        let attempt = NewAttempt {
            exchange: run(new.consent + if new.other_run { 100 } else { 0 }),
            outbound: (!new.silent).then(|| client(&key, new.consent)),
            prepared_for: self.span(new.prepared),
            rebind: before.filter(|_| new.rebinds),
            seen: self.generation(company, new.seen),
            tenant: tenant(if new.other_tenant { "other" } else { "acme" }),
            ..attempt
        };
        PartnerOp::Begin { attempt, key }
    }

    /// Returns the operation that a deed means here and now.
    fn op(&self, deed: &Deed) -> PartnerOp<Sealed> {
        let few = limits(2, 3, Duration::from_secs(3_600));
        match *deed {
            Deed::Activate { company, of, by_probe } => {
                let verified = if by_probe { Verified::ByProbe } else { Verified::ByOwner };
                let (attempt, key) = (self.attempt(company, of), company_key(company));
                PartnerOp::Activate { attempt, key, verified }
            }
            Deed::Arm { company, of, own, post, quiet, provisional } => {
                let standing = self.record(company).and_then(|it| it.attempt.as_ref());
                let exchange = standing.filter(|_| own).map_or_else(|| run(0), |it| it.exchange);
                PartnerOp::Arm {
                    attempt: self.attempt(company, of),
                    exchange,
                    key: company_key(company),
                    post,
                    provisional: self.span(provisional),
                    quiet: self.span(quiet),
                }
            }
            Deed::Begin { company, new } => self.begin(company, new),
            Deed::Commit { company, of, at, name, confirm } => PartnerOp::Commit {
                attempt: self.attempt(company, of),
                confirm_within: self.span(confirm),
                generation: self.generation(company, at),
                integrated: integrated(name, 0),
                key: company_key(company),
            },
            Deed::CountRefusal { client, source } => refuse(Self::whose(client), source, few),
            Deed::Disable { company, consent, name } => {
                PartnerOp::Disable { token: token(&company_key(company), consent, name) }
            }
            Deed::End { company, cause, at } => {
                let generation = at.map(|at| self.generation(company, at));
                PartnerOp::End { cause, generation, key: company_key(company) }
            }
            Deed::EndAll { cause } => PartnerOp::EndAll { cause },
            Deed::FindClient { client, source } => find(Self::whose(client), source, few),
            Deed::Identify { company, consent, name } => {
                PartnerOp::Identify { token: token(&company_key(company), consent, name) }
            }
            Deed::Issue { company, of, at, name, life } => PartnerOp::Issue {
                client: self.client(company, of),
                generation: self.generation(company, at),
                life: self.span(life),
                token: token(&company_key(company), self.number(company, of), name),
            },
            Deed::Load { company } => PartnerOp::Load { key: company_key(company) },
            Deed::Pulse { back } => {
                PartnerOp::Pulse { since: Sequence(self.sequence.0.saturating_sub(back)) }
            }
            Deed::Unsettled { limit } => PartnerOp::Unsettled { limit },
            Deed::Void { company, of } => {
                let (attempt, key) = (self.attempt(company, of), company_key(company));
                PartnerOp::Void { attempt, key }
            }
        }
    }
}

/// Two companies, the first of them mostly.
fn company() -> impl Strategy<Value = u8> {
    prop_oneof![4 => Just(0), 1 => Just(1)]
}

fn of() -> impl Strategy<Value = Of> {
    prop_oneof![6 => Just(Of::Standing), 2 => Just(Of::Live), 1 => (1..5_u64).prop_map(Of::Named)]
}

fn at() -> impl Strategy<Value = At> {
    prop_oneof![6 => Just(At::Newest), 1 => Just(At::Previous), 1 => Just(At::Next)]
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![3 => Just(Span::Long), 1 => Just(Span::None), 2 => Just(Span::Short)]
}

fn cause() -> impl Strategy<Value = EndCause> {
    prop_oneof![Just(EndCause::Disabled), Just(EndCause::Refused), Just(EndCause::Revoked)]
}

fn whose() -> impl Strategy<Value = Whose> {
    prop_oneof![
        4 => (company(), 1..5_u64).prop_map(|(company, consent)| Whose::Company(company, consent)),
        1 => Just(Whose::Nobody),
    ]
}

fn source() -> impl Strategy<Value = Option<u64>> {
    option::of(1..3_u64)
}

fn begin() -> impl Strategy<Value = Deed> {
    let rare = || prop::bool::weighted(0.2);
    (company(), 1..5_u64, rare(), rare(), span(), any::<bool>(), at(), rare()).prop_map(
        |(company, consent, other_run, other_tenant, prepared, rebinds, seen, silent)| {
            let new = New { consent, other_run, other_tenant, prepared, rebinds, seen, silent };
            Deed::Begin { company, new }
        },
    )
}

fn deed() -> impl Strategy<Value = Deed> {
    let limit = prop_oneof![Just(0), Just(1), Just(usize::MAX)];
    let token = || (company(), 1..5_u64, 0..3_u64);
    prop_oneof![
        8 => begin(),
        5 => (company(), of(), any::<bool>())
            .prop_map(|(company, of, by_probe)| Deed::Activate { company, of, by_probe }),
        8 => (company(), of(), prop::bool::weighted(0.9), 0..4_u32, span(), span()).prop_map(
            |(company, of, own, post, quiet, provisional)| {
                Deed::Arm { company, of, own, post, quiet, provisional }
            }
        ),
        7 => (company(), of(), at(), 0..3_u64, span()).prop_map(
            |(company, of, at, name, confirm)| Deed::Commit { company, of, at, name, confirm }
        ),
        1 => (whose(), source())
            .prop_map(|(client, source)| Deed::CountRefusal { client, source }),
        2 => token().prop_map(|(company, consent, name)| Deed::Disable { company, consent, name }),
        1 => (company(), cause(), option::of(at()))
            .prop_map(|(company, cause, at)| Deed::End { company, cause, at }),
        1 => cause().prop_map(|cause| Deed::EndAll { cause }),
        2 => (whose(), source()).prop_map(|(client, source)| Deed::FindClient { client, source }),
        3 => token().prop_map(|(company, consent, name)| Deed::Identify { company, consent, name }),
        6 => (company(), of(), at(), 0..3_u64, span())
            .prop_map(|(company, of, at, name, life)| Deed::Issue { company, of, at, name, life }),
        2 => company().prop_map(|company| Deed::Load { company }),
        2 => (0..6_u64).prop_map(|back| Deed::Pulse { back }),
        1 => limit.prop_map(|limit| Deed::Unsettled { limit }),
        1 => (company(), of()).prop_map(|(company, of)| Deed::Void { company, of }),
    ]
}
