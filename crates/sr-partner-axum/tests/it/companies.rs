//! The credentials of connected companies, in several processes: rows I22, K09.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use http::StatusCode;
use sr_auth_core::Timestamp;
use sr_auth_http::{Clock, SourceError, TokenSource, TokenSources};
use sr_partner::TenantId;
use sr_partner::consent::ConsentDisplayMode::Redirect;
use sr_partner::consent::TicketKey;
use sr_partner::store::{EndCause, PartnerOp, PartnerOutcome};
use sr_partner_axum::{CompanyError, CompanyTokens, PartnerService, Server};
use tokio::net::TcpListener;

use crate::scene::{COMPANY, Scene, router, text};

/// What every process promises while the store answers, in seconds.
const PROMISED: u64 = 5;

pub(crate) fn sources(scene: &Scene, clock: &Clock) -> TokenSources {
    TokenSources::client_credentials()
        .clock(clock.clone())
        .endpoints(scene.sandbox.endpoints().unwrap())
        .build()
        .unwrap()
}

fn service(scene: &Scene, clock: &Clock) -> PartnerService {
    let builder = scene.elsewhere().clock(clock.clone());
    builder.build(scene.hooks(), TicketKey::new([7; 32])).unwrap()
}

/// Asks until the source is refused; fails after a minute.
async fn refused(source: &TokenSource) -> SourceError {
    let ask = async {
        loop {
            if let Err(error) = source.authorization().await {
                return error;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ask).await.expect("the source goes on")
}

/// SmartRecruiters tells one process; another one, on a runtime and with connections of its own,
/// gives no token five seconds later, and admits nobody at once. The seconds are those of its clock,
/// so that a slow machine only takes longer.
#[test]
fn i22_a_company_that_was_disabled_is_retired_in_every_process() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scene = runtime.block_on(async {
        let scene = Scene::new(Redirect).await;
        scene.connect("acme").await;
        scene
    });
    let clock = Clock::manual(Timestamp::from_unix_secs(1_700_000_000));
    let (address, at) = mpsc::channel();
    let key = scene.key();
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let service = service(&scene, &clock);
                let companies = CompanyTokens::new(&service, sources(&scene, &clock));
                let source = companies.source(&key).await.unwrap();
                source.authorization().await.unwrap();
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                address.send(listener.local_addr().unwrap()).unwrap();
                let server = Server::default();
                let until_retired = async {
                    assert_eq!(refused(&source).await, SourceError::Retired);
                };
                server.serve(listener, router(&service), until_retired).await;
                let unknown = companies.source(&key).await.unwrap_err();
                assert_eq!(unknown, CompanyError::NotConnected);
            });
        });
        let theirs = format!("http://{}/interviews", at.recv().unwrap());
        runtime.block_on(async {
            let token = scene.their_token().await;
            let call = || {
                let bearer = format!("Bearer {token}");
                http::Request::get(&theirs).header("authorization", bearer)
            };
            let admitted = scene.ask(call(), "").await;
            assert_eq!(text(&admitted), format!("{COMPANY} of acme by interviews_read"));
            let requests = scene.sandbox.with(|it| it.disable_requests(&key)).unwrap();
            scene.sandbox.with(|it| it.disable_integration(&key));
            let granted = scene.send(requests.token().clone()).await.unwrap();
            let heard = scene.send(requests.notification(&granted).unwrap()).await.unwrap();
            assert_eq!(heard.status(), StatusCode::OK);
            // The other process reads the store for every call.
            assert_eq!(scene.ask(call(), "").await.status(), StatusCode::UNAUTHORIZED);
            for _ in 0..PROMISED {
                clock.advance(Duration::from_secs(1));
            }
        });
        other.join().unwrap();
    });
    runtime.block_on(scene.stop());
}

/// By our own hand: SmartRecruiters would still give tokens.
#[tokio::test]
async fn k09_one_call_retires_a_company_whose_credentials_still_work() {
    let scene = Scene::new(Redirect).await;
    scene.connect("acme").await;
    let clock = Clock::manual(Timestamp::from_unix_secs(1_700_000_000));
    let other = service(&scene, &clock);
    let companies = CompanyTokens::new(&other, sources(&scene, &clock));
    let source = companies.source(&scene.key()).await.unwrap();
    let header = source.authorization().await.unwrap();
    let call = scene.get("").uri(format!("{}/jobs", scene.sandbox.origin()));
    let jobs = scene.ask(call.header(header.name(), header.value()), "").await;
    assert_eq!(jobs.status(), StatusCode::OK, "{}", text(&jobs));

    scene.service.end(&scene.key(), EndCause::Revoked).await.unwrap();
    let ends = async {
        loop {
            clock.advance(Duration::from_secs(1));
            if source.ready().is_none() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ends).await.unwrap();
    assert_eq!(refused(&source).await, SourceError::Retired);
    let gone = companies.source(&scene.key()).await.unwrap_err();
    assert_eq!(gone, CompanyError::NotConnected);

    // A new consent has a source of its own; the one of before stays refused.
    scene.sandbox.with(|it| it.disable_integration(&scene.key()));
    scene.connect("acme").await;
    let newer = companies.source(&scene.key()).await.unwrap();
    newer.authorization().await.unwrap();
    assert_eq!(refused(&source).await, SourceError::Retired);
    scene.stop().await;
}

/// The notification is lost, and the token endpoint refuses the company's credentials for good.
#[tokio::test]
async fn a_company_whose_credentials_are_refused_for_good_has_left() {
    let scene = Scene::new(Redirect).await;
    scene.connect("acme").await;
    let clock = Clock::manual(Timestamp::from_unix_secs(1_700_000_000));
    let processes = [service(&scene, &clock), service(&scene, &clock)];
    let [one, other] =
        processes.each_ref().map(|it| CompanyTokens::new(it, sources(&scene, &clock)));
    let [ours, theirs] =
        [one.source(&scene.key()).await.unwrap(), other.source(&scene.key()).await.unwrap()];
    theirs.authorization().await.unwrap();
    scene.sandbox.with(|it| it.disable_integration(&scene.key()));
    let begun_at = clock.now();
    let ask = async {
        loop {
            // Callers ask all the time; the fleet pauses longer and longer between its attempts.
            let soon = Duration::from_millis(4);
            let error = ours.authorization_within(soon).await.unwrap_err();
            if error == SourceError::Retired {
                return;
            }
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ask).await.unwrap();
    let refused_for = clock.now().since(begun_at);
    assert!(refused_for >= CompanyTokens::REFUSED_FOR, "{refused_for:?}");
    let told = scene.told();
    assert_eq!(told.last().unwrap(), &format!("{COMPANY} #1 left acme: Refused"), "{told:?}");
    let ends = async {
        while theirs.ready().is_some() {
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ends).await.unwrap();
    assert_eq!(refused(&theirs).await, SourceError::Retired);
    let load = PartnerOp::Load { key: scene.key() };
    let outcome = scene.service.store().apply_partner(load).await.unwrap().outcome;
    let PartnerOutcome::Loaded(record) = outcome else { panic!("{outcome:?}") };
    assert_eq!(record.ended.map(|it| it.cause), Some(EndCause::Refused));
    scene.stop().await;
}

/// The name of a company comes from a request: whoever is signed in with another account gets nothing.
#[tokio::test]
async fn p08_a_company_has_a_source_for_its_own_account_only() {
    let scene = Scene::new(Redirect).await;
    let tenant = |name: &str| TenantId::new(name).unwrap();
    scene.connect("seller").await;
    let clock = Clock::manual(Timestamp::from_unix_secs(1_700_000_000));
    let companies = CompanyTokens::new(&service(&scene, &clock), sources(&scene, &clock));
    let own = companies.source_for(&scene.key(), &tenant("seller")).await.unwrap();
    own.authorization().await.unwrap();
    let others = companies.source_for(&scene.key(), &tenant("buyer")).await.unwrap_err();
    assert_eq!(others, CompanyError::NotConnected, "known here");
    scene.sandbox.with(|it| it.disable_integration(&scene.key()));
    scene.connect("buyer").await;
    let ends = async {
        while own.ready().is_some() {
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ends).await.unwrap();
    let gone = companies.source_for(&scene.key(), &tenant("seller")).await.unwrap_err();
    assert_eq!(gone, CompanyError::NotConnected, "it has changed the account");
    companies.source_for(&scene.key(), &tenant("buyer")).await.unwrap();
    scene.stop().await;
}

#[tokio::test]
async fn a_company_that_is_not_connected_has_no_source() {
    let scene = Scene::new(Redirect).await;
    let clock = Clock::system();
    let companies = CompanyTokens::new(&scene.service, sources(&scene, &clock));
    let error = companies.source(&scene.key()).await.unwrap_err();
    assert_eq!(error, CompanyError::NotConnected);
    assert_eq!(error.code(), "sr_partner::company::not_connected");
    // Credentials that wait for their owner are nobody's yet.
    let ticket = scene.ticket("acme").await;
    scene.press("acme", &ticket, "allow").await;
    assert_eq!(companies.source(&scene.key()).await.unwrap_err(), CompanyError::NotConnected);
    scene.stop().await;
}
