//! `sr-auth api`.

use sr_testkit::{Effect, Fault, Target};

use crate::program::{Program, sandbox};

#[tokio::test]
async fn every_method_reads_what_it_may() {
    let sandbox = sandbox(&[]).await;
    let (key, partner) = {
        let credentials = sandbox.credentials();
        (
            credentials.api_key_secret().expose().to_owned(),
            credentials.partner_api_key_secret().expose().to_owned(),
        )
    };
    let postings = "/v1/companies/AcmeLogistics/postings";
    let cases = [
        ("client credentials", Program::new(&["api", "GET", "/jobs"]).for_service(&sandbox)),
        (
            "an API key",
            Program::new(&["api", "get", "/jobs"]).at(&sandbox).env("SR_AUTH_API_KEY", &key),
        ),
        (
            "a Partner API key",
            Program::new(&["api", "GET", "/feed/publications"])
                .at(&sandbox)
                .env("SR_AUTH_PARTNER_API_KEY", &partner),
        ),
        ("nothing", Program::new(&["api", "GET", postings, "--public"]).at(&sandbox)),
        (
            "nothing, though a key is there",
            Program::new(&["api", "GET", postings, "--auth", "none"])
                .at(&sandbox)
                .env("SR_AUTH_API_KEY", &key),
        ),
        (
            "the named one of several",
            Program::new(&["api", "GET", "/feed/publications", "--auth", "partner-api-key"])
                .for_service(&sandbox)
                .env("SR_AUTH_PARTNER_API_KEY", &partner),
        ),
    ];
    for (name, program) in cases {
        let ended = program.run().await;
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{name}");
        let body: serde_json::Value = serde_json::from_str(&ended.out).expect("it is JSON");
        assert!(body["content"].as_array().is_some_and(|it| !it.is_empty()), "{name}");
    }
    let public = sandbox.with(|it| {
        it.journal().filter(|entry| entry.path == postings && entry.credential.is_some()).count()
    });
    assert_eq!(public, 0, "a public request carries no credential");
}

#[tokio::test]
async fn refusals_are_explained_and_sorted_by_who_can_act() {
    let sandbox = sandbox(&[]).await;
    let credentials = sandbox.credentials().clone();
    let api = |path| Program::new(&["api", "GET", path]).at(&sandbox);
    let wrong_key = api("/jobs").env("SR_AUTH_API_KEY", "DCRA1-wrong").run().await;
    let no_scope = api("/candidates").with(credentials.narrow()).run().await;
    let no_access = api("/jobs").with(credentials.locked_out()).run().await;
    let no_role = api("/audit-api/v201910/audit-events").with(credentials.narrow()).run().await;
    let unknown = api("/nothing").with(credentials.narrow()).run().await;
    let codes = [&wrong_key, &no_scope, &no_access, &no_role, &unknown].map(|it| it.code);
    assert_eq!(codes, [3, 4, 4, 4, 1]);
    let told = [wrong_key, no_scope, no_access, no_role, unknown].map(|it| it.err);
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn what_the_server_cannot_do_now_may_be_tried_again() {
    for (status, expected) in [(429, 5), (500, 5), (503, 5), (400, 1), (409, 1)] {
        let sandbox = sandbox(&[]).await;
        let effect = Effect::Status { status };
        sandbox.with(|it| it.inject(Fault::new(Target::Resources, effect)));
        let ended = Program::new(&["api", "GET", "/jobs"]).for_service(&sandbox).run().await;
        assert_eq!(ended.code, expected, "{status}: {}", ended.err);
    }
}

#[tokio::test]
async fn a_path_that_leads_elsewhere_is_refused_and_nothing_is_sent() {
    let sandbox = sandbox(&[]).await;
    let paths = [
        "jobs",
        "//evil.example/jobs",
        "/\\evil.example/jobs",
        "https://evil.example/jobs",
        "@evil.example",
        "",
        "/feed/publications?apiKey=pp-1",
    ];
    for path in paths {
        let ended = Program::new(&["api", "GET", path]).for_service(&sandbox).run().await;
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{path}: {}", ended.err);
        assert!(!ended.err.contains("pp-1"));
    }
    assert_eq!(sandbox.with(|it| it.journal().count()), 0);
}

#[tokio::test]
async fn c26_a_redirect_is_an_error_and_its_target_is_not_contacted() {
    let (sandbox, other) = (sandbox(&[]).await, sandbox(&[]).await);
    let effect = Effect::Redirect { location: format!("{}/jobs", other.origin()), status: 307 };
    sandbox.with(|it| it.inject(Fault::new(Target::Resources, effect)));
    let ended = Program::new(&["api", "GET", "/jobs"]).for_service(&sandbox).run().await;
    assert_eq!((ended.code, ended.out.as_str()), (6, ""), "{}", ended.err);
    assert_eq!(other.with(|it| it.journal().count()), 0);
}

#[tokio::test]
async fn data_comes_from_a_file_or_from_standard_input() {
    let sandbox = sandbox(&[]).await;
    let candidate = r#"{"firstName":"New","lastName":"Candidate","email":"s@example.com"}"#;
    let directory = tempfile::tempdir().expect("a directory can be made");
    let file = directory.path().join("candidate.json");
    std::fs::write(&file, candidate).expect("it can be written");
    let file = file.to_str().expect("the path is text");
    for (data, input) in [(file, ""), ("-", candidate)] {
        let arguments = ["api", "POST", "/candidates", "--data", data];
        let ended = Program::new(&arguments).for_service(&sandbox).run_with(input).await;
        assert_eq!(ended.code, 0, "{data}: {} {}", ended.err, ended.out);
        assert!(ended.out.contains("New"), "{data}: {}", ended.out);
    }
    let arguments = ["api", "POST", "/candidates", "--data", "/nowhere"];
    let ended = Program::new(&arguments).for_service(&sandbox).run().await;
    assert_eq!(ended.code, 1, "{}", ended.err);
}

#[tokio::test]
async fn status_and_limits_go_to_standard_error() {
    let sandbox = sandbox(&[]).await;
    let ended = Program::new(&["api", "GET", "/jobs", "-i"]).for_service(&sandbox).run().await;
    assert_eq!(ended.code, 0);
    insta::assert_snapshot!(ended.err);
}

#[tokio::test]
async fn no_second_credential_can_be_added() {
    let sandbox = sandbox(&[]).await;
    for header in ["Authorization: Bearer s3cr3t", "X-SmartToken: s3cr3t", "s3cr3t"] {
        let arguments = ["api", "GET", "/jobs", "-H", header];
        let ended = Program::new(&arguments).for_service(&sandbox).run().await;
        assert_eq!(ended.code, 2, "{header}: {}", ended.err);
        assert!(!ended.err.contains("s3cr3t"), "{header}");
    }
    assert_eq!(sandbox.with(|it| it.journal().count()), 0);
}

#[tokio::test]
async fn without_a_credential_it_says_what_could_be_set() {
    let ended = Program::new(&["api", "GET", "/jobs"]).run().await;
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    insta::assert_snapshot!(ended.err);
}
