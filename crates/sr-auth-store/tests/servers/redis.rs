//! What a store on Redis promises, and when.

use sr_auth_core::Secret;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_store::{Backend, BackendFault, Durability, RedisBackend};
use sr_partner::store::{EndCause, PartnerOutcome};

use crate::fixture::{adopt, arm, fresh_name, load, order, variable};
use crate::partner;

fn address() -> Secret {
    Secret::new(variable("SR_AUTH_TEST_REDIS"))
}

async fn open(name: &str) -> RedisBackend {
    let builder = RedisBackend::builder(&address()).unwrap();
    builder.name(name).unwrap().open().await.unwrap()
}

/// Sends commands as an administrator does.
async fn command(name: &str, arguments: &[&str]) {
    let client = redis::Client::open(variable("SR_AUTH_TEST_REDIS")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd(name).arg(arguments).exec_async(&mut connection).await.unwrap();
}

#[tokio::test]
async fn a_server_that_does_not_wait_for_its_disk_promises_nothing() {
    for (setting, weak, strong) in [
        ("appendfsync", "everysec", "always"),
        ("appendonly", "no", "yes"),
        ("no-appendfsync-on-rewrite", "yes", "no"),
        ("maxmemory-policy", "allkeys-lru", "noeviction"),
    ] {
        assert_eq!(open(&fresh_name()).await.durability(), Durability::Durable, "{setting}");
        command("CONFIG", &["SET", setting, weak]).await;
        let durability = open(&fresh_name()).await.durability();
        command("CONFIG", &["SET", setting, strong]).await;
        assert_eq!(durability, Durability::Volatile, "{setting}");
    }
}

#[tokio::test]
async fn a_tool_makes_no_store() {
    let name = fresh_name();
    let existing = || {
        let builder = RedisBackend::builder(&address()).unwrap().existing_only();
        builder.name(&name).unwrap().open()
    };
    for _ in 0..2 {
        // The second look would find what the first had made.
        assert_eq!(existing().await.unwrap_err().fault(), BackendFault::NotAStore);
    }
    drop(open(&name).await);
    existing().await.unwrap().apply(adopt()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_stops_to_wait_for_its_disk_is_found_out_by_the_next_change() {
    let backend = open(&fresh_name()).await;
    backend.apply(adopt()).await.unwrap();
    command("CONFIG", &["SET", "appendfsync", "everysec"]).await;
    let error = backend.apply(arm(1)).await.unwrap_err();
    let look = backend.apply(load()).await;
    command("CONFIG", &["SET", "appendfsync", "always"]).await;
    let seen = (error.fault(), error.failure());
    assert_eq!(seen, (BackendFault::NotDurable, StoreFailure::OutcomeUnknown), "{error:?}");
    assert_eq!(look.unwrap().outcome.name(), "Loaded", "a look needs no proof");
    // It was carried out; now it is on the disk, too.
    assert_eq!(backend.apply(arm(1)).await.unwrap().outcome.name(), "Armed");
}

#[tokio::test]
async fn an_integration_is_proven_to_be_on_the_disk_as_a_grant_is() {
    let (backend, key) = (open(&fresh_name()).await, partner::key("acme"));
    command("CONFIG", &["SET", "appendfsync", "everysec"]).await;
    let error = backend.apply_partner(partner::begin(&key)).await.unwrap_err();
    let look = backend.apply_partner(partner::load(&key)).await;
    command("CONFIG", &["SET", "appendfsync", "always"]).await;
    let seen = (error.fault(), error.failure());
    assert_eq!(seen, (BackendFault::NotDurable, StoreFailure::OutcomeUnknown), "{error:?}");
    assert_eq!(look.unwrap().outcome.name(), "Loaded", "a look needs no proof");
    // It was carried out; now it is on the disk, too.
    let answer = backend.apply_partner(partner::begin(&key)).await.unwrap();
    assert_eq!(answer.outcome.name(), "Done");
}

#[tokio::test]
async fn a_server_without_room_begins_no_integration() {
    let (backend, key) = (open(&fresh_name()).await, partner::key("acme"));
    command("CONFIG", &["SET", "maxmemory", "1"]).await;
    let error = backend.apply_partner(partner::begin(&key)).await.unwrap_err();
    command("CONFIG", &["SET", "maxmemory", "0"]).await;
    let seen = (error.fault(), error.failure());
    assert_eq!(seen, (BackendFault::DiskFull, StoreFailure::NotDone), "{error:?}");
    let answer = backend.apply_partner(partner::load(&key)).await.unwrap();
    assert_eq!(answer.outcome.name(), "Missing");
}

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_no_integration_alive() {
    let name = fresh_name();
    let backend = open(&name).await;
    let (damaged, sound) = (partner::key("acme"), partner::key("globex"));
    for key in [&damaged, &sound] {
        for op in partner::connect(key) {
            backend.apply_partner(op).await.unwrap();
        }
    }
    command("HSET", &[&format!("{{{name}}}:partner"), "planner acme", "nonsense"]).await;
    let error = backend.apply_partner(partner::load(&damaged)).await.unwrap_err();
    assert_eq!(error.fault(), BackendFault::Corrupted, "{error:?}");
    let answer = backend.apply_partner(partner::end_all()).await.unwrap();
    assert_eq!(answer.outcome, PartnerOutcome::AllEnded { count: 2 });
    for key in [&damaged, &sound] {
        let answer = backend.apply_partner(partner::load(key)).await.unwrap();
        let PartnerOutcome::Loaded(record) = answer.outcome else { panic!("{key}") };
        assert_eq!(record.binding, None, "{key}");
        assert_eq!(record.ended.map(|it| it.cause), Some(EndCause::Revoked), "{key}");
    }
}

#[tokio::test]
async fn a_server_without_room_changes_nothing_and_says_so() {
    let backend = open(&fresh_name()).await;
    backend.apply(adopt()).await.unwrap();
    command("CONFIG", &["SET", "maxmemory", "1"]).await;
    let error = backend.apply(arm(1)).await.unwrap_err();
    command("CONFIG", &["SET", "maxmemory", "0"]).await;
    let seen = (error.fault(), error.failure());
    assert_eq!(seen, (BackendFault::DiskFull, StoreFailure::NotDone), "{error:?}");
    let answer = backend.apply(load()).await.unwrap();
    let sr_auth_core::store::StoreOutcome::Loaded(record) = answer.outcome else { panic!() };
    assert_eq!(record.intent, None);
}

#[tokio::test]
async fn a_server_that_has_forgotten_the_script_is_told_it_again() {
    let backend = open(&fresh_name()).await;
    backend.apply(adopt()).await.unwrap();
    command("SCRIPT", &["FLUSH"]).await;
    assert_eq!(backend.apply(arm(1)).await.unwrap().outcome.name(), "Armed");
}

#[tokio::test]
async fn what_is_no_store_of_this_version_is_left_alone() {
    let (newer, foreign) = (fresh_name(), fresh_name());
    drop(open(&newer).await);
    command("HSET", &[&format!("{{{newer}}}:store"), "version", "99"]).await;
    command("SET", &[&format!("{{{foreign}}}:store"), "something else"]).await;
    for (name, store, expected) in [
        ("a newer version", newer, BackendFault::Incompatible),
        ("somebody else's key", foreign, BackendFault::NotAStore),
    ] {
        let builder = RedisBackend::builder(&address()).unwrap().name(&store).unwrap();
        let error = builder.open().await.unwrap_err();
        let seen = (error.fault(), error.failure());
        assert_eq!(seen, (expected, StoreFailure::NotDone), "{name}: {error:?}");
    }
}

#[tokio::test]
async fn who_may_not_enter_is_told_so_without_the_password() {
    command("ACL", &["SETUSER", "reader", "on", ">canary", "~*", "+@read", "+ping"]).await;
    let with = |user: &str| variable("SR_AUTH_TEST_REDIS").replace("redis://", user);
    for (name, address) in [
        ("a wrong password", with("redis://reader:canary-2@")),
        ("an unknown user", with("redis://nobody:canary-2@")),
        ("a user without the right to write", with("redis://reader:canary@")),
    ] {
        let error = RedisBackend::open(&Secret::new(address)).await.unwrap_err();
        let seen = (error.fault(), error.failure());
        assert_eq!(seen, (BackendFault::Refused, StoreFailure::NotDone), "{name}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{name}");
    }
    command("ACL", &["DELUSER", "reader"]).await;
}

#[tokio::test]
async fn a_server_that_was_down_is_found_again_with_all_that_was_answered() {
    let backend = open(&fresh_name()).await;
    backend.apply(adopt()).await.unwrap();
    backend.apply(arm(1)).await.unwrap();
    order("kill", "redis");
    let error = backend.apply(load()).await.unwrap_err();
    assert_eq!(error.fault(), BackendFault::Unreachable, "{error:?}");
    order("start", "redis");
    let mut answer = backend.apply(arm(2)).await;
    for _ in 0..50 {
        if answer.is_ok() {
            break;
        }
        answer = backend.apply(arm(2)).await;
    }
    assert_eq!(answer.unwrap().outcome.name(), "Busy");
}
