//! The ticket of a consent page: rows P03, P04, P06.

use http::header::LOCATION;
use sr_auth_core::Secret;
use sr_auth_core::store::Generation;
use sr_partner::AppId;
use sr_partner::consent::{
    BrowserReturn, Consent, ConsentTicket, RedirectOrigins, TicketError, TicketKey, Visitor,
};

use crate::fixture::{BACK, app, at, secret, tenant, visit};

const KEY: [u8; 32] = [9; 32];

fn ticket() -> ConsentTicket {
    let visitor = Visitor::new(&secret("cookie"), tenant("acme"));
    let seen = Generation::from_number(4);
    ConsentTicket::new(at(1_000), app(), visit("5f1b"), visitor, seen, [1; 32])
}

struct Post<'a> {
    app: AppId,
    form: Secret,
    key: TicketKey,
    now: u64,
    origins: RedirectOrigins,
    session: &'a str,
    tenant: &'a str,
}

impl Post<'_> {
    fn good() -> Self {
        let (form, key) = (ticket().to_secret(&TicketKey::new(KEY)), TicketKey::new(KEY));
        let origins = RedirectOrigins::production();
        Self { app: app(), form, key, now: 1_001, origins, session: "cookie", tenant: "acme" }
    }

    fn accept(&self) -> Result<Consent, TicketError> {
        let (session, tenant) = (secret(self.session), tenant(self.tenant));
        let by = Visitor::new(&session, tenant);
        ConsentTicket::accept(&self.form, &self.key, at(self.now), &self.app, &by, &self.origins)
    }
}

#[test]
fn p06_a_form_counts_for_its_session_its_account_and_its_company_and_for_ten_minutes() {
    use TicketError::{Expired, Forged, OtherApplication, OtherSession};
    let consent = Post::good().accept().expect("a consent");
    assert_eq!(consent.key().company.as_str(), "5f1b");
    assert_eq!(consent.tenant().as_str(), "acme");
    let other = AppId::new("other").unwrap();
    let cases = [
        ("another session", Post { session: "cookie2", ..Post::good() }, OtherSession),
        ("another account", Post { tenant: "globex", ..Post::good() }, OtherSession),
        ("another application", Post { app: other, ..Post::good() }, OtherApplication),
        ("another key", Post { key: TicketKey::new([8; 32]), ..Post::good() }, Forged),
        ("too late", Post { now: 1_600, ..Post::good() }, Expired),
        ("long before it was made", Post { now: 0, ..Post::good() }, Expired),
        ("nothing", Post { form: secret(""), ..Post::good() }, Forged),
        ("no signature", Post { form: secret("e30"), ..Post::good() }, Forged),
        ("an empty one", Post { form: secret("e30."), ..Post::good() }, Forged),
    ];
    for (name, post, expected) in cases {
        assert_eq!(post.accept().map(|_| ()), Err(expected), "{name}");
    }
    assert!(Post { now: 1_599, ..Post::good() }.accept().is_ok(), "in time");
}

#[test]
fn p06_any_change_to_a_form_is_noticed() {
    let good = Post::good().form.expose().to_owned();
    for at in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let form = Secret::new(String::from_utf8(changed).unwrap());
        let result = Post { form, ..Post::good() }.accept();
        assert_eq!(result.map(|_| ()), Err(TicketError::Forged), "byte {at}");
    }
}

#[test]
fn p06_two_pages_are_two_consents_and_one_page_is_one() {
    let same = [Post::good().accept().unwrap(), Post::good().accept().unwrap()];
    assert_eq!(same[0].attempt(), same[1].attempt());
    let seen = Generation::from_number(4);
    let by = Visitor::new(&secret("cookie"), tenant("acme"));
    let other = ConsentTicket::new(at(1_000), app(), visit("5f1b"), by, seen, [2; 32]);
    let form = other.to_secret(&TicketKey::new(KEY));
    let other = Post { form, ..Post::good() }.accept().unwrap();
    assert_ne!(other.attempt(), same[0].attempt());
}

#[test]
fn p03_a_redirect_is_judged_again_when_it_is_used() {
    let now_elsewhere = RedirectOrigins::new(["https://app.smartrecruiters.com"]).unwrap();
    let post = Post { origins: now_elsewhere, ..Post::good() };
    assert_eq!(post.accept().map(|_| ()), Err(TicketError::Redirect));
    let both = ["https://app.smartrecruiters.com", "https://www.smartrecruiters.com"];
    let post = Post { origins: RedirectOrigins::new(both).unwrap(), ..Post::good() };
    assert!(post.accept().is_ok());
}

#[test]
fn p04_a_browser_goes_back_by_get() {
    let target = RedirectOrigins::production().admit(BACK).unwrap();
    let response = BrowserReturn::Redirect(target).to_response().expect("an answer");
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()[LOCATION], BACK);
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["referrer-policy"], "no-referrer");
    assert!(BrowserReturn::Popup.to_response().is_none());
}

#[test]
fn a_ticket_shows_nothing_that_could_be_posted() {
    let (ticket, key) = (ticket(), TicketKey::new(KEY));
    let form = ticket.to_secret(&key);
    let shown = format!("{ticket:?} {key:?} {form:?}");
    assert!(!shown.contains(&"01".repeat(8)) && !shown.contains("09, 09"), "{shown}");
    assert!(!shown.contains("cookie"), "{shown}");
}
