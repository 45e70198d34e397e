//! `sr-auth token`.

use sr_testkit::{Effect, Fault, Target};

use crate::program::{Program, authority, check_status, raw, sandbox, secret_of};

#[tokio::test]
async fn it_prints_the_token_and_nothing_else_and_the_token_works() {
    let sandbox = sandbox(&[]).await;
    let ended = Program::new(&["token"]).for_service(&sandbox).run().await;
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    let token = ended.out.strip_suffix('\n').expect("a line break ends it");
    assert!(!token.is_empty() && !token.contains(char::is_whitespace));
    let origin = sandbox.origin();
    let request = format!(
        "GET /jobs HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n",
        authority(&origin)
    );
    check_status(&raw(authority(&origin), &request).await, 200);
}

#[tokio::test]
async fn the_secret_can_be_sent_in_the_header() {
    let sandbox = sandbox(&[]).await;
    let ended = Program::new(&["token", "--basic"]).for_service(&sandbox).run().await;
    assert_eq!(ended.code, 0, "{}", ended.err);
}

#[tokio::test]
async fn c36_a_revoked_client_is_told_plainly_after_one_request() {
    let sandbox = sandbox(&[]).await;
    let id = sandbox.credentials().service().id().as_str().to_owned();
    assert!(sandbox.with(|it| it.world_mut().revoke_client(&id)));
    let ended = Program::new(&["token"]).for_service(&sandbox).run().await;
    assert_eq!((ended.code, ended.out.as_str()), (3, ""));
    insta::assert_snapshot!(ended.err);
    assert_eq!(sandbox.with(|it| it.journal().count()), 1);
}

#[tokio::test]
async fn what_is_the_servers_fault_is_told_apart_by_the_exit_code() {
    let redirect = || Effect::Redirect { location: "http://127.0.0.1:9/".to_owned(), status: 307 };
    let cases = [
        ("no JSON", Effect::Garbage, 6, "sr_auth::server_misbehaved"),
        ("c26_a redirect", redirect(), 6, "sr_auth::server_misbehaved"),
        ("a huge answer", Effect::HugeBody { bytes: 3_000_000 }, 6, "sr_auth::server_misbehaved"),
        ("a proxy says no", Effect::Status { status: 403 }, 5, "sr_auth::refused::unregistered"),
    ];
    for (name, effect, code, stable_name) in cases {
        let sandbox = sandbox(&[]).await;
        sandbox.with(|it| it.inject(Fault::new(Target::Token, effect).times(10)));
        let ended = Program::new(&["token"]).for_service(&sandbox).run().await;
        assert_eq!((ended.code, ended.out.as_str()), (code, ""), "{name}: {}", ended.err);
        assert!(ended.err.contains(stable_name), "{name}: {}", ended.err);
    }
}

#[tokio::test]
async fn nobody_at_the_address_means_try_again_later() {
    let sandbox = sandbox(&[]).await;
    let credentials = sandbox.credentials().service().clone();
    let origin = sandbox.origin();
    sandbox.stop().await;
    let ended = Program::new(&["token", "--origin", &origin]).with(&credentials).run().await;
    assert_eq!(ended.code, 5, "{}", ended.err);
    assert!(ended.err.contains("sr_auth::unavailable"), "{}", ended.err);
}

#[tokio::test]
async fn a_server_that_asks_to_wait_long_is_left_alone_and_the_moment_is_told() {
    let sandbox = sandbox(&["token_limit=0", "retry_after=3600"]).await;
    let ended = Program::new(&["token"]).for_service(&sandbox).run().await;
    assert_eq!((ended.code, ended.out.as_str()), (5, ""), "{}", ended.err);
    assert_eq!(sandbox.with(|it| it.journal().count()), 1);
    insta::with_settings!({filters => [(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[moment]")]}, {
        insta::assert_snapshot!(ended.err);
    });
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_refused_before_anything_is_sent() {
    let cases: [(&str, &[&str], &str); 7] = [
        ("plain http", &["--origin", "http://api.example.com"], "sr_auth::config::not_https"),
        ("no URL", &["--origin", "example"], "sr_auth::config::not_a_url"),
        ("an address", &["--origin", "https://192.0.2.1"], "sr_auth::config::unusual_host"),
        ("a password", &["--origin", "https://a:b@example.com"], "sr_auth::config::user_info"),
        ("no id", &["--client-id", ""], "sr_auth::config::empty"),
        ("two places", &["--environment", "sandbox", "--origin", "https://a.example"], "--origin"),
        ("a certificate that is none", &["--client-certificate", "/dev/null"], "/dev/null"),
    ];
    for (name, arguments, expected) in cases {
        let arguments: Vec<&str> = ["token"].iter().chain(arguments).copied().collect();
        let ended = Program::new(&arguments)
            .env("SR_AUTH_CLIENT_ID", "id")
            .env("SR_AUTH_CLIENT_SECRET", "s3cr3t")
            .run()
            .await;
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{name}: {}", ended.err);
        assert!(ended.err.contains(expected), "{name}: {}", ended.err);
        assert!(!ended.err.contains("s3cr3t"), "{name}");
    }
}

#[tokio::test]
async fn a_missing_setting_is_named_with_the_ways_to_give_it() {
    let sandbox = sandbox(&[]).await;
    let no_id = Program::new(&["token"]).at(&sandbox).run().await;
    let no_secret = Program::new(&["token", "--client-id", "id"]).at(&sandbox).run().await;
    assert_eq!((no_id.code, no_secret.code), (2, 2));
    insta::assert_snapshot!(format!("{}\n{}", no_id.err, no_secret.err));
}

#[tokio::test]
async fn verbose_shows_the_exchange_and_no_secret() {
    let sandbox = sandbox(&[]).await;
    let ended = Program::new(&["token", "-vv"]).for_service(&sandbox).run().await;
    assert_eq!(ended.code, 0);
    assert!(ended.err.contains("client_credentials"), "{}", ended.err);
    let secret = secret_of(sandbox.credentials().service());
    for text in [secret.as_str(), ended.out.trim()] {
        assert!(!ended.err.contains(text), "a secret is in the log");
    }
}
