//! Whoever signs for others: the same table through the tower layer and the reqwest middleware.
#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed the test")]

mod signers;

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use sr_auth_http::{Clock, ReqwestTransport, TokenSource};
use sr_testkit::{Effect, Fault, Sandbox, SandboxSettings, Target};

use signers::{Ask, Signer, Way};

const WAYS: [Way; 3] = [Way::Middleware, Way::Reqwest, Way::Tower];

/// What a case is about: what is asked, what goes wrong, and what must come of it.
struct Case {
    name: &'static str,
    replay: bool,
    ask: Ask,
    /// Faults of the API, one after the other.
    faults: &'static [u16],
    status: u16,
    /// For each request that the API saw, whether it carried a credential.
    signed: &'static [bool],
    token_requests: usize,
}

const GET: Ask = Ask { method: Method::GET, path: "/jobs", is_public: false, is_replayable: false };

const POST: Ask = Ask { method: Method::POST, path: "/candidates", ..GET };

const CASES: [Case; 11] = [
    case("a call", false, GET, &[], 200, &[true], 1),
    case("a public call", false, public(), &[], 200, &[false], 0),
    case("a public call that is refused", true, public(), &[401], 401, &[false], 0),
    case("401", false, GET, &[401], 401, &[true], 1),
    case("401, to be repeated", true, GET, &[401], 200, &[true, true], 2),
    case("401 twice, to be repeated", true, GET, &[401, 401], 401, &[true, true], 2),
    case("401 to a POST", true, POST, &[401], 401, &[true], 1),
    case("401 to a marked POST", true, marked(), &[401, 418], 418, &[true, true], 2),
    case("403", true, GET, &[403], 403, &[true], 1),
    case("429", true, GET, &[429], 429, &[true], 1),
    case("500", true, GET, &[500], 500, &[true], 1),
];

const fn case(
    name: &'static str,
    replay: bool,
    ask: Ask,
    faults: &'static [u16],
    status: u16,
    signed: &'static [bool],
    token_requests: usize,
) -> Case {
    Case { name, replay, ask, faults, status, signed, token_requests }
}

const fn public() -> Ask {
    Ask { path: "/v1/companies/AcmeLogistics/postings", is_public: true, ..GET }
}

const fn marked() -> Ask {
    Ask { is_replayable: true, ..POST }
}

#[tokio::test]
async fn c23_calls_are_signed_reported_and_repeated_by_the_rules() {
    for way in WAYS {
        for case in CASES.iter().filter(|it| way.has_marks() || !it.ask.is_marked()) {
            check(way, case).await;
        }
    }
}

async fn check(way: Way, case: &Case) {
    let name = format!("{}, {way:?}", case.name);
    let sandbox = sandbox().await;
    let signer = Signer::new(way, &sandbox, source(&sandbox), case.replay, None);
    for status in case.faults {
        let fault = Fault::new(Target::Resources, Effect::Status { status: *status });
        let fault = fault.after_processing();
        sandbox.with(|it| it.inject(fault));
    }
    let status = signer.send(&sandbox.origin(), &case.ask).await;
    assert_eq!(status, case.status, "{name}");
    assert_eq!(signed(&sandbox), case.signed, "{name}");
    assert_eq!(token_requests(&sandbox), case.token_requests, "{name}");
}

#[tokio::test]
async fn c23_the_next_call_after_a_401_has_another_token() {
    for way in WAYS {
        let sandbox = sandbox().await;
        let source = source(&sandbox);
        let signer = Signer::new(way, &sandbox, source.clone(), false, None);
        let first = source.authorization().await.unwrap();
        let fault = Fault::new(Target::Resources, Effect::Status { status: 401 });
        sandbox.with(|it| it.inject(fault));
        assert_eq!(signer.send(&sandbox.origin(), &GET).await, 401, "{way:?}");
        assert_eq!(signer.send(&sandbox.origin(), &GET).await, 200, "{way:?}");
        assert_ne!(source.ready().unwrap().value(), first.value(), "{way:?}");
        assert_eq!(token_requests(&sandbox), 2, "{way:?}");
    }
}

#[tokio::test]
async fn whoever_has_signed_signs_no_more_after_a_shutdown() {
    for way in WAYS {
        let sandbox = sandbox().await;
        let source = source(&sandbox);
        let signer = Signer::new(way, &sandbox, source.clone(), false, None);
        for call in ["waits for the token", "has it at hand", "has it at hand again"] {
            assert_eq!(signer.send(&sandbox.origin(), &GET).await, 200, "{way:?}: it {call}");
        }
        source.shutdown().await;
        let error = signer.try_send(&sandbox.origin(), &GET).await.unwrap_err();
        assert!(error.contains("shut down"), "{way:?}: {error}");
        assert_eq!(signed(&sandbox), [true; 3], "{way:?}");
    }
}

#[tokio::test]
async fn c27_another_origin_gets_no_credential_and_no_token_is_fetched_for_it() {
    for way in WAYS {
        let (sandbox, other) = (sandbox().await, sandbox().await);
        for source in [source(&sandbox), key(&sandbox)] {
            let signer = Signer::new(way, &sandbox, source, true, None);
            let by_name = other.origin().replace("127.0.0.1", "localhost");
            let same_port = sandbox.origin().replace("127.0.0.1", "localhost");
            for origin in [other.origin(), by_name, same_port] {
                assert_eq!(signer.send(&origin, &GET).await, 401, "{way:?} {origin}");
            }
        }
        assert_eq!(signed(&other), [false, false, false, false], "{way:?}");
        assert_eq!(signed(&sandbox), [false, false], "{way:?}");
        assert_eq!(token_requests(&sandbox), 0, "{way:?}");
    }
}

#[tokio::test]
async fn c26_a_redirect_is_handed_over_and_its_target_is_not_contacted() {
    for way in WAYS {
        let (sandbox, other) = (sandbox().await, sandbox().await);
        let location = format!("{}/jobs", other.origin());
        let fault = Fault::new(Target::Resources, Effect::Redirect { location, status: 307 });
        let fault = fault.after_processing();
        sandbox.with(|it| it.inject(fault));
        let signer = Signer::new(way, &sandbox, key(&sandbox), true, None);
        assert_eq!(signer.send(&sandbox.origin(), &GET).await, 307, "{way:?}");
        assert_eq!((signed(&sandbox), signed(&other)), (vec![true], vec![]), "{way:?}");
    }
}

#[tokio::test]
async fn a_call_without_a_token_to_be_had_is_an_error_and_not_sent() {
    for way in WAYS {
        let sandbox = sandbox().await;
        let client = sandbox.credentials().service().clone();
        sandbox.with(|it| it.world_mut().revoke_client(client.id().as_str()));
        let signer = Signer::new(way, &sandbox, source(&sandbox), true, None);
        let error = signer.try_send(&sandbox.origin(), &GET).await.unwrap_err();
        assert!(error.contains("the token endpoint refuses the application"), "{way:?}: {error}");
        assert_eq!(signed(&sandbox), [] as [bool; 0], "{way:?}");
    }
}

#[tokio::test]
async fn after_a_429_calls_wait_as_long_as_they_are_told() {
    for way in WAYS {
        let sandbox = sandbox().await;
        let clock = Clock::manual(Clock::system().now());
        let signer = Signer::new(way, &sandbox, key(&sandbox), false, Some(clock.clone()));
        let fault = Fault::new(Target::Resources, Effect::Status { status: 429 });
        sandbox.with(|it| it.inject(fault));
        let origin = sandbox.origin();
        assert_eq!(signer.send(&origin, &PUBLICATIONS).await, 429, "{way:?}");
        let mut held = Box::pin(signer.send(&origin, &PUBLICATIONS));
        let early = tokio::time::timeout(Duration::from_millis(50), &mut held).await;
        assert!(early.is_err(), "{way:?}: it waits");
        assert_eq!(signed(&sandbox).len(), 1, "{way:?}");
        clock.advance(Duration::from_secs(1));
        let sent = tokio::time::timeout(Duration::from_secs(60), held).await;
        assert_eq!(sent.unwrap(), 200, "{way:?}");
    }
}

#[tokio::test]
async fn many_calls_keep_to_the_limit_that_answers_name() {
    for way in WAYS {
        let sandbox = sandbox().await;
        let signer = Signer::new(way, &sandbox, key(&sandbox), false, Some(Clock::system()));
        for number in 0..13 {
            let status = signer.send(&sandbox.origin(), &PUBLICATIONS).await;
            assert_eq!(status, 200, "{way:?}: call {number}");
        }
    }
}

const PUBLICATIONS: Ask = Ask { path: "/jobs?limit=1", ..GET };

async fn sandbox() -> Sandbox {
    Sandbox::start(SandboxSettings::default()).await.unwrap()
}

fn source(sandbox: &Sandbox) -> TokenSource {
    let transport = ReqwestTransport::builder().without_root_certificates().build().unwrap();
    TokenSource::client_credentials(sandbox.credentials().service().clone())
        .endpoints(sandbox.endpoints().unwrap())
        .transport(Arc::new(transport))
        .build()
        .unwrap()
}

fn key(sandbox: &Sandbox) -> TokenSource {
    TokenSource::api_key(sandbox.credentials().api_key().clone())
}

fn token_requests(sandbox: &Sandbox) -> usize {
    sandbox.with(|it| it.journal().filter(|it| it.path.ends_with("/token")).count())
}

/// Returns, for each request that the API saw, whether it carried a credential.
fn signed(sandbox: &Sandbox) -> Vec<bool> {
    sandbox.with(|it| {
        let calls = it.journal().filter(|it| !it.path.ends_with("/token"));
        calls.map(|it| it.credential.is_some()).collect()
    })
}
