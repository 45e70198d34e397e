//! Where secrets may come from, and where they never appear.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use sr_testkit::Sandbox;
use tempfile::TempDir;

use crate::program::{Program, sandbox, secret_of};

/// Writes the secret of the service client into a file of this mode.
fn secret_file(directory: &TempDir, sandbox: &Sandbox, mode: u32) -> String {
    let path: PathBuf = directory.path().join(format!("secret-{mode:o}"));
    let secret = secret_of(sandbox.credentials().service());
    fs::write(&path, format!("{secret}\n")).expect("it can be written");
    fs::set_permissions(&path, Permissions::from_mode(mode)).expect("the mode can be set");
    path.to_str().expect("the path is text").to_owned()
}

#[tokio::test]
async fn a_secret_comes_from_a_file_or_standard_input() {
    let sandbox = sandbox(&[]).await;
    let directory = tempfile::tempdir().expect("a directory can be made");
    let file = secret_file(&directory, &sandbox, 0o600);
    let id = sandbox.credentials().service().id().as_str().to_owned();
    let token = |more: &[&str]| {
        let arguments: Vec<&str> =
            ["token", "--client-id", &id].iter().chain(more).copied().collect();
        Program::new(&arguments).at(&sandbox)
    };
    let secret = secret_of(sandbox.credentials().service());
    let runs = [
        ("a flag", token(&["--secret-file", &file]).run().await),
        ("a variable", token(&[]).env("SR_AUTH_CLIENT_SECRET_FILE", &file).run().await),
        ("standard input", token(&["--secret-stdin"]).run_with(&format!("{secret}\r\n")).await),
    ];
    for (name, ended) in runs {
        assert_eq!(ended.code, 0, "{name}: {}", ended.err);
    }
}

#[tokio::test]
async fn k04_a_secret_file_that_others_may_open_is_refused_with_the_command_that_mends_it() {
    let sandbox = sandbox(&[]).await;
    let directory = tempfile::tempdir().expect("a directory can be made");
    for mode in [0o644, 0o640, 0o604, 0o660, 0o620] {
        let file = secret_file(&directory, &sandbox, mode);
        let arguments = ["token", "--client-id", "id", "--secret-file", &file];
        let ended = Program::new(&arguments).at(&sandbox).run().await;
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{mode:o}: {}", ended.err);
        assert!(ended.err.contains(&format!("chmod 600 '{file}'")), "{mode:o}: {}", ended.err);
        assert!(!ended.err.contains(&secret_of(sandbox.credentials().service())));
    }
    assert_eq!(sandbox.with(|it| it.journal().count()), 0);
}

#[tokio::test]
async fn a_secret_that_is_given_twice_is_a_question_and_not_a_guess() {
    let sandbox = sandbox(&[]).await;
    let ended = Program::new(&["token"])
        .for_service(&sandbox)
        .env("SR_AUTH_CLIENT_SECRET_FILE", "/nowhere")
        .run()
        .await;
    assert_eq!(ended.code, 2, "{}", ended.err);
    assert!(ended.err.contains("both set"), "{}", ended.err);
}

#[tokio::test]
async fn k04_a_secret_as_an_argument_is_refused_and_not_repeated() {
    let sandbox = sandbox(&[]).await;
    let cases: [&[&str]; 7] = [
        &["token", "--client-secret", "s3cr3t-canary"],
        &["token", "--client-secret=s3cr3t-canary"],
        &["api", "GET", "/jobs", "--api-key", "s3cr3t-canary"],
        &["login", "--refresh-token", "s3cr3t-canary"],
        &["token", "s3cr3t-canary"],
        &["token", "s3cr3t-canary=="],
        &["token", "--sekret=s3cr3t-canary"],
    ];
    for arguments in cases {
        let ended = Program::new(arguments).for_service(&sandbox).run().await;
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{arguments:?}");
        assert!(!ended.err.contains("s3cr3t-canary"), "{arguments:?}: {}", ended.err);
    }
    assert_eq!(sandbox.with(|it| it.journal().count()), 0);
    let ended = Program::new(cases[0]).run().await;
    insta::assert_snapshot!(ended.err);
}

#[tokio::test]
async fn k04_no_secret_is_told_whatever_goes_wrong() {
    let sandbox = sandbox(&[]).await;
    let credentials = sandbox.credentials();
    let secret = secret_of(credentials.service());
    let key = credentials.api_key_secret().expose();
    let cases: [&[&str]; 7] = [
        &["token", "-vv"],
        &["token", "-vv", "--client-id", "unknown"],
        &["token", "-vv", "--token-endpoint", "http://127.0.0.1:9/identity/oauth/token"],
        &["api", "GET", "/jobs", "-vv", "-i"],
        &["api", "GET", "/jobs", "-vv", "-i", "--auth", "api-key"],
        &["api", "GET", "/feed/publications", "-vv", "-i", "--auth", "api-key"],
        &["api", "GET", "/nothing", "-vv", "-i"],
    ];
    for arguments in cases {
        let program = Program::new(arguments).for_service(&sandbox).env("SR_AUTH_API_KEY", key);
        let ended = program.run().await;
        for text in [secret.as_str(), key] {
            assert!(!ended.err.contains(text), "{arguments:?} tells a secret");
        }
        if arguments.contains(&"api") {
            assert!(!ended.out.contains(&secret) && !ended.out.contains(key), "{arguments:?}");
        }
    }
}
