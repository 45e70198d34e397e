//! What the browser may bring back, and in which order it is judged.

use sr_auth_core::grant::{
    AuthorizationCodeGrant, AuthorizationRequest, AuthorizationSettings, PendingAuthorization,
};
use sr_auth_core::wire::callback::{
    AuthorizationRefusal, Callback, CallbackError, CallbackParameter,
};
use sr_auth_core::{ClientCredentials, Endpoints, RedirectUri};

use crate::fixture::{STATE, at, begin, callback, client, secret, settings};

fn accept(callback: &Callback) -> Result<AuthorizationCodeGrant, CallbackError> {
    begin(&settings()).into_pending().accept(&settings(), callback, at(1))
}

/// `STATE` in a query stands for the state that was sent.
#[track_caller]
fn check(cases: &[(&str, &str, Result<(), CallbackError>)]) {
    for (name, query, expected) in cases {
        let query = query.replace("STATE", STATE);
        assert_eq!(&accept(&callback(&query)).map(|_| ()), expected, "{name}: {query}");
    }
}

fn declined() -> CallbackError {
    match accept(&callback(&format!("error=access_denied&state={STATE}"))) {
        Err(error @ CallbackError::Declined { .. }) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn callbacks_are_judged_in_order() {
    use CallbackError::{NoCode, StateMismatch};
    check(&[
        ("accepted", "code=e63d&state=STATE", Ok(())),
        ("unknown parameters are ignored", "code=e63d&state=STATE&tracking=1", Ok(())),
        ("declined", "error=access_denied&state=STATE", Err(declined())),
        ("neither code nor error", "state=STATE", Err(NoCode)),
        ("an empty code is no code", "code=&state=STATE", Err(NoCode)),
        ("state comes before error", "error=access_denied&state=x", Err(StateMismatch)),
        ("state comes before a missing code", "state=x", Err(StateMismatch)),
    ]);
}

#[test]
fn c08_only_the_state_that_was_sent_is_accepted() {
    use CallbackError::StateMismatch;
    check(&[
        ("someone else's state", "code=e63d&state=s2", Err(StateMismatch)),
        ("no state", "code=e63d", Err(StateMismatch)),
        ("an empty state", "code=e63d&state=", Err(StateMismatch)),
        ("a longer state", "code=e63d&state=STATE0", Err(StateMismatch)),
        ("another letter case in the name", "code=e63d&State=STATE", Err(StateMismatch)),
    ]);
}

#[test]
fn c08_a_callback_through_another_browser_session_is_refused() {
    let query = format!("code=e63d&state={STATE}");
    let cases = [
        ("the session that began", Some("cookie-1"), Ok(())),
        ("another session", Some("cookie-2"), Err(CallbackError::OtherSession)),
        ("no session", None, Err(CallbackError::OtherSession)),
    ];
    for (name, session, expected) in cases {
        let pending = begin(&settings()).bind_to(&secret("cookie-1")).into_pending();
        let mut callback = callback(&query);
        if let Some(session) = session {
            callback = callback.with_session(secret(session));
        }
        let judged = pending.accept(&settings(), &callback, at(1)).map(|_| ());
        assert_eq!(judged, expected, "{name}");
    }
}

#[test]
fn c08_an_authorization_ends_after_ten_minutes() {
    let query = format!("code=e63d&state={STATE}");
    let begun = 1_000;
    let cases = [
        (begun + 599, Ok(())),
        (begun + 600, Err(CallbackError::Expired)),
        (begun - 60, Ok(())),
        (begun - 61, Err(CallbackError::Expired)),
    ];
    for (secs, expected) in cases {
        let request = AuthorizationRequest::new(&settings(), [7; 64], at(begun)).expect("valid");
        let pending = request.into_pending();
        let judged = pending.accept(&settings(), &callback(&query), at(secs)).map(|_| ());
        assert_eq!(judged, expected, "at {secs} s");
    }
}

#[test]
fn c07_a_repeated_parameter_is_refused() {
    use CallbackError::Repeated;
    use CallbackParameter::{Code, Error, Issuer, State};
    check(&[
        ("two codes", "code=a&code=b&state=STATE", Err(Repeated(Code))),
        ("the same code twice", "code=a&code=a&state=STATE", Err(Repeated(Code))),
        ("two states", "code=a&state=STATE&state=STATE", Err(Repeated(State))),
        ("two errors", "error=a&error=b&state=STATE", Err(Repeated(Error))),
        ("two issuers", "code=a&iss=x&iss=x&state=STATE", Err(Repeated(Issuer))),
        ("an encoded name counts too", "code=a&%63ode=b&state=STATE", Err(Repeated(Code))),
    ]);
}

#[test]
fn c37_code_500_beside_an_error_is_not_a_code() {
    let documented =
        "error=access_denied&error_description=The user denied access to your application&code=500";
    let Err(CallbackError::Declined { description }) =
        accept(&callback(&format!("{documented}&state={STATE}")))
    else {
        panic!("a decline");
    };
    let description = description.expect("the unencoded description is read");
    assert_eq!(description.as_str(), "The user denied access to your application");
    assert_eq!(accept(&callback(documented)).map(|_| ()), Err(CallbackError::StateMismatch));
}

#[test]
fn c38_a_code_beside_any_error_is_an_error() {
    let query = format!("code=e63d&error=server_error&state={STATE}");
    let Err(CallbackError::Refused { reason, .. }) = accept(&callback(&query)) else {
        panic!("a refusal");
    };
    assert_eq!(reason, AuthorizationRefusal::ServerError);
}

#[test]
fn c14_a_callback_of_another_authorization_server_is_refused() {
    let query = format!("code=e63d&state={STATE}");
    let with = |endpoints, uri: &str| {
        AuthorizationSettings::new(client(), endpoints, RedirectUri::parse(uri).expect("valid"))
    };
    let uri = "https://yourapp.example/callback";
    let one = || with(Endpoints::production(), uri);
    let local = || Endpoints::at_origin("http://127.0.0.1:8080").expect("valid");
    let cases = [
        ("the same", one(), one(), Ok(())),
        ("begun there, ended here", with(local(), uri), one(), Err(CallbackError::OtherServer)),
        ("begun here, ended there", one(), with(local(), uri), Err(CallbackError::OtherServer)),
        (
            "another redirect URI",
            one(),
            with(Endpoints::production(), "https://yourapp.example/other"),
            Err(CallbackError::OtherApplication),
        ),
        (
            "another client",
            one(),
            AuthorizationSettings::new(
                ClientCredentials::new("another", secret("s")).expect("valid"),
                Endpoints::production(),
                RedirectUri::parse(uri).expect("valid"),
            ),
            Err(CallbackError::OtherApplication),
        ),
        (
            "another issuer",
            one(),
            with(Endpoints::production().with_issuer("https://i.example").expect("valid"), uri),
            Err(CallbackError::OtherServer),
        ),
    ];
    for (name, begun, ended, expected) in cases {
        let pending = begin(&begun).into_pending();
        let judged = pending.accept(&ended, &callback(&query), at(1)).map(|_| ());
        assert_eq!(judged, expected, "{name}");
    }
}

#[test]
fn c15_the_issuer_is_compared_exactly_when_one_is_configured() {
    let endpoints = Endpoints::production().with_issuer("https://i.example").expect("not empty");
    let uri = RedirectUri::parse("https://yourapp.example/callback").expect("valid");
    let settings = AuthorizationSettings::new(client(), endpoints, uri);
    let cases = [
        ("the same", "code=e63d&iss=https%3A%2F%2Fi.example", Ok(())),
        ("absent", "code=e63d", Err(CallbackError::IssuerMismatch)),
        ("absent beside an error", "error=access_denied", Err(CallbackError::IssuerMismatch)),
        ("a slash more", "code=e63d&iss=https://i.example/", Err(CallbackError::IssuerMismatch)),
        ("another case", "code=e63d&iss=https://I.example", Err(CallbackError::IssuerMismatch)),
    ];
    for (name, query, expected) in cases {
        let pending = begin(&settings).into_pending();
        let callback = callback(&format!("{query}&state={STATE}"));
        assert_eq!(pending.accept(&settings, &callback, at(1)).map(|_| ()), expected, "{name}");
    }
    let unasked = callback(&format!("code=e63d&iss=anything&state={STATE}"));
    assert!(accept(&unasked).is_ok(), "none is configured, so none is compared");
}

#[test]
fn a_callback_may_be_a_url_a_path_or_a_query() {
    let query = format!("code=e63d&state={STATE}");
    let cases = [
        ("a URL", format!("https://yourapp.example/callback?{query}"), Ok(())),
        ("blanks around it", format!("  https://yourapp.example/callback?{query}\n"), Ok(())),
        ("a URL with a fragment", format!("https://yourapp.example/callback?{query}#_=_"), Ok(())),
        ("the host in capitals", format!("https://YourApp.example/callback?{query}"), Ok(())),
        ("a path", format!("/callback?{query}"), Ok(())),
        ("a query", query.clone(), Ok(())),
        ("a query with its mark", format!("?{query}"), Ok(())),
        ("a mark inside of a query", format!("x=Really?&{query}"), Ok(())),
        ("a URL inside of a query", format!("x=https://a.example/?b&{query}"), Ok(())),
        (
            "a second query inside of the first",
            format!("code=x?y=1&{query}"),
            Err(CallbackError::Repeated(CallbackParameter::Code)),
        ),
        (
            "a host without a scheme",
            format!("//evil.example/cb?{query}"),
            Err(CallbackError::OtherRedirectUri),
        ),
        (
            "a scheme with one slash",
            format!("https:/evil.example/cb?{query}"),
            Err(CallbackError::OtherRedirectUri),
        ),
        (
            "someone else's URL",
            format!("https://other.example/callback?{query}"),
            Err(CallbackError::OtherRedirectUri),
        ),
        (
            "our host, another path",
            format!("https://yourapp.example/other?{query}"),
            Err(CallbackError::OtherRedirectUri),
        ),
        ("a bare code", "e63dfcab".to_owned(), Err(CallbackError::Malformed)),
        ("nothing", String::new(), Err(CallbackError::Malformed)),
        (
            "a byte more than 16 KiB",
            format!("{query}&x={}", "x".repeat(16_384 - query.len() - 2)),
            Err(CallbackError::Malformed),
        ),
        ("16 KiB", format!("{query}&x={}", "x".repeat(16_384 - query.len() - 3)), Ok(())),
    ];
    for (name, text, expected) in cases {
        assert_eq!(accept(&Callback::new(&text)).map(|_| ()), expected, "{name}");
    }
}

#[test]
fn the_state_of_a_callback_finds_its_authorization() {
    let pending = begin(&settings()).into_pending();
    let found = |text: &str| Callback::new(text).state().map(|it| it.matches(pending.state()));
    assert_eq!(found(&format!("/callback?code=e63d&state={STATE}")), Ok(true));
    assert_eq!(found("/callback?code=e63d&state=s2"), Ok(false));
    assert_eq!(found("/callback?code=e63d"), Err(CallbackError::StateMismatch));
    let twice = CallbackError::Repeated(CallbackParameter::State);
    assert_eq!(found("state=a&state=b"), Err(twice));
}

#[test]
fn a_pending_authorization_survives_storage() {
    let pending = begin(&settings()).bind_to(&secret("cookie-1")).into_pending();
    let stored = pending.to_secret();
    let restored = PendingAuthorization::from_secret(&stored).expect("what was just written");
    assert_eq!(restored.to_secret().expose(), stored.expose());
    let callback = callback(&format!("code=e63d&state={STATE}")).with_session(secret("cookie-1"));
    assert!(restored.accept(&settings(), &callback, at(1)).is_ok());
    let damaged = ["", "{}", "null", &stored.expose()[1..], &stored.expose().replace(":1}", ":2}")];
    for text in damaged {
        let error = PendingAuthorization::from_secret(&secret(text)).expect_err(text);
        assert_eq!(error.to_string(), "the stored pending authorization cannot be read back");
    }
}

proptest::proptest! {
    /// Whatever else is in it, a callback is accepted only with the state that was sent, once.
    #[test]
    fn c08_no_callback_without_the_state_is_accepted(
        parts in proptest::collection::vec("(code=e63d|state=[0-9]{0,4}|state|[a-z?&=/:#]{0,6})", 0..6),
    ) {
        let text = parts.join("&");
        let without = accept(&Callback::new(&format!("code=e63d&{text}")));
        proptest::prop_assert!(without.is_err(), "{text}");
        let twice = accept(&Callback::new(&format!("code=e63d&state={STATE}&{text}&state={STATE}")));
        proptest::prop_assert!(twice.is_err() || text.contains('#'), "{text}");
    }

    /// No text makes the parser panic.
    #[test]
    fn c07_any_text_is_read_to_an_end(text in ".{0,200}") {
        proptest::prop_assert!(accept(&Callback::new(&text)).is_err());
    }
}
