//! The consent visit: rows P02, P05.

use sr_partner::consent::{
    ConsentDisplayMode, ConsentError, ConsentVisit, RedirectError, RedirectOrigins,
};

use crate::fixture::BACK;

type Parts = (String, Option<String>);

fn parse(query: &str, mode: ConsentDisplayMode) -> Result<Parts, ConsentError> {
    let origins = RedirectOrigins::production();
    let visit = ConsentVisit::parse(query, mode, &origins)?;
    let redirect = visit.redirect().map(|it| it.as_str().to_owned());
    Ok((visit.company().as_str().to_owned(), redirect))
}

#[test]
fn a_visit_is_read_strictly_and_a_redirect_counts_in_its_own_mode_only() {
    use ConsentDisplayMode::{Popup, Redirect};
    let both = Ok(("5f1b".to_owned(), Some(BACK.to_owned())));
    let alone = Ok(("5f1b".to_owned(), None));
    let escaped = "https%3A%2F%2Fwww.smartrecruiters.com%2Fsettings%2Fapps";
    let other = Err(ConsentError::Redirect(RedirectError::OtherOrigin));
    let cases = [
        ("redirect mode", Redirect, format!("companyId=5f1b&redirect={BACK}"), both.clone()),
        ("escaped", Redirect, format!("companyId=5f1b&redirect={escaped}"), both.clone()),
        ("in another order", Redirect, format!("redirect={escaped}&companyId=5f1b"), both.clone()),
        ("with something else", Redirect, format!("a=b&companyId=5f1b&redirect={BACK}"), both),
        (
            "escaped twice",
            Redirect,
            format!("companyId=5f1b&redirect={}", escaped.replace('%', "%25")),
            other.clone(),
        ),
        (
            "to somewhere else",
            Redirect,
            "companyId=5f1b&redirect=https://evil.example/".to_owned(),
            other,
        ),
        (
            "without a redirect",
            Redirect,
            "companyId=5f1b".to_owned(),
            Err(ConsentError::NoRedirect),
        ),
        (
            "with an empty one",
            Redirect,
            "companyId=5f1b&redirect=".to_owned(),
            Err(ConsentError::NoRedirect),
        ),
        (
            "with two",
            Redirect,
            format!("companyId=5f1b&redirect={BACK}&redirect={BACK}"),
            Err(ConsentError::Repeated),
        ),
        ("pop-up", Popup, "companyId=5f1b".to_owned(), alone.clone()),
        (
            "pop-up with a redirect",
            Popup,
            "companyId=5f1b&redirect=https://evil.example/".to_owned(),
            alone,
        ),
        ("no company", Popup, "redirect=x".to_owned(), Err(ConsentError::NoCompany)),
        ("an empty company", Popup, "companyId=".to_owned(), Err(ConsentError::NoCompany)),
        (
            "two companies",
            Popup,
            "companyId=5f1b&companyId=77aa".to_owned(),
            Err(ConsentError::Repeated),
        ),
        (
            "two, one escaped",
            Popup,
            "companyId=5f1b&company%49d=77aa".to_owned(),
            Err(ConsentError::Repeated),
        ),
        ("in other letters", Popup, "companyid=5f1b".to_owned(), Err(ConsentError::NoCompany)),
        ("a broken escape", Popup, "companyId=5f1b&a=%2".to_owned(), Err(ConsentError::Malformed)),
        ("nothing", Popup, String::new(), Err(ConsentError::NoCompany)),
        (
            "far too long",
            Popup,
            format!("companyId=5f1b&a={}", "x".repeat(9_000)),
            Err(ConsentError::Malformed),
        ),
    ];
    for (name, mode, query, expected) in cases {
        assert_eq!(parse(&query, mode), expected, "{name}: {query}");
    }
}

#[test]
fn p05_a_company_id_is_opaque_short_and_harmless_everywhere() {
    let longest = "a".repeat(100);
    let good = ["5f1b2c", "12379433", "AcmeLogistics", "a.b-c_d~e", "0", longest.as_str()];
    for id in good {
        let parsed = parse(&format!("companyId={id}"), ConsentDisplayMode::Popup);
        assert_eq!(parsed, Ok((id.to_owned(), None)));
    }
    let too_long = "a".repeat(101);
    let bad = [
        "..",
        ".",
        "a/b",
        "a%2Fb",
        "a%5Cb",
        "%2e%2e",
        "a+b",
        "a%20b",
        "a%00b",
        "a%0d%0aSet-Cookie:x",
        "%3Cscript%3E",
        "%22onload%3D",
        "'%20OR%201=1",
        "a%3Bb",
        "%C3%A9",
        "%EF%BC%8E",
        "a?b",
        "a:b",
        "a@b",
        "a,b",
        "%F0%9F%98%80",
        "srp1-x",
        too_long.as_str(),
    ];
    for id in bad {
        let parsed = parse(&format!("companyId={id}"), ConsentDisplayMode::Popup);
        assert_eq!(parsed, Err(ConsentError::Company), "{id}");
    }
}
