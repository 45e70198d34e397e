//! Where a browser may be sent: rows P01, P02.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sr_partner::consent::{RedirectError, RedirectOrigins};
use url::Url;

/// Ways to leave the list, each with its class: what browsers, servers and checks of others have been
/// seen to fall for, written for the host on our list.
const BYPASSES: &str = include_str!("corpus/redirect_bypasses.tsv");

fn bypasses() -> Vec<(&'static str, String)> {
    let lines = BYPASSES.lines().map(|line| {
        let (class, text) = line.split_once('\t').expect("a class and a text");
        (class, serde_json::from_str(text).expect("a JSON text"))
    });
    lines.collect()
}

#[test]
fn p01_p02_no_bypass_is_admitted() {
    let origins = RedirectOrigins::production();
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    for (class, text) in bypasses() {
        let admitted = origins.admit(&text);
        assert!(admitted.is_err(), "{class}: {text:?} became {}", admitted.unwrap().as_str());
        *classes.entry(class).or_default() += 1;
    }
    let total: usize = classes.values().sum();
    assert!(total >= 200 && classes.len() >= 15, "{total} in {classes:?}");
}

#[test]
fn p02_an_address_on_the_list_is_sent_as_its_parser_writes_it() {
    let home = "https://www.smartrecruiters.com";
    let cases = [
        ("the origin", "", "/"),
        ("its root", "/", "/"),
        ("a path", "/settings/apps-integrations", "/settings/apps-integrations"),
        ("a query", "/apps?id=7&tab=all", "/apps?id=7&tab=all"),
        ("a query alone", "?id=7", "/?id=7"),
        ("an escape", "/apps?name=a%20b%2Fc", "/apps?name=a%20b%2Fc"),
        ("an escape in the path", "/a%20b/%C3%A9", "/a%20b/%C3%A9"),
        (
            "another address in the query",
            "/go?to=https://evil.example/",
            "/go?to=https://evil.example/",
        ),
        ("a fragment", "/apps#connected", "/apps#connected"),
        ("quotes in the query", "/apps?a=\"<>", "/apps?a=%22%3C%3E"),
        ("a dot in a name", "/a.b/.well-known/c..d", "/a.b/.well-known/c..d"),
    ];
    let origins = RedirectOrigins::production();
    for (name, rest, expected) in cases {
        let admitted = origins.admit(&format!("{home}{rest}")).map(|it| it.as_str().to_owned());
        assert_eq!(admitted, Ok(format!("{home}{expected}")), "{name}");
    }
}

#[test]
fn each_reason_has_a_name() {
    let origins = RedirectOrigins::production();
    let long = format!("https://www.smartrecruiters.com/{}", "a".repeat(2_048));
    let cases = [
        ("https://evil.example/", RedirectError::OtherOrigin),
        ("https://www.smartrecruiters.com/\u{e9}", RedirectError::Characters),
        ("https://www.smartrecruiters.com//a", RedirectError::Path),
        ("https://www.smartrecruiters.com/a%3Bb=c/d", RedirectError::Path),
        (long.as_str(), RedirectError::TooLong),
    ];
    for (text, expected) in cases {
        assert_eq!(origins.admit(text), Err(expected), "{text}");
    }
}

#[test]
fn a_sandbox_on_loopback_has_its_own_list() {
    let origins =
        RedirectOrigins::new(["http://127.0.0.1:4000", "https://hire.example:8443"]).unwrap();
    assert!(origins.admit("http://127.0.0.1:4000/apps").is_ok());
    assert!(origins.admit("https://hire.example:8443/apps").is_ok());
    let others = [
        "http://127.0.0.1:4001/",
        "http://127.0.0.1:40000/",
        "https://127.0.0.1:4000/",
        "http://localhost:4000/",
        "https://hire.example/",
    ];
    for other in others {
        assert_eq!(origins.admit(other), Err(RedirectError::OtherOrigin), "{other}");
    }
    for bad in [
        "http://hire.example",
        "https://hire.example/path",
        "https://a@hire.example",
        "hire.example",
        "",
    ] {
        assert!(RedirectOrigins::new([bad]).is_err(), "{bad}");
    }
    assert!(RedirectOrigins::new([]).is_err(), "an empty list");
}

/// What an admitted address has to be, judged apart from the code that admitted it.
fn assert_harmless(text: &str, admitted: &str) -> Result<(), TestCaseError> {
    let url = Url::parse(admitted).expect("a URL");
    prop_assert_eq!(url.scheme(), "https");
    prop_assert_eq!(url.host_str(), Some("www.smartrecruiters.com"), "{:?}", text);
    prop_assert!(url.username().is_empty() && url.password().is_none() && url.port().is_none());
    prop_assert_eq!(url.as_str(), admitted, "it is as its parser writes it");
    prop_assert!(admitted.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Whatever is admitted leads to the list: pieces of addresses in any order.
    #[test]
    fn p01_whatever_is_admitted_leads_to_the_list(pieces in proptest::collection::vec(prop_oneof![
        3 => Just("https://www.smartrecruiters.com".to_owned()),
        2 => Just("https:".to_owned()),
        2 => Just("//".to_owned()),
        2 => Just("www.smartrecruiters.com".to_owned()),
        2 => Just("evil.example".to_owned()),
        2 => "[/\\\\@:?#.;%]{1,2}",
        1 => "%[0-9a-f]{2}",
        1 => "\\PC{0,3}",
        1 => "[\\x00-\\x20]",
    ], 1..7)) {
        let text: String = pieces.concat();
        if let Ok(admitted) = RedirectOrigins::production().admit(&text) {
            assert_harmless(&text, admitted.as_str())?;
        }
    }

    /// A bypass stays one when something is changed, put in or left out.
    #[test]
    fn p01_a_bypass_that_is_changed_leads_nowhere_either(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        piece in "[ -~\\t\\n]{0,2}",
        cut in 0..3_usize,
    ) {
        let all = bypasses();
        let text: Vec<char> = which.get(&all).1.chars().collect();
        let place = place.index(text.len() + 1);
        let rest = text.iter().skip(place + cut);
        let text: String = text.iter().take(place).copied().chain(piece.chars()).chain(rest.copied()).collect();
        if let Ok(admitted) = RedirectOrigins::production().admit(&text) {
            assert_harmless(&text, admitted.as_str())?;
        }
    }
}
