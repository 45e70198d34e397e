//! `sr-auth demo`.

use std::time::{Duration, Instant};

use crate::browser::{authorize, come_back, press_authorize};
use crate::program::Program;

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
async fn everything_goes_as_said_in_less_than_ten_seconds() {
    let began = Instant::now();
    let ended = Program::new(&["demo"]).run().await;
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{}", ended.out);
    assert!(began.elapsed() < Duration::from_secs(10));
    let lines = [
        "[ 1/13] No authentication: a public endpoint",
        "[11/13] A company without API access",
        "✓ no credential was sent",
        "✓ the refusal is a typed error: invalid_client",
        "✓ the server counts 1 request: no storm of repeats",
        "1. The user begins at the application.",
        "10. The resource server answers for this user.",
        "✓ it is the user who agreed",
        "✓ the spent refresh token is refused: invalid_grant",
        "error=access_denied&error_description=The user denied access to your application&code=500",
        "✓ the server refuses the old code: invalid_grant",
        "✓ it does not read candidates: candidates_read is named as missing",
        "[12/13] A lost answer: service goes on, and what is lost is said plainly",
        "✓ who calls meanwhile is served with the old access token",
        "✓ the store says that for 135 s nobody presents the token again",
        "✓ the server counts 1 presentation",
        "✓ the cause is recorded: lost in rotation, not revoked by anybody",
        "code: sr_auth::dead::lost_in_rotation",
        "✓ the dead token is not presented any more",
        "✓ new tokens came, and were stored before anybody was told",
        "✓ the next access token is served, and nobody has noticed",
        "All 13 steps went as said",
    ];
    for line in lines {
        assert!(ended.out.contains(line), "{line} is not in {}", ended.out);
    }
    assert!(!ended.out.contains('✗'), "{}", ended.out);
}

#[tokio::test]
async fn k04_nothing_in_it_looks_like_a_secret() {
    let ended = Program::new(&["demo", "-vv"]).run().await;
    let text = format!("{}{}", ended.out, ended.err);
    let longest = text.split(|it: char| !it.is_ascii_hexdigit()).map(str::len).max();
    assert!(
        longest.is_some_and(|length| length < 16),
        "the sandbox's secrets are 32 digits or more"
    );
}

#[tokio::test]
async fn a_terminal_without_utf8_gets_ascii() {
    let programs = [Program::new(&["demo", "--ascii"]), Program::new(&["demo"]).env("LANG", "C")];
    for program in programs {
        let ended = program.run().await;
        assert_eq!(ended.code, 0);
        assert!(ended.out.is_ascii(), "{}", ended.out);
        assert!(ended.out.contains("ok no credential was sent"), "{}", ended.out);
    }
}

#[tokio::test]
async fn consent_can_be_given_in_a_real_browser() {
    // No browser can be opened without a PATH, so the demo says where to go.
    let mut running = Program::new(&["demo", "--browser"]).start();
    let line = running.line_with("The application is at ").await;
    let start = line.trim().strip_prefix("The application is at ").expect("an address follows");
    let page = authorize(start).await;
    come_back(&press_authorize(&page).await).await;
    running.line_with("the user who agreed").await;
    let ended = running.end().await;
    assert_eq!(ended.code, 0, "{}", ended.out);
    assert!(ended.out.contains("All 13 steps went as said"), "{}", ended.out);
}
