//! Which address is meant, when flags and variables say different things.

use crate::program::{Program, sandbox};

#[tokio::test]
async fn a_flag_beats_a_variable() {
    let (sandbox, other) = (sandbox(&[]).await, sandbox(&[]).await);
    let origin = sandbox.origin();
    let ended = Program::new(&["token", "--origin", &origin])
        .for_service(&sandbox)
        .env("SR_AUTH_ORIGIN", &other.origin())
        .env("SR_AUTH_ENVIRONMENT", "production")
        .run()
        .await;
    assert_eq!(ended.code, 0, "{}", ended.err);
    // Without a certificate authority nothing can leave for production.
    let empty = tempfile::NamedTempFile::new().expect("a file can be made");
    let empty = empty.path().to_str().expect("the path is text");
    let arguments = ["token", "--environment", "production", "--root-certificates", empty];
    let ended = Program::new(&arguments).for_service(&sandbox).run().await;
    assert!(ended.err.contains("--root-certificates"), "{}", ended.err);
    assert!(!ended.err.contains("cannot be used with"), "{}", ended.err);
    assert_eq!(other.with(|it| it.journal().count()), 0);
    assert_eq!(sandbox.with(|it| it.journal().count()), 1);
}

#[tokio::test]
async fn an_empty_variable_is_as_good_as_none() {
    let sandbox = sandbox(&[]).await;
    let mut program = Program::new(&["token"]).for_service(&sandbox);
    for name in [
        "API_KEY",
        "API_ORIGIN",
        "AUTHORIZATION_ENDPOINT",
        "CLIENT_CERTIFICATE",
        "CLIENT_SECRET_FILE",
        "ENVIRONMENT",
        "LOG",
        "REDIRECT_URI",
        "ROOT_CERTIFICATES",
        "TOKEN_ENDPOINT",
    ] {
        program = program.env(&format!("SR_AUTH_{name}"), "");
    }
    let ended = program.run().await;
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}

#[tokio::test]
async fn two_variables_that_differ_are_a_question_and_not_a_guess() {
    let sandbox = sandbox(&[]).await;
    for name in ["production", "s3cr3t"] {
        let program = Program::new(&["token"]).for_service(&sandbox);
        let ended = program.env("SR_AUTH_ENVIRONMENT", name).run().await;
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{}", ended.err);
        assert!(!ended.err.contains("s3cr3t"), "{}", ended.err);
    }
    let program = Program::new(&["token"]).env("SR_AUTH_ENVIRONMENT", "s3cr3t").run().await;
    assert_eq!(program.code, 2, "{}", program.err);
    assert!(!program.err.contains("s3cr3t"), "{}", program.err);
}

#[tokio::test]
async fn only_a_login_needs_to_know_where_users_consent() {
    let sandbox = sandbox(&[]).await;
    let (origin, client) = (sandbox.origin(), sandbox.credentials().service());
    let endpoint = format!("{origin}/identity/oauth/token");
    let addresses =
        ["--environment", "sandbox", "--api-origin", &origin, "--token-endpoint", &endpoint];
    let with = |command: &[&str]| {
        let arguments: Vec<&str> = command.iter().chain(&addresses).copied().collect();
        Program::new(&arguments).with(client).run()
    };
    let (token, api) = (with(&["token"]).await, with(&["api", "GET", "/jobs"]).await);
    assert_eq!((token.code, api.code), (0, 0), "{} {}", token.err, api.err);
    let login = with(&["login", "--no-browser", "--timeout", "1"]).await;
    assert_eq!((login.code, login.out.as_str()), (2, ""), "{}", login.err);
    assert!(login.err.contains("--authorization-endpoint"), "{}", login.err);
}
