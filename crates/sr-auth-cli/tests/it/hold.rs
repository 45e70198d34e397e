//! The operator's switch, from the command line.

use serde_json::Value;

use crate::program::Program;
use crate::stored::{LONG, Scene};

#[tokio::test]
async fn k09_what_is_held_is_not_printed_until_it_is_released() {
    let scene = Scene::logged_in(LONG).await;
    let before = scene.run(&["token"]).await;
    let held = scene.run(&["hold", "--all", "--reason", "a leaked key"]).await;
    assert_eq!((held.code, held.err.as_str()), (0, ""));
    assert!(held.out.starts_with("Held: all grants, since "), "{}", held.out);

    let refused = scene.run(&["token"]).await;
    assert_eq!((refused.code, refused.out.as_str()), (5, ""), "{}", refused.err);
    for told in ["sr_auth::held", "an operator holds the grant", "sr-auth release"] {
        assert!(refused.err.contains(told), "{told}: {}", refused.err);
    }
    let status = scene.run(&["status"]).await;
    assert!(status.out.contains("held:           all grants, since "), "{}", status.out);
    let status = scene.run(&["status", "--json"]).await;
    let status: Value = serde_json::from_str(&status.out).expect("it is JSON");
    assert_eq!(status["held"]["reason"], "a leaked key");
    assert_eq!(status["state"], "live", "nothing is lost");
    let listed = scene.run(&["hold"]).await;
    assert!(listed.out.contains("a leaked key"), "{}", listed.out);

    let released = scene.run(&["release", "--all"]).await;
    assert!(released.out.starts_with("Released: all grants"), "{}", released.out);
    assert_eq!(scene.run(&["token"]).await.out, before.out);
    assert_eq!(scene.run(&["hold"]).await.out, "Nothing is held.\n");
    assert_eq!(scene.presentations(), 0);
}

#[tokio::test]
async fn a_store_is_named_by_its_file_and_what_others_hold_does_not_count() {
    let scene = Scene::logged_in(LONG).await;
    let file = scene.store().display().to_string();
    let ended = scene.run(&["hold", "planner/acme", "--store", &file]).await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(scene.run(&["token"]).await.code, 0);
    let nothing = scene.run(&["release", "planner", "--store", &file]).await;
    assert!(nothing.out.contains("Nothing was held by such an order"), "{}", nothing.out);
    let ended = scene.run(&["release", "planner/acme", "--store", &file]).await;
    assert!(ended.out.starts_with("Released: planner/acme"), "{}", ended.out);
}

#[tokio::test]
async fn an_order_that_cannot_be_given_ends_with_2() {
    let scene = Scene::logged_in(LONG).await;
    let long = "x".repeat(201);
    let cases: [&[&str]; 7] = [
        &["hold", "--all", "--store", "/nowhere/grants.db"],
        &["hold", "--all", "--store", "postgres://planner:canary@db.example.com/planner"],
        &["status", "--grant", "planner/acme"],
        &["status", "--store", "/nowhere/grants.db"],
        &["hold", "--all", "--reason", &long],
        &["hold", "--all", "planner"],
        &["release"],
    ];
    for arguments in cases {
        let ended = scene.run(arguments).await;
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{arguments:?}: {}", ended.err);
        assert!(!ended.err.contains("canary"), "{}", ended.err);
    }
    let nowhere = Program::new(&["hold", "--all"]).run().await;
    assert_eq!(nowhere.code, 2, "{}", nowhere.err);
}
