//! `sr-auth partner demo`.

use std::time::{Duration, Instant};

use crate::program::{Program, fetch};

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
async fn an_integration_is_walked_from_registration_to_its_end_in_both_modes() {
    for mode in ["redirect", "popup"] {
        let began = Instant::now();
        let ended = Program::new(&["partner", "demo", "--headless", "--mode", mode]).run().await;
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{mode}: {}", ended.out);
        assert!(began.elapsed() < Duration::from_secs(15), "{mode}");
        let lines = [
            "[ 1/7] Registration: what the Partner & API Team is told, and what it gives",
            "✓ no scope is asked for that is not needed",
            "[ 2/7] Consent: a customer's administrator connects the application",
            "✓ it shows the scopes of both directions",
            "[ 3/7] Exchange: one consent becomes one integration",
            "✓ SmartRecruiters counts 1 request for credentials",
            "✓ a call with the new credentials has named this company",
            "[ 4/7] The first call of the API on the company's behalf",
            "✓ it opens this company and no other",
            "[ 5/7] SmartRecruiters calls the partner's own API",
            "✓ the partner's API knows the company by the token alone",
            "[ 6/7] The customer disables the integration",
            "✓ SmartRecruiters takes a token, and tells with it",
            "[ 7/7] Retirement: neither side's credentials open anything",
            "✓ a token that SmartRecruiters still has opens nothing",
            "All 7 steps went as said",
        ];
        for line in lines {
            assert!(ended.out.contains(line), "{mode}: {line} is not in {}", ended.out);
        }
        assert!(!ended.out.contains('✗'), "{}", ended.out);
    }
}

#[tokio::test]
async fn k04_nothing_that_is_shown_of_an_integration_looks_like_a_secret() {
    let ended = Program::new(&["partner", "demo", "--headless", "-vv"]).run().await;
    let text = format!("{}{}", ended.out, ended.err);
    let longest = text.split(|it: char| !it.is_ascii_hexdigit()).map(str::len).max();
    assert!(longest.is_some_and(|length| length < 16), "secrets have 32 digits or more: {text}");
}

#[tokio::test]
async fn a_terminal_without_utf8_gets_ascii_of_an_integration() {
    let ended = Program::new(&["partner", "demo", "--headless", "--ascii"]).run().await;
    assert_eq!(ended.code, 0, "{}", ended.out);
    assert!(ended.out.is_ascii(), "{}", ended.out);
}

#[tokio::test]
async fn both_servers_run_until_a_signal_and_leave_nothing_behind() {
    let folder = tempfile::tempdir().expect("a directory can be made");
    let arguments = ["partner", "demo", "--port", "0", "--sandbox-port", "0"];
    let program = Program::new(&arguments).env("TMPDIR", &folder.path().to_string_lossy());
    let mut running = program.start();
    let line = running.line_with("SmartRecruiters:").await;
    let apps = fetch(address(&line)).await;
    assert!(apps.contains("Example Partner"), "{apps}");
    let line = running.line_with("The partner's service:").await;
    let home = fetch(&address(&line).replace("localhost", "127.0.0.1")).await;
    assert!(home.contains("Nobody is signed in"), "{home}");
    let kept = std::fs::read_dir(folder.path()).expect("it is there").count();
    assert_eq!(kept, 1, "a folder with the store");
    running.line_with("GET    /pages/apps  200").await;
    running.signal("TERM").await;
    let ended = running.end().await;
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    let kept = std::fs::read_dir(folder.path()).expect("it is there").count();
    assert_eq!(kept, 0, "what was kept is gone");
}

#[tokio::test]
async fn a_port_that_is_taken_is_told() {
    let mut first =
        Program::new(&["partner", "demo", "--port", "0", "--sandbox-port", "0"]).start();
    let line = first.line_with("The partner's service:").await;
    let port = address(&line).trim_end_matches('/').rsplit(':').next().expect("a port").to_owned();
    let second = Program::new(&["partner", "demo", "--port", &port, "--sandbox-port", "0"]);
    let ended = second.run().await;
    assert_eq!(ended.code, 1, "{}", ended.out);
    assert!(ended.err.contains("the partner's service cannot listen"), "{}", ended.err);
    first.signal("TERM").await;
    assert_eq!(first.end().await.code, 0);
}

/// Returns the address at the end of a line.
fn address(line: &str) -> &str {
    line.trim().rsplit(' ').next().unwrap_or_default()
}
