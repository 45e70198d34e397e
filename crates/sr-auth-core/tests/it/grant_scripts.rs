//! The machines as stories: inputs on the left, what came out below.

use sr_auth_core::Timestamp;
use sr_auth_core::grant::{ClientCredentialsGrant, Input, RefreshTokenGrant};
use sr_auth_core::{Endpoints, GrantError, Machine as _, SingleUse};

use crate::fixture::{
    CODE, STATE, SUCCESSOR, TOKEN, at, begin, callback, client, cut, lost, not_sent, refresh_token,
    response, retry, settings, story,
};

fn by_client(script: Vec<(Timestamp, Input)>) -> String {
    let endpoints = Endpoints::production();
    story(ClientCredentialsGrant::new(&client(), endpoints.token(), retry(), at(0)), script)
}

fn refresh_grant() -> RefreshTokenGrant {
    let endpoints = Endpoints::production();
    RefreshTokenGrant::new(&client(), endpoints.token(), refresh_token(), retry(), at(0))
}

fn by_refresh(script: Vec<(Timestamp, Input)>) -> String {
    story(refresh_grant(), script)
}

fn by_code(script: Vec<(Timestamp, Input)>) -> String {
    let callback = callback(&format!("code={CODE}&state={STATE}"));
    let pending = begin(&settings()).into_pending();
    story(pending.accept(&settings(), &callback, at(0)).expect("accepted"), script)
}

fn token() -> String {
    format!(r#"{{"access_token":"{TOKEN}","token_type":"bearer","expires_in":1799}}"#)
}

fn rotated() -> String {
    format!(r#"{{"access_token":"{TOKEN}","expires_in":1799,"refresh_token":"{SUCCESSOR}"}}"#)
}

#[test]
fn client_credentials_bring_a_token() {
    insta::assert_snapshot!(by_client(vec![(at(1), response(1, 200, &token()))]));
}

#[test]
fn client_credentials_are_asked_again_after_faults_and_then_given_up() {
    insta::assert_snapshot!(by_client(vec![
        (at(1), response(1, 503, "")),
        (at(1), Input::Timeout),
        (at(2), Input::Timeout),
        (at(3), response(1, 200, &token())),
        (at(32), Input::Timeout),
        (at(34), Input::Timeout),
        (at(35), lost(3)),
    ]));
}

#[test]
fn c36_a_revoked_client_is_asked_once_and_not_in_a_storm() {
    insta::assert_snapshot!(by_client(vec![
        (at(1), response(1, 401, r#"{"error":"invalid_client"}"#)),
        (at(60), Input::Timeout),
        (at(61), response(1, 200, &token())),
    ]));
}

#[test]
fn c12_a_code_is_sent_again_only_when_it_was_not_sent() {
    insta::assert_snapshot!(by_code(vec![
        (at(3), not_sent(1)),
        (at(4), Input::Timeout),
        (at(5), response(2, 200, &rotated())),
    ]));
    insta::assert_snapshot!(
        "a_code_is_not_repeated_after_a_loss",
        by_code(vec![
            (at(3), lost(1)),
            (at(9), Input::Timeout),
            (at(10), response(1, 200, &rotated())),
        ])
    );
}

#[test]
fn c13_a_code_is_never_sent_after_its_time() {
    insta::assert_snapshot!(by_code(vec![(at(26), not_sent(1)), (at(40), Input::Timeout)]));
    insta::assert_snapshot!(
        "a_code_that_cannot_be_sent_in_time_expires",
        by_code(vec![(at(25), not_sent(1)), (at(28), Input::Timeout),])
    );
}

#[test]
fn c13_a_clock_that_is_set_back_does_not_make_a_code_young() {
    let callback = callback(&format!("code={CODE}&state={STATE}"));
    let pending = begin(&settings()).into_pending();
    let grant = pending.accept(&settings(), &callback, at(100)).expect("accepted");
    insta::assert_snapshot!(story(grant, vec![(at(50), not_sent(1)), (at(51), Input::Timeout)]));
}

#[test]
fn c16_a_refresh_keeps_the_successor_and_the_old_token_only_without_one() {
    use sr_auth_core::grant::Output;
    for (body, expected, rotated) in
        [(rotated(), SUCCESSOR, true), (token(), crate::fixture::REFRESH, false)]
    {
        let mut grant = refresh_grant();
        grant.poll_output();
        grant.handle_input(at(1), response(1, 200, &body));
        let Some(Output::Event(Ok(set))) = grant.poll_output() else { panic!("tokens") };
        assert_eq!(set.refresh().expect("a token to keep").secret().expose(), expected);
        assert_eq!(set.rotated(), rotated);
    }
}

#[test]
fn a_refresh_token_is_never_sent_twice() {
    insta::assert_snapshot!(by_refresh(vec![
        (at(30), response(1, 503, "")),
        (at(300), Input::Timeout),
        (at(301), response(1, 200, &rotated())),
    ]));
    insta::assert_snapshot!(
        "a_late_answer_is_awaited_128_seconds",
        by_refresh(vec![(at(142), Input::Timeout), (at(143), Input::Timeout),])
    );
    insta::assert_snapshot!(
        "a_throttled_refresh_keeps_its_token",
        by_refresh(vec![(at(1), response(1, 429, "")),])
    );
}

#[test]
fn a_garbled_answer_gives_back_the_refresh_token_in_it() {
    use sr_auth_core::grant::Output;
    let mut grant = refresh_grant();
    grant.poll_output();
    grant
        .handle_input(at(1), response(1, 200, &format!(r#"{{"refresh_token":"{SUCCESSOR}","acc"#)));
    let Some(Output::Event(Err(failure))) = grant.poll_output() else { panic!("a failure") };
    assert!(matches!(failure.error(), GrantError::ServerMisbehaved(_)));
    assert_eq!(failure.salvaged().expect("salvaged").secret().expose(), SUCCESSOR);
}

#[test]
fn input_that_is_stale_or_early_changes_nothing() {
    let quiet = |told: &str| told.matches("    nothing\n").count();
    let stale = || {
        vec![
            (at(1), response(2, 200, &rotated())),
            (at(1), lost(2)),
            (at(1), not_sent(2)),
            (at(1), Input::Timeout),
        ]
    };
    assert_eq!(quiet(&by_client(stale())), 4, "client credentials");
    assert_eq!(quiet(&by_refresh(stale())), 4, "refresh token");
    assert_eq!(quiet(&by_code(stale())), 4, "code");
    let early = || vec![(at(1), not_sent(1)), (Timestamp::from_unix_millis(1_999), Input::Timeout)];
    assert_eq!(quiet(&by_client(early())), 2, "client credentials, in a pause");
    assert_eq!(quiet(&by_refresh(early())), 2, "refresh token, in a pause");
}

#[test]
fn c13_a_code_may_be_sent_in_its_last_moment_and_not_after() {
    let last = by_code(vec![(at(26), not_sent(1)), (at(27), Input::Timeout)]);
    assert!(last.contains("request 2, not after 27.000s"), "{last}");
    let over = by_code(vec![(Timestamp::from_unix_millis(26_001), not_sent(1))]);
    assert!(over.ends_with("expired before it could be sent\n    waits for nothing\n"), "{over}");
}

#[test]
fn a_token_that_arrived_whole_before_the_connection_broke_is_used() {
    let told = by_client(vec![(at(1), cut(1, &token()))]);
    assert!(told.contains("done: AccessToken { expires_at: 1799.000s"), "{told}");
}

#[test]
fn what_arrived_of_a_broken_answer_is_used() {
    use sr_auth_core::grant::Output;
    let whole = rotated();
    let mut grant = refresh_grant();
    grant.poll_output();
    grant.handle_input(at(1), cut(1, &whole));
    assert!(matches!(grant.poll_output(), Some(Output::Event(Ok(_)))), "nothing was missing");

    let mut grant = refresh_grant();
    grant.poll_output();
    grant.handle_input(at(1), cut(1, whole.strip_suffix('}').expect("an object")));
    let Some(Output::Event(Err(failure))) = grant.poll_output() else { panic!("a failure") };
    assert_eq!(failure.error(), &GrantError::OutcomeUnknown);
    assert_eq!(failure.salvaged().expect("salvaged").secret().expose(), SUCCESSOR);

    let mut grant = refresh_grant();
    grant.poll_output();
    grant.handle_input(at(1), cut(1, "{\"access_token\":\"t\",\"refresh_tok"));
    let Some(Output::Event(Err(failure))) = grant.poll_output() else { panic!("a failure") };
    assert!(failure.salvaged().is_none());
}

#[test]
fn a_doubtful_refresh_is_worth_one_more_try_and_a_doubtful_code_is_not() {
    use sr_auth_core::grant::Output;
    use sr_auth_core::{Remedy, Timestamp};
    let later = |at: Option<Timestamp>| Remedy::RetryLater { at };
    let salvageable = format!(r#"{{"refresh_token":"{SUCCESSOR}"}}"#);
    let cases = [
        ("lost", lost(1), later(Some(at(1 + 135))), Remedy::Reauthorize),
        ("5xx", response(1, 503, ""), later(Some(at(1 + 135))), Remedy::Reauthorize),
        ("200 {}", response(1, 200, "{}"), later(Some(at(1 + 135))), Remedy::Reauthorize),
        ("salvaged", response(1, 200, &salvageable), later(None), later(None)),
        (
            "dead",
            response(1, 400, r#"{"error":"invalid_grant"}"#),
            Remedy::Reauthorize,
            Remedy::Reauthorize,
        ),
        ("throttled", response(1, 429, ""), later(None), later(None)),
    ];
    for (name, input, of_refresh, of_code) in cases {
        let mut grant = refresh_grant();
        grant.poll_output();
        grant.handle_input(at(1), input.clone());
        let Some(Output::Event(Err(failure))) = grant.poll_output() else { panic!("{name}") };
        assert_eq!(failure.remedy(), of_refresh, "{name}, refresh");

        let callback = callback(&format!("code={CODE}&state={STATE}"));
        let pending = begin(&settings()).into_pending();
        let mut grant = pending.accept(&settings(), &callback, at(0)).expect("accepted");
        grant.poll_output();
        grant.handle_input(at(1), input);
        let Some(Output::Event(Err(failure))) = grant.poll_output() else { panic!("{name}") };
        assert_eq!(failure.remedy(), of_code, "{name}, code");
    }
}

#[test]
fn every_failure_says_what_became_of_the_refresh_token() {
    use sr_auth_core::grant::Output;
    let cases = [
        ("lost", lost(1), SingleUse::MaybeSpent),
        ("5xx", response(1, 500, ""), SingleUse::MaybeSpent),
        ("200 {}", response(1, 200, "{}"), SingleUse::MaybeSpent),
        ("a redirect", response(1, 307, ""), SingleUse::MaybeSpent),
        ("an unknown refusal", response(1, 403, ""), SingleUse::MaybeSpent),
        ("invalid_grant", response(1, 400, r#"{"error":"invalid_grant"}"#), SingleUse::Spent),
        ("invalid_client", response(1, 401, ""), SingleUse::Unspent),
        ("429", response(1, 429, ""), SingleUse::Unspent),
    ];
    for (name, input, expected) in cases {
        let mut grant = refresh_grant();
        grant.poll_output();
        grant.handle_input(at(1), input);
        let Some(Output::Event(Err(failure))) = grant.poll_output() else { panic!("{name}") };
        assert_eq!(failure.error().single_use(), expected, "{name}");
    }
}
