//! One round trip for each operation, by count.

use std::net::SocketAddr;

use sr_auth_core::Secret;
use sr_auth_store::{Backend, PostgresBackend, RedisBackend};

use crate::fixture::{fresh_name, one_of_each, variable};
use crate::{partner, proxy};

/// Returns an address that leads through a proxy, which is told where the server is.
async fn through_proxy(variable_name: &str) -> (Secret, std::sync::Arc<proxy::Line>) {
    let address = variable(variable_name);
    let (start, rest) = address.split_once("127.0.0.1:").unwrap();
    let (port, path) = rest.split_once('/').unwrap();
    let server = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
    let (proxy, line) = proxy::open(server).await;
    (Secret::new(format!("{start}{proxy}/{path}")), line)
}

/// Carries out each operation, and compares how often something was asked.
async fn check(backend: &dyn Backend, line: &proxy::Line) {
    for (op, expected) in one_of_each() {
        let name = op.name();
        let before = line.turns();
        let answer = backend.apply(op).await.unwrap();
        assert_eq!(answer.outcome.name(), expected, "{name}");
        assert_eq!(line.turns() - before, 1, "{name}");
    }
    for (op, expected) in partner::one_of_each() {
        let name = op.name();
        let before = line.turns();
        let answer = backend.apply_partner(op).await.unwrap();
        assert_eq!(answer.outcome.name(), expected, "{name}");
        assert_eq!(line.turns() - before, 1, "{name}");
    }
}

#[tokio::test]
async fn postgres_needs_one_round_trip_for_each_operation() {
    for variable in ["SR_AUTH_TEST_POSTGRES", "SR_AUTH_TEST_PGBOUNCER"] {
        let (address, line) = through_proxy(variable).await;
        let builder = PostgresBackend::builder(&address).unwrap().connections(1);
        let backend = builder.schema(&fresh_name()).unwrap().open().await.unwrap();
        check(&backend, &line).await;
    }
}

#[tokio::test]
async fn redis_needs_one_round_trip_for_each_operation_and_its_proof() {
    let (address, line) = through_proxy("SR_AUTH_TEST_REDIS").await;
    let builder = RedisBackend::builder(&address).unwrap();
    let backend = builder.name(&fresh_name()).unwrap().open().await.unwrap();
    check(&backend, &line).await;
}

/// A request that got through, and whose answer did not come back.
async fn check_lost_answer(backend: &dyn Backend, line: &proxy::Line) {
    use sr_auth_core::lifecycle::StoreFailure::{NotDone, OutcomeUnknown};

    use crate::fixture::{adopt, arm, load};
    backend.apply(adopt()).await.unwrap();
    line.cut_answers(true);
    let lost = backend.apply(arm(1)).await.unwrap_err();
    assert_eq!(lost.failure(), OutcomeUnknown, "{lost:?}");
    let unread = backend.apply(load()).await.unwrap_err();
    assert_eq!(unread.failure(), NotDone, "{unread:?}");
    line.cut_answers(false);
    // It was carried out, and is the same when it is offered again.
    let mut answer = backend.apply(arm(1)).await;
    for _ in 0..100 {
        if answer.is_ok() {
            break;
        }
        answer = backend.apply(arm(1)).await;
    }
    assert_eq!(answer.unwrap().outcome.name(), "Armed");
    check_lost_partner_answer(backend, line).await;
}

/// The same for an integration.
async fn check_lost_partner_answer(backend: &dyn Backend, line: &proxy::Line) {
    use sr_auth_core::lifecycle::StoreFailure::{NotDone, OutcomeUnknown};

    let key = partner::key("acme");
    line.cut_answers(true);
    let lost = backend.apply_partner(partner::begin(&key)).await.unwrap_err();
    assert_eq!(lost.failure(), OutcomeUnknown, "{lost:?}");
    let unread = backend.apply_partner(partner::load(&key)).await.unwrap_err();
    assert_eq!(unread.failure(), NotDone, "{unread:?}");
    line.cut_answers(false);
    let mut answer = backend.apply_partner(partner::load(&key)).await;
    for _ in 0..100 {
        if answer.is_ok() {
            break;
        }
        answer = backend.apply_partner(partner::load(&key)).await;
    }
    assert_eq!(answer.unwrap().outcome.name(), "Loaded");
}

#[tokio::test]
async fn an_answer_of_postgres_that_is_lost_leaves_the_outcome_open() {
    for variable in ["SR_AUTH_TEST_POSTGRES", "SR_AUTH_TEST_PGBOUNCER"] {
        let (address, line) = through_proxy(variable).await;
        let builder = PostgresBackend::builder(&address).unwrap().connections(1);
        let backend = builder.schema(&fresh_name()).unwrap().open().await.unwrap();
        check_lost_answer(&backend, &line).await;
    }
}

#[tokio::test]
async fn an_answer_of_redis_that_is_lost_leaves_the_outcome_open() {
    let (address, line) = through_proxy("SR_AUTH_TEST_REDIS").await;
    let span = std::time::Duration::from_secs(2);
    let builder = RedisBackend::builder(&address).unwrap().answer_within(span);
    let backend = builder.name(&fresh_name()).unwrap().open().await.unwrap();
    check_lost_answer(&backend, &line).await;
}
