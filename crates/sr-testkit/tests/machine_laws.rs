//! Laws over all grants: whatever comes, in whatever order and at whatever time.

use proptest::prelude::*;
use sr_auth_core::grant::{
    AuthorizationCodeGrant, AuthorizationRequest, AuthorizationSettings, ClientCredentialsGrant,
    Input, Output, RefreshTokenGrant, RetryPolicy,
};
use sr_auth_core::wire::callback::Callback;
use sr_auth_core::{
    ClientCredentials, Endpoints, GrantFailure, Machine, RedirectUri, RefreshToken, Secret,
    Timestamp, TokenSet, Transmit, TransmitId, TransportFailure,
};
use sr_testkit::strategy;

/// When every machine of these laws begins: in the middle of the traces' first steps.
const BEGIN: Timestamp = Timestamp::from_unix_secs(1_000);

const MACHINES: [Kind; 3] = [Kind::ClientCredentials, Kind::Code, Kind::Refresh];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    ClientCredentials,
    Code,
    Refresh,
}

/// Any of the machines, with an outcome that is the same for all: when the token ends, if there is one.
#[derive(Debug)]
enum Any {
    ClientCredentials(ClientCredentialsGrant),
    Code(AuthorizationCodeGrant),
    Refresh(RefreshTokenGrant),
}

#[derive(Debug)]
enum Seen {
    Outcome(Option<Timestamp>),
    Transmit(Transmit),
}

fn client() -> ClientCredentials {
    ClientCredentials::new("82e4424135fe", Secret::new("9165228a82e4".to_owned())).expect("valid")
}

fn begin(kind: Kind) -> Any {
    let (client, endpoints, retry) = (client(), Endpoints::production(), RetryPolicy::default());
    let endpoint = endpoints.token();
    match kind {
        Kind::ClientCredentials => {
            Any::ClientCredentials(ClientCredentialsGrant::new(&client, endpoint, retry, BEGIN))
        }
        Kind::Code => Any::Code(code_grant(client, endpoints)),
        Kind::Refresh => {
            let token = RefreshToken::new(Secret::new("b2591f58e63d".to_owned()), BEGIN);
            let token = token.expect("valid");
            Any::Refresh(RefreshTokenGrant::new(&client, endpoint, token, retry, BEGIN))
        }
    }
}

fn code_grant(client: ClientCredentials, endpoints: Endpoints) -> AuthorizationCodeGrant {
    let uri = RedirectUri::parse("https://yourapp.example/callback").expect("valid");
    let settings = AuthorizationSettings::new(client, endpoints, uri);
    let request = AuthorizationRequest::new(&settings, [7; 64], BEGIN).expect("an endpoint");
    let pending = request.into_pending();
    let query = format!("code=e63dfcab300260b2&state={}", pending.state().expose());
    pending.accept(&settings, &Callback::new(&query), BEGIN).expect("a code")
}

impl Any {
    fn handle_input(&mut self, now: Timestamp, input: Input) {
        match self {
            Self::ClientCredentials(it) => it.handle_input(now, input),
            Self::Code(it) => it.handle_input(now, input),
            Self::Refresh(it) => it.handle_input(now, input),
        }
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        match self {
            Self::ClientCredentials(it) => it.poll_timeout(),
            Self::Code(it) => it.poll_timeout(),
            Self::Refresh(it) => it.poll_timeout(),
        }
    }

    fn poll_output(&mut self) -> Option<Seen> {
        let of_user = |it: Output<Result<TokenSet, GrantFailure>>| match it {
            Output::Event(event) => Seen::Outcome(event.ok().map(|it| it.access().expires_at())),
            Output::Transmit(transmit) => Seen::Transmit(transmit),
        };
        match self {
            Self::ClientCredentials(it) => it.poll_output().map(|it| match it {
                Output::Event(event) => Seen::Outcome(event.ok().map(|it| it.expires_at())),
                Output::Transmit(transmit) => Seen::Transmit(transmit),
            }),
            Self::Code(it) => it.poll_output().map(of_user),
            Self::Refresh(it) => it.poll_output().map(of_user),
        }
    }

    fn drain(&mut self) -> Vec<Seen> {
        std::iter::from_fn(|| self.poll_output()).collect()
    }
}

/// What a run did: every transmission with its moment, and every outcome.
#[derive(Debug, Default)]
struct Run {
    outcomes: Vec<Option<Timestamp>>,
    transmits: Vec<(Timestamp, Transmit)>,
}

impl Run {
    fn take(&mut self, now: Timestamp, seen: Vec<Seen>) {
        for seen in seen {
            match seen {
                Seen::Outcome(outcome) => self.outcomes.push(outcome),
                Seen::Transmit(transmit) => self.transmits.push((now, transmit)),
            }
        }
    }
}

/// Runs a trace and judges the machine after every step.
fn run(kind: Kind, trace: Vec<(Timestamp, Input)>) -> Result<(Any, Run), TestCaseError> {
    let mut machine = begin(kind);
    let mut run = Run::default();
    run.take(BEGIN, machine.drain());
    for (now, input) in trace {
        machine.handle_input(now, input);
        run.take(now, machine.drain());
        prop_assert!(run.outcomes.len() <= 1, "{kind:?}: two outcomes");
        let done = run.outcomes.len() == 1;
        prop_assert_eq!(machine.poll_timeout().is_none(), done, "{:?}: stalled", kind);
    }
    Ok((machine, run))
}

/// A name that no transmission of a bounded machine has.
fn unheard_of() -> TransmitId {
    (0..99).fold(TransmitId::FIRST, |id, _| id.next())
}

proptest! {
    /// A grant announces one outcome, never two, and always says what it waits for until then;
    /// left alone, with nothing but the passing of time, it comes to its outcome.
    #[test]
    fn a_grant_has_exactly_one_outcome_and_never_stalls(trace in strategy::trace(24)) {
        for kind in MACHINES {
            let (mut machine, mut run) = run(kind, trace.clone())?;
            for _ in 0..100 {
                let Some(due) = machine.poll_timeout() else { break };
                machine.handle_input(due, Input::Timeout);
                run.take(due, machine.drain());
            }
            prop_assert_eq!(run.outcomes.len(), 1, "{:?}", kind);
            prop_assert!(machine.poll_timeout().is_none(), "{kind:?}");
        }
    }

    /// Input that no longer matters changes nothing: an answer or a failure of another
    /// transmission, a timeout before its time, and anything at all after the end.
    #[test]
    fn stale_input_changes_nothing(
        trace in strategy::trace(12),
        answer in strategy::token_answer(),
        early in 1..100_000_u64,
    ) {
        for kind in MACHINES {
            let (mut machine, run) = run(kind, trace.clone())?;
            let last = run.transmits.last().map(|(_, transmit)| transmit.id);
            let done = machine.poll_timeout().is_none();
            let now = machine.poll_timeout().unwrap_or(BEGIN);
            let now = now.before(std::time::Duration::from_millis(early));
            let mut stale = vec![TransmitId::FIRST, unheard_of()];
            stale.retain(|id| done || Some(*id) != last);
            let before = format!("{machine:?}");
            for id in stale {
                machine.handle_input(now, Input::Response { id, response: answer.clone() });
                for failure in [TransportFailure::BeforeSend, TransportFailure::AfterSend] {
                    machine.handle_input(now, Input::TransportFailed { id, failure, received: None });
                }
            }
            machine.handle_input(now, Input::Timeout);
            prop_assert!(machine.drain().is_empty(), "{kind:?} reacted");
            prop_assert_eq!(format!("{machine:?}"), before, "{:?} changed", kind);
        }
    }

    /// A code or a refresh token leaves again only after a proof that it had not left: one failure
    /// *before sending*, told about the very transmission, for every repetition.
    #[test]
    fn c12_a_single_use_credential_is_repeated_only_when_it_was_not_sent(
        trace in strategy::trace(24),
    ) {
        for kind in [Kind::Code, Kind::Refresh] {
            let mut machine = begin(kind);
            let mut last = None;
            let mut proven = true;
            let mut inputs = trace.clone().into_iter();
            loop {
                for seen in machine.drain() {
                    let Seen::Transmit(transmit) = seen else { continue };
                    prop_assert!(proven, "{kind:?}: {last:?} may have been sent");
                    (last, proven) = (Some(transmit.id), false);
                }
                let Some((now, input)) = inputs.next() else { break };
                if let Input::TransportFailed { id, failure: TransportFailure::BeforeSend, .. } = input {
                    proven |= Some(id) == last;
                }
                machine.handle_input(now, input);
            }
        }
    }

    /// No code is transmitted later than 27 seconds after its reception, nor by a clock from before
    /// it, and the driver may not write it later than that either.
    #[test]
    fn c13_a_code_is_never_sent_outside_of_its_30_seconds(trace in strategy::trace(24)) {
        let (_, run) = run(Kind::Code, trace)?;
        let closes_at = BEGIN
            .after(AuthorizationCodeGrant::CODE_LIFE)
            .before(AuthorizationCodeGrant::NETWORK_ALLOWANCE);
        for (now, transmit) in run.transmits {
            prop_assert!(BEGIN <= now && now <= closes_at, "sent at {now:?}");
            prop_assert!(transmit.not_after <= closes_at, "writable until {:?}", transmit.not_after);
        }
    }

    /// Every request is a POST to the configured token endpoint.
    #[test]
    fn c17_credentials_go_to_the_token_endpoint_only(trace in strategy::trace(24)) {
        let endpoints = Endpoints::production();
        for kind in MACHINES {
            let (_, run) = run(kind, trace.clone())?;
            for (_, transmit) in run.transmits {
                prop_assert_eq!(transmit.request.method(), http::Method::POST);
                prop_assert_eq!(transmit.request.uri().to_string(), endpoints.token().as_str());
            }
        }
    }

    /// The number of requests is bounded by the attempts, and each has deadlines that lie ahead.
    #[test]
    fn c36_requests_are_bounded_in_number_and_time(trace in strategy::trace(40)) {
        let attempts = usize::try_from(RetryPolicy::default().attempts()).expect("small");
        for kind in MACHINES {
            let (_, run) = run(kind, trace.clone())?;
            prop_assert!(run.transmits.len() <= attempts, "{kind:?}: {}", run.transmits.len());
            for (now, transmit) in run.transmits {
                prop_assert!(transmit.not_after >= now, "{kind:?}");
                prop_assert!(!transmit.answer_within.is_zero(), "{kind:?}");
            }
        }
    }

    /// A token never outlives the server's own count, which began when the token was generated:
    /// after the request was sent.
    #[test]
    fn a_token_ends_no_later_than_its_life_after_sending(
        answer in strategy::granted(),
        late in 0..15_000_u64,
        failures in 0..2_u32,
    ) {
        for kind in MACHINES {
            let mut machine = begin(kind);
            let mut run = Run::default();
            run.take(BEGIN, machine.drain());
            let mut now = BEGIN;
            for _ in 0..failures {
                let id = run.transmits.last().expect("a request").1.id;
                let failure = TransportFailure::BeforeSend;
                machine.handle_input(now, Input::TransportFailed { id, failure, received: None });
                now = machine.poll_timeout().expect("a pause");
                machine.handle_input(now, Input::Timeout);
                run.take(now, machine.drain());
            }
            let (sent_at, transmit) = run.transmits.pop().expect("a request");
            let now = now.after(std::time::Duration::from_millis(late));
            let input = Input::Response { id: transmit.id, response: answer.clone() };
            machine.handle_input(now, input);
            run.take(now, machine.drain());
            for expires_at in run.outcomes.into_iter().flatten() {
                prop_assert!(expires_at <= sent_at.after(std::time::Duration::from_secs(1_799)));
            }
        }
    }

    /// A callback opens an exchange exactly when it has one right `state`, no `error` and one
    /// code: judged here a second time, by another decoder. Empty is the same as left out.
    #[test]
    fn c08_only_the_right_state_opens_an_exchange(query in strategy::callback_query(STATE)) {
        let uri = RedirectUri::parse("https://yourapp.example/callback").expect("valid");
        let settings = AuthorizationSettings::new(client(), Endpoints::production(), uri);
        let request = AuthorizationRequest::new(&settings, [7; 64], BEGIN).expect("an endpoint");
        let pending = request.into_pending();
        prop_assert_eq!(pending.state().expose(), STATE);
        let callback = Callback::new(&format!("https://yourapp.example/callback?{query}"));
        let accepted = pending.accept(&settings, &callback, BEGIN).is_ok();
        let without_fragment = query.trim_end().split('#').next().unwrap_or_default();
        let values = |name: &str| -> Vec<Vec<u8>> {
            let pairs = without_fragment.split('&').map(|it| it.split_once('=').unwrap_or((it, "")));
            let decoded = pairs.map(|(name, value)| (decoded(name), decoded(value)));
            decoded.filter(|(it, _)| it == name.as_bytes()).map(|(_, value)| value).collect()
        };
        let none = |values: Vec<Vec<u8>>| values.is_empty() || values == [b""];
        let one = |values: Vec<Vec<u8>>| values.len() == 1 && values != [b""];
        let expected = values("state") == [STATE.as_bytes()]
            && values("iss").len() < 2
            && none(values("error"))
            && one(values("code"));
        prop_assert_eq!(accepted, expected, "{}", query);
    }
}

/// Decodes percent escapes and `+`; what is no escape stays as it is.
fn decoded(text: &str) -> Vec<u8> {
    let (mut bytes, mut decoded) = (text.as_bytes(), Vec::new());
    while let [first, rest @ ..] = bytes {
        let escaped = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = escaped.filter(|it| it.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let escaped = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (byte, length) = match (first, escaped) {
            (b'%', Some(byte)) => (byte, 2),
            (b'+', _) => (b' ', 0),
            (other, _) => (*other, 0),
        };
        decoded.push(byte);
        bytes = rest.get(length..).unwrap_or_default();
    }
    decoded
}

const STATE: &str = "0707070707070707070707070707070707070707070707070707070707070707";
