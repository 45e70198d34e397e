//! Where secrets may come from, and where they never appear.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use sr_auth_core::ScopeSet;
use sr_testkit::{Canary, Client, Company, Key, KeyHolder, Sandbox, SystemRole};
use tempfile::TempDir;

use crate::program::{Program, Running, sandbox, secret_of};

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
async fn a_secret_file_that_is_no_file_is_called_so() {
    let sandbox = sandbox(&[]).await;
    let directory = tempfile::tempdir().expect("a directory can be made");
    let pipe = directory.path().join("pipe");
    let pipe = pipe.to_str().expect("the path is text");
    let made = tokio::process::Command::new("mkfifo").arg(pipe).status().await;
    assert!(made.expect("there is such a program").success());
    let directory = directory.path().to_str().expect("the path is text");
    for path in [directory, pipe, "/dev/null"] {
        let arguments = ["token", "--client-id", "id", "--secret-file", path];
        let ended = Program::new(&arguments).at(&sandbox).run().await;
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{path}: {}", ended.err);
        assert!(ended.err.contains("is no regular file"), "{path}: {}", ended.err);
        assert!(!ended.err.contains("chmod"), "{path}: {}", ended.err);
    }
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

/// Adds a client and a key whose secrets are recognised in any spelling.
fn canaries(sandbox: &Sandbox) -> [Canary; 2] {
    let [secret, key] = [Canary::new("client secret", 1), Canary::new("API key", 2)];
    sandbox.with(|simulator| {
        let world = simulator.world_mut();
        world.add_company(Company::new("canary", "Canary", "Canary"));
        let scopes = ScopeSet::parse("jobs_read").expect("the scope is valid");
        let (role, text) = (SystemRole::Administrator, secret.secret().clone());
        world.add_client(Client::service("canary", text, "Canary", "canary", role, scopes));
        world.add_key(Key::new(KeyHolder::Company("canary".to_owned()), key.secret().clone()));
    });
    [secret, key]
}

#[tokio::test]
async fn k04_no_secret_is_told_in_any_spelling_whatever_goes_wrong() {
    let sandbox = sandbox(&[]).await;
    let canaries = canaries(&sandbox);
    let [secret, key] = canaries.each_ref().map(|it| it.secret().expose());
    let cases: [&[&str]; 9] = [
        &["token", "-vv"],
        &["token", "-vv", "--basic"],
        &["token", "-vv", "--client-id", "unknown"],
        &["token", "-vv", "--api-origin", "nonsense"],
        &["api", "GET", "/jobs", "-vv", "-i"],
        &["api", "GET", "/jobs", "-vv", "-i", "--auth", "api-key"],
        &["api", "GET", "/feed/publications", "-vv", "-i", "--auth", "api-key"],
        &["api", "GET", "/candidates", "-vv", "-i"],
        &["login", "-vv", "--no-browser", "--timeout", "1"],
    ];
    for arguments in cases {
        let program = Program::new(arguments).at(&sandbox).env("SR_AUTH_CLIENT_ID", "canary");
        let program = program.env("SR_AUTH_CLIENT_SECRET", secret).env("SR_AUTH_API_KEY", key);
        let ended = program.run().await;
        for canary in &canaries {
            for told in [&ended.err, &ended.out] {
                let found = canary.find(told.as_bytes());
                assert!(found.is_empty(), "{arguments:?}: {found:?}");
            }
        }
        if arguments[0] != "login" {
            let longest = ended.err.split(|it: char| !it.is_ascii_hexdigit()).map(str::len).max();
            assert!(longest < Some(16), "{arguments:?} tells a token: {}", ended.err);
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn k04_the_list_of_processes_shows_no_secret() {
    let sandbox = sandbox(&[]).await;
    let canaries = canaries(&sandbox);
    let [secret, _] = canaries.each_ref().map(|it| it.secret().expose());
    let login = Program::new(&["login", "--no-browser"])
        .at(&sandbox)
        .env("SR_AUTH_CLIENT_ID", "canary")
        .env("SR_AUTH_CLIENT_SECRET", secret);
    let mut running: Running = login.start();
    running.url().await;
    let line = fs::read(format!("/proc/{}/cmdline", running.id())).expect("it runs");
    assert!(canaries.iter().all(|canary| canary.find(&line).is_empty()));
    running.signal("INT").await;
    assert_eq!(running.end().await.code, 130);
}
