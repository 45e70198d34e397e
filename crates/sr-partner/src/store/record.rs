//! What a store keeps about one application at one company.

use sr_auth_core::store::Generation;
use sr_auth_core::{ClientId, Timestamp};

use crate::{AttemptId, ExchangeId, IntegrationId, OutboundClient, TenantId};

/// Everything that a store keeps about one application at one company, issued tokens apart.
///
/// `IntegrationRecord<()>` is the same without the company's client secret: what is shown and
/// logged.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct IntegrationRecord<V> {
    /// The consent that is being turned into an integration, if one is.
    pub attempt: Option<Attempt<V>>,
    /// The integration that is live, if one is.
    pub binding: Option<Binding<V>>,
    /// How the last integration ended, if one did.
    pub ended: Option<Ending>,
    /// The generation of the newest attempt: how many there have been.
    pub generation: Generation,
    /// The newest entries, the oldest first.
    pub ledger: Vec<IntegrationLedgerEntry>,
}

impl<V> IntegrationRecord<V> {
    /// How many ledger entries are kept.
    pub const LEDGER_LIMIT: usize = 16;

    /// Turns each client secret into something else: seals or opens it.
    ///
    /// The generation is that of the secret, for the data that a seal is bound to.
    ///
    /// # Errors
    ///
    /// The first error of `turn`.
    pub fn try_map<W, E>(
        self,
        mut turn: impl FnMut(Generation, V) -> Result<W, E>,
    ) -> Result<IntegrationRecord<W>, E> {
        let attempt = self.attempt.map(|it| it.try_map(&mut turn)).transpose()?;
        let binding = self.binding.map(|it| it.try_map(&mut turn)).transpose()?;
        let (ended, generation, ledger) = (self.ended, self.generation, self.ledger);
        Ok(IntegrationRecord { attempt, binding, ended, generation, ledger })
    }

    /// Returns the record without the secrets.
    #[must_use]
    pub fn without_secrets(&self) -> IntegrationRecord<()>
    where
        V: Clone,
    {
        let none = |_, _| Ok::<_, std::convert::Infallible>(());
        match self.clone().try_map(none) {
            Ok(record) => record,
            Err(never) => match never {},
        }
    }
}

impl<V> Default for IntegrationRecord<V> {
    /// Makes the record of a company that nobody has connected yet.
    fn default() -> Self {
        let (generation, ledger) = (Generation::default(), Vec::new());
        Self { attempt: None, binding: None, ended: None, generation, ledger }
    }
}

/// A consent on its way to an integration.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct Attempt<V> {
    /// When it was begun, by the store's clock.
    pub begun_at: Timestamp,
    /// The run that carries it out.
    pub exchange: ExchangeId,
    /// Its generation.
    pub generation: Generation,
    /// Its name: one consent.
    pub id: AttemptId,
    /// Our credentials for SmartRecruiters, if the integration is bidirectional.
    pub outbound: Option<OutboundClient>,
    /// How far it has come.
    pub phase: Phase<V>,
    /// Whose account is to be joined.
    pub tenant: TenantId,
    /// When SmartRecruiters first used our credentials: proof that it has processed the request,
    /// whatever became of its answer.
    pub used_at: Option<Timestamp>,
}

impl<V> Attempt<V> {
    /// Returns until when it keeps out other tenants, and its own; afterwards a new consent takes
    /// its place.
    #[must_use]
    pub fn stands_until(&self, tenant: &TenantId) -> Timestamp {
        let own = self.tenant == *tenant;
        match self.phase {
            Phase::Integrated { .. } if own => Timestamp::EPOCH,
            Phase::Posting { quiet_until, until, .. } if own => quiet_until.min(until),
            Phase::Integrated { until, .. }
            | Phase::Posting { until, .. }
            | Phase::Prepared { until } => until,
        }
    }

    /// Tells whether SmartRecruiters may use our credentials of it at `now`.
    #[must_use]
    pub fn admits_at(&self, now: Timestamp) -> bool {
        match self.phase {
            Phase::Integrated { .. } => true,
            Phase::Posting { until, .. } => now < until,
            Phase::Prepared { .. } => false,
        }
    }

    fn try_map<W, E>(
        self,
        turn: &mut impl FnMut(Generation, V) -> Result<W, E>,
    ) -> Result<Attempt<W>, E> {
        let phase = match self.phase {
            Phase::Integrated { at, integrated, until } => Phase::Integrated {
                at,
                integrated: integrated.try_map(|value| turn(self.generation, value))?,
                until,
            },
            Phase::Posting { armed_at, posts, quiet_until, until } => {
                Phase::Posting { armed_at, posts, quiet_until, until }
            }
            Phase::Prepared { until } => Phase::Prepared { until },
        };
        Ok(Attempt {
            begun_at: self.begun_at,
            exchange: self.exchange,
            generation: self.generation,
            id: self.id,
            outbound: self.outbound,
            phase,
            tenant: self.tenant,
            used_at: self.used_at,
        })
    }
}

/// How far an attempt has come. Moments are those of the store's clock.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "every phase of an attempt is decided about")]
pub enum Phase<V> {
    /// SmartRecruiters has answered, and its credentials are here; nobody has verified yet which
    /// company they open.
    Integrated {
        /// Since when.
        at: Timestamp,
        /// The credentials.
        integrated: Integrated<V>,
        /// Until when another tenant waits for the confirmation.
        until: Timestamp,
    },
    /// The request may have been sent, and its answer is not here.
    Posting {
        /// When the newest request was announced.
        armed_at: Timestamp,
        /// How many requests were announced.
        posts: u32,
        /// From when the newest request is certainly over, one way or the other.
        quiet_until: Timestamp,
        /// Until when our credentials are good for anything without an answer.
        until: Timestamp,
    },
    /// Nothing has left.
    Prepared {
        /// Until when another consent waits for it.
        until: Timestamp,
    },
}

impl<V> Phase<V> {
    /// Returns the name, for pages and logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Integrated { .. } => "Integrated",
            Self::Posting { .. } => "Posting",
            Self::Prepared { .. } => "Prepared",
        }
    }
}

/// What SmartRecruiters answered: the credentials of one company.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct Integrated<V> {
    /// The client id.
    pub client_id: ClientId,
    /// The id of the integration; the Assessment sibling documents none.
    pub integration: Option<IntegrationId>,
    /// The client secret.
    pub secret: V,
}

impl<V> Integrated<V> {
    pub(super) fn try_map<W, E>(
        self,
        turn: impl FnOnce(V) -> Result<W, E>,
    ) -> Result<Integrated<W>, E> {
        let (client_id, integration) = (self.client_id, self.integration);
        Ok(Integrated { client_id, integration, secret: turn(self.secret)? })
    }
}

/// A live integration: this company is joined with this tenant.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct Binding<V> {
    /// The consent that it came from.
    pub attempt: AttemptId,
    /// When it went live, by the store's clock.
    pub bound_at: Timestamp,
    /// Its generation.
    pub generation: Generation,
    /// The company's credentials.
    pub integrated: Integrated<V>,
    /// Our credentials for SmartRecruiters.
    pub outbound: Option<OutboundClient>,
    /// Whose account it is joined with.
    pub tenant: TenantId,
    /// How it is known that the credentials open this company.
    pub verified: Verified,
}

impl<V> Binding<V> {
    fn try_map<W, E>(
        self,
        turn: &mut impl FnMut(Generation, V) -> Result<W, E>,
    ) -> Result<Binding<W>, E> {
        Ok(Binding {
            attempt: self.attempt,
            bound_at: self.bound_at,
            generation: self.generation,
            integrated: self.integrated.try_map(|value| turn(self.generation, value))?,
            outbound: self.outbound,
            tenant: self.tenant,
            verified: self.verified,
        })
    }
}

/// How it is known which company a set of credentials opens.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a call or a person: there is no third witness")]
pub enum Verified {
    /// The owner of the account looked and confirmed.
    ByOwner,
    /// A call with the credentials named the company.
    ByProbe,
}

/// How an integration ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct Ending {
    /// When, by the store's clock.
    pub at: Timestamp,
    /// Why.
    pub cause: EndCause,
    /// Which generation.
    pub generation: Generation,
}

/// Why an integration ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the customer, the server, or we")]
pub enum EndCause {
    /// The customer disabled it, and SmartRecruiters said so with our own token.
    Disabled,
    /// The token endpoint refuses the company's credentials for good, as it does when a notification
    /// was lost.
    Refused,
    /// We ended it.
    Revoked,
}

/// What happened to an integration.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "backends write and read every field")]
pub struct IntegrationLedgerEntry {
    /// When, by the store's clock.
    pub at: Timestamp,
    /// What.
    pub event: IntegrationEvent,
    /// The generation that it is about.
    pub generation: Generation,
    /// Whose account it was about.
    pub tenant: TenantId,
}

/// The kinds of [`IntegrationLedgerEntry`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum IntegrationEvent {
    /// The request to SmartRecruiters was announced.
    Armed,
    /// A consent was given.
    Begun,
    /// The company was joined with the account.
    Bound(Verified),
    /// It ended.
    Ended(EndCause),
    /// SmartRecruiters answered with credentials.
    Integrated,
    /// The attempt came to nothing.
    Voided,
}
