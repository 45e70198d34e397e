//! How an exchange goes about what the service leaves open, and how long it waits.

use std::time::Duration;

use sr_auth_core::{ApiOrigin, Endpoints, Fault, ScopeSet};

use crate::{PartnerConfigError, PartnerSetting, Profile};

/// The settings of every exchange of an application.
#[derive(Clone, Debug)]
pub struct ExchangeSettings {
    pub(super) api: ApiOrigin,
    pub(super) outbound: Option<ScopeSet>,
    pub(super) profile: Profile,
    pub(super) reconciliation: Reconciliation,
    pub(super) spans: ExchangeSpans,
    pub(super) verification: Verification,
}

/// How it is found out which company a new set of credentials opens.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Verification {
    /// Its owner looks, and confirms.
    #[default]
    Owner,
    /// A call with the credentials names the company. When it cannot be made, the owner is asked.
    Probe(Probe),
}

/// A call that names the company of the credentials that it is made with.
///
/// Which call does so, and in which member of its answer, is not documented, so both are settings.
///
/// # Examples
///
/// ```
/// use sr_partner::exchange::{Probe, Verification};
///
/// let probe = Probe::new("/configuration/company", "/id")?;
/// let verification = Verification::Probe(probe);
/// assert!(Probe::new("https://elsewhere.example/", "/id").is_err());
/// # Ok::<(), sr_partner::PartnerConfigError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Probe {
    pub(super) path: String,
    pub(super) pointer: String,
}

impl Probe {
    /// Names a path under the API origin, and where in its JSON answer the company id stands (RFC
    /// 6901).
    ///
    /// # Errors
    ///
    /// [`Fault::NotAUrl`] and the other faults of [`ApiOrigin::url`] for the path, and
    /// [`Fault::OutOfRange`] for a pointer that does not begin with a slash.
    pub fn new(path: &str, pointer: &str) -> Result<Self, PartnerConfigError> {
        let error = |fault| PartnerConfigError::new(PartnerSetting::Probe, fault);
        Endpoints::production().api().url(path).map_err(|it| error(it.fault()))?;
        if !pointer.starts_with('/') {
            return Err(error(Fault::OutOfRange));
        }
        Ok(Self { path: path.to_owned(), pointer: pointer.to_owned() })
    }
}

/// What is done when the answer to the request was lost. What a second request does is not
/// documented.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Reconciliation {
    /// Nothing is sent again: the customer connects anew.
    #[default]
    AskCustomer,
    /// The same request is sent once more when the first is certainly over.
    PostOnceMore,
}

/// What the answer of the probe says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Probed {
    Company,
    Later,
    OtherCompany,
    Refused,
    Unreadable,
}

/// How long an exchange waits for what.
#[derive(Clone, Copy, Debug)]
pub struct ExchangeSpans {
    /// For the whole answer to the request: giving up sooner would throw credentials away.
    pub(super) answer: Duration,
    /// How long another tenant waits for an owner to confirm.
    pub(super) confirm: Duration,
    /// From the announcement of the request to its first byte.
    pub(super) fence: Duration,
    pub(super) pause: Duration,
    pub(super) posts: u32,
    /// How long another consent waits for the announcement.
    pub(super) prepared: Duration,
    pub(super) probe: Duration,
    pub(super) probes: u32,
    /// How long our credentials are good for anything without an answer.
    pub(super) provisional: Duration,
    /// From the announcement until the request is certainly over.
    pub(super) quiet: Duration,
    pub(super) store: Duration,
    pub(super) store_tries: u32,
    pub(super) token_within: Duration,
    pub(super) write: Duration,
}

impl Default for ExchangeSpans {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self {
            answer: secs(128),
            confirm: secs(24 * 3_600),
            fence: secs(2),
            pause: secs(1),
            posts: 3,
            prepared: secs(60),
            probe: secs(15),
            probes: 3,
            provisional: secs(900),
            quiet: secs(135),
            store: secs(5),
            store_tries: 4,
            token_within: secs(60),
            write: secs(15),
        }
    }
}

impl ExchangeSpans {
    /// Divides every span by `divisor`: for tests with real processes, which scale all together.
    #[must_use]
    pub fn scaled_down(self, divisor: u32) -> Self {
        let part = |span: Duration| span / divisor.max(1);
        Self {
            answer: part(self.answer),
            confirm: part(self.confirm),
            fence: part(self.fence),
            pause: part(self.pause),
            prepared: part(self.prepared),
            probe: part(self.probe),
            provisional: part(self.provisional),
            quiet: part(self.quiet),
            store: part(self.store),
            token_within: part(self.token_within),
            write: part(self.write),
            ..self
        }
    }

    /// Returns how long our credentials are good for anything while the answer is not here.
    #[must_use]
    pub const fn provisional(&self) -> Duration {
        self.provisional
    }

    /// Returns after how long a request is certainly over.
    #[must_use]
    pub const fn quiet(&self) -> Duration {
        self.quiet
    }
}

impl ExchangeSettings {
    /// Takes the general exchange, in one direction, with the owner as witness.
    #[must_use]
    pub fn new(endpoints: &Endpoints) -> Self {
        Self {
            api: endpoints.api().clone(),
            outbound: None,
            profile: Profile::default(),
            reconciliation: Reconciliation::default(),
            spans: ExchangeSpans::default(),
            verification: Verification::default(),
        }
    }

    /// Has credentials made for SmartRecruiters, with these scopes at our own API: needed for its
    /// calls and for the notification of a disabled integration.
    #[must_use]
    pub fn calling_us(self, scopes: ScopeSet) -> Self {
        Self { outbound: Some(scopes), ..self }
    }

    /// Sets which exchange it is.
    #[must_use]
    pub fn with_profile(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }

    /// Sets what is done when the answer was lost.
    #[must_use]
    pub fn with_reconciliation(self, reconciliation: Reconciliation) -> Self {
        Self { reconciliation, ..self }
    }

    /// Sets the spans.
    #[must_use]
    pub fn with_spans(self, spans: ExchangeSpans) -> Self {
        Self { spans, ..self }
    }

    /// Sets how it is found out which company the credentials open.
    #[must_use]
    pub fn with_verification(self, verification: Verification) -> Self {
        Self { verification, ..self }
    }
}
