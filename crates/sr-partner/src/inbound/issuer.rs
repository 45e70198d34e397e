//! Our token endpoint, `oauthTokenUrl`: client credentials only (RFC 6749 §4.4).
//!
//! ```text
//!  request ── cannot be read ─────────────────────────────────────────▶ Done
//!     │ FindClient                                                       ▲
//!     ▼                                                                  │
//!  Finding ── secret right ──▶ Issuing ── token durable ─────────────────┤
//!     │                           └────── client gone since ──▶ ┐        │
//!     │                                                         ▼        │
//!     └── no client, wrong secret ──▶ Judging ── few ──▶ Counting ───────┤
//!                                        └── too many from its source ───┘
//! ```
//!
//! A client that is not there costs the same as one whose secret is wrong: a digest is compared with
//! a dummy, in constant time, and the refusal is counted. Both answers are the same bytes.
//!
//! SmartRecruiters calls for all companies from the same few addresses. So the refusals of a source
//! turn away whoever would be refused, and nobody whose secret is right: one company that goes on
//! calling after its end must not shut out the others.

use std::time::Duration;

use http::{Request, StatusCode};
use sr_auth_core::{Fault, Machine, ScopeSet, Secret, SecretBytes, SecretDigest, Timestamp};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::task::{Asked, Task};
use super::{InboundEvent, InboundInput, InboundOutput, Refusal};
use crate::outbound::{ClientKey, hex};
use crate::store::{AttemptLimits, KnownClient, PartnerOp, PartnerOutcome, SourceKey};
use crate::wire::answer;
use crate::wire::token_form::{TokenForm, TokenFormFault};
use crate::{PartnerConfigError, PartnerSetting};

/// Our token endpoint: what it promises, apart from any request.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use sr_partner::inbound::{ExpiresInUnit, TokenIssuer};
///
/// let issuer = TokenIssuer::default()
///     .with_life(Duration::from_secs(600))?
///     .with_expires_in(ExpiresInUnit::Milliseconds);
/// assert!(issuer.with_life(Duration::from_secs(3_600)).is_err(), "half an hour at most");
/// # Ok::<(), sr_partner::PartnerConfigError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TokenIssuer {
    expires_in: ExpiresInUnit,
    life: Duration,
    limits: AttemptLimits,
}

/// The unit in which an answer writes `expires_in`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ExpiresInUnit {
    /// As the schema of the service's webhooks has it. A client that reads seconds then uses tokens
    /// long after their end, and has to ask again after each refusal.
    Milliseconds,
    /// As RFC 6749 §5.1 has it. A client that reads milliseconds asks more often than it needs to.
    #[default]
    Seconds,
}

impl Default for TokenIssuer {
    /// Tokens of thirty minutes, in seconds, with the default limits.
    fn default() -> Self {
        Self {
            expires_in: ExpiresInUnit::default(),
            life: Self::LONGEST_LIFE,
            limits: AttemptLimits::default(),
        }
    }
}

impl TokenIssuer {
    /// The longest life of a token.
    pub const LONGEST_LIFE: Duration = Duration::from_secs(1_800);

    /// Sets how long tokens live: from a minute to thirty.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfRange`].
    pub fn with_life(self, life: Duration) -> Result<Self, PartnerConfigError> {
        if (Duration::from_secs(60)..=Self::LONGEST_LIFE).contains(&life) {
            return Ok(Self { life, ..self });
        }
        Err(PartnerConfigError::new(PartnerSetting::TokenLife, Fault::OutOfRange))
    }

    /// Sets the unit of `expires_in`.
    #[must_use]
    pub const fn with_expires_in(self, expires_in: ExpiresInUnit) -> Self {
        Self { expires_in, ..self }
    }

    /// Sets how many refused requests are answered.
    #[must_use]
    pub const fn with_limits(self, limits: AttemptLimits) -> Self {
        Self { limits, ..self }
    }

    /// Takes in a request; `entropy` becomes the token, if one is issued.
    ///
    /// `source` is where it came from, such as a network address; `None` counts by client only. A
    /// source that was refused too often is turned away, except with a secret that is right.
    #[must_use]
    pub fn answer(
        &self,
        now: Timestamp,
        request: &Request<SecretBytes>,
        source: Option<SourceKey>,
        entropy: [u8; 32],
    ) -> TokenIssuance {
        let entropy = Zeroizing::new(entropy);
        let token = Secret::new(hex(&*entropy).to_string());
        TokenIssuance::new(now, *self, request, source, token)
    }

    fn expires_in(&self, life: Duration) -> u64 {
        match self.expires_in {
            ExpiresInUnit::Milliseconds => u64::try_from(life.as_millis()).unwrap_or(u64::MAX),
            ExpiresInUnit::Seconds => life.as_secs(),
        }
    }
}

/// One request to our token endpoint.
#[derive(Debug)]
pub struct TokenIssuance {
    client: ClientKey,
    form: Option<TokenForm>,
    issuer: TokenIssuer,
    source: Option<SourceKey>,
    state: State,
    task: Task,
    token: Secret,
    /// The client whose secret was right.
    verified: Option<KnownClient>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Counting(Asked),
    Done,
    Finding(Asked),
    Issuing(Asked),
    Judging(Asked),
}

impl TokenIssuance {
    fn new(
        now: Timestamp,
        issuer: TokenIssuer,
        request: &Request<SecretBytes>,
        source: Option<SourceKey>,
        token: Secret,
    ) -> Self {
        let mut task = Task::default();
        let (form, client, state) = match TokenForm::read(request) {
            Ok(form) => {
                let (client, limits) = (ClientKey::of(form.client_id()), issuer.limits);
                let asked = task.ask(now, PartnerOp::FindClient { client, limits, source: None });
                (Some(form), client, State::Finding(asked))
            }
            Err(fault) => {
                let why = match fault {
                    TokenFormFault::Client { .. } => Refusal::Unauthenticated,
                    TokenFormFault::ContentType
                    | TokenFormFault::GrantType
                    | TokenFormFault::Method
                    | TokenFormFault::Request
                    | TokenFormFault::TooLong => Refusal::Malformed,
                };
                task.refuse(why, unread(fault));
                (None, ClientKey::of(""), State::Done)
            }
        };
        Self { client, form, issuer, source, state, task, token, verified: None }
    }

    fn in_header(&self) -> bool {
        self.form.as_ref().is_some_and(TokenForm::in_header)
    }

    fn found(&mut self, now: Timestamp, at: Timestamp, outcome: PartnerOutcome<Secret>) -> State {
        if let PartnerOutcome::Throttled { until } = outcome {
            return self.throttle(at, until);
        }
        let PartnerOutcome::Client(known) = outcome else { return self.unavailable() };
        let right = self.is_right(known.as_ref());
        let Some(known) = known.filter(|_| right) else { return self.judge(now) };
        if !self.may_ask(&known.scopes) {
            let response = answer::error(StatusCode::BAD_REQUEST, "invalid_scope");
            self.task.refuse(Refusal::Scope, response);
            return State::Done;
        }
        let (client, life) = (self.client, self.issuer.life);
        let (generation, token) = (known.generation, self.token.digest());
        self.verified = Some(known);
        State::Issuing(self.task.ask(now, PartnerOp::Issue { client, generation, life, token }))
    }

    /// Compares the secret with that of the client, or with a dummy: the same work either way.
    fn is_right(&self, known: Option<&KnownClient>) -> bool {
        let dummy = SecretDigest::from_bytes([0; 32]);
        let presented = match &self.form {
            Some(form) => form.secret().digest(),
            None => dummy,
        };
        let expected = known.map_or(dummy, |it| it.secret);
        bool::from(presented.as_bytes().ct_eq(expected.as_bytes())) & known.is_some()
    }

    /// Scopes are fixed with the client: a request may name them, and none besides.
    fn may_ask(&self, granted: &ScopeSet) -> bool {
        let Some(asked) = self.form.as_ref().and_then(TokenForm::scope) else { return true };
        ScopeSet::parse(asked).is_ok_and(|asked| asked == *granted)
    }

    /// Finds out whether too many of its source were refused.
    fn judge(&mut self, now: Timestamp) -> State {
        let (client, limits, source) = (self.client, self.issuer.limits, self.source);
        if source.is_none() {
            return self.count(now);
        }
        State::Judging(self.task.ask(now, PartnerOp::FindClient { client, limits, source }))
    }

    fn judged(&mut self, now: Timestamp, at: Timestamp, outcome: &PartnerOutcome<Secret>) -> State {
        if let PartnerOutcome::Throttled { until } = *outcome {
            return self.throttle(at, until);
        }
        self.count(now)
    }

    fn throttle(&mut self, at: Timestamp, until: Timestamp) -> State {
        let response = answer::later(StatusCode::TOO_MANY_REQUESTS, until.since(at).as_secs());
        self.task.refuse(Refusal::Throttled, response);
        State::Done
    }

    fn count(&mut self, now: Timestamp) -> State {
        let (client, limits, source) = (self.client, self.issuer.limits, self.source);
        State::Counting(self.task.ask(now, PartnerOp::CountRefusal { client, limits, source }))
    }

    fn issued(&mut self, now: Timestamp, outcome: PartnerOutcome<Secret>) -> State {
        match (outcome, self.verified.take()) {
            (PartnerOutcome::Issued { expires_at }, Some(known)) => {
                let expires_in = self.issuer.expires_in(self.issuer.life);
                let (generation, key) = (known.generation, known.key);
                self.task.tell(InboundEvent::Issued { expires_at, generation, key });
                self.task.respond(answer::granted(&self.token, expires_in, &known.scopes));
                State::Done
            }
            // It ended between the two operations.
            (PartnerOutcome::Missing, _) => self.count(now),
            _ => self.unavailable(),
        }
    }

    fn refuse_client(&mut self) -> State {
        let response = answer::invalid_client(self.in_header());
        self.task.refuse(Refusal::Client, response);
        State::Done
    }

    fn unavailable(&mut self) -> State {
        self.task.unavailable();
        State::Done
    }
}

impl Machine for TokenIssuance {
    type Input = InboundInput;
    type Output = InboundOutput;

    fn handle_input(&mut self, now: Timestamp, input: InboundInput) {
        self.state = match (self.state, input) {
            (State::Finding(asked), InboundInput::Stored { id, result }) if asked.id == id => {
                match result {
                    Ok(answer) => self.found(now, answer.now, answer.outcome),
                    Err(_) => self.unavailable(),
                }
            }
            (State::Issuing(asked), InboundInput::Stored { id, result }) if asked.id == id => {
                match result {
                    Ok(answer) => self.issued(now, answer.outcome),
                    Err(_) => self.unavailable(),
                }
            }
            (State::Judging(asked), InboundInput::Stored { id, result: Ok(answer) })
                if asked.id == id =>
            {
                self.judged(now, answer.now, &answer.outcome)
            }
            // A refusal stays one, counted or not.
            (State::Counting(asked) | State::Judging(asked), InboundInput::Stored { id, .. })
                if asked.id == id =>
            {
                self.refuse_client()
            }
            (State::Counting(asked) | State::Judging(asked), InboundInput::Timeout)
                if now >= asked.give_up_at =>
            {
                self.refuse_client()
            }
            (State::Finding(asked) | State::Issuing(asked), InboundInput::Timeout)
                if now >= asked.give_up_at =>
            {
                self.unavailable()
            }
            // An early timeout, or an answer that came too late.
            (unchanged, _) => unchanged,
        };
    }

    fn poll_output(&mut self) -> Option<InboundOutput> {
        self.task.poll()
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        match self.state {
            State::Counting(asked)
            | State::Finding(asked)
            | State::Issuing(asked)
            | State::Judging(asked) => Some(asked.give_up_at),
            State::Done => None,
        }
    }
}

fn unread(fault: TokenFormFault) -> http::Response<SecretBytes> {
    match fault {
        TokenFormFault::Client { in_header } => answer::invalid_client(in_header),
        TokenFormFault::ContentType => {
            answer::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid_request")
        }
        TokenFormFault::GrantType => {
            answer::error(StatusCode::BAD_REQUEST, "unsupported_grant_type")
        }
        TokenFormFault::Method => answer::only("POST"),
        TokenFormFault::Request => answer::error(StatusCode::BAD_REQUEST, "invalid_request"),
        TokenFormFault::TooLong => answer::error(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request"),
    }
}
