//! Calls of SmartRecruiters to our own API: rows I14, I18.

use sr_partner::inbound::{InboundEvent, Refusal};

use crate::fixture::{Desk, at, key};

#[test]
fn i14_a_token_opens_its_own_company_within_its_scopes_while_its_generation_is_live() {
    let mut desk = Desk::new();
    desk.bind("5f1b", "acme", 1, 0);
    desk.bind("77aa", "globex", 2, 0);
    let (ours, theirs) = (desk.token_of(1), desk.token_of(2));
    for (token, company, tenant) in [(&ours, "5f1b", "acme"), (&theirs, "77aa", "globex")] {
        for needs in [None, Some("interviews_read"), Some("interviews_manage")] {
            let admitted = desk.call(token, needs).admitted.expect("admitted");
            assert_eq!((admitted.key, admitted.tenant.as_str()), (key(company), tenant));
        }
    }
    let served = desk.call(&ours, Some("admin"));
    assert_eq!((served.status(), served.admitted), (403, None));
    let challenge = served.response.unwrap().headers()["www-authenticate"].clone();
    assert_eq!(challenge, "Bearer error=\"insufficient_scope\"");
    desk.bind("5f1b", "acme", 3, 1);
    let served = desk.call(&ours, None);
    assert_eq!(served.events, [InboundEvent::Refused(Refusal::Retired)], "replaced by a newer one");
    let newer = desk.token_of(3);
    assert!(desk.call(&newer, None).admitted.is_some());
}

#[test]
fn smartrecruiters_may_call_before_its_answer_is_here_and_no_longer_than_that() {
    let mut desk = Desk::new();
    desk.arm("5f1b", "acme", 1, 0);
    let token = desk.token_of(1);
    let admitted = desk.call(&token, None).admitted.expect("the request may have been processed");
    assert!(admitted.current);
    let attempt = desk.store.record(&key("5f1b")).unwrap().attempt.as_ref().unwrap();
    assert_eq!(attempt.used_at, Some(at(0)), "and now it is known that it was");
    desk.now = at(900);
    assert_eq!(desk.call(&token, None).status(), 401, "provisional, and over");
    let form = crate::fixture::token_form(&crate::fixture::outbound(1));
    assert_eq!(desk.token(&form).status(), 401);
}

#[test]
fn a_store_that_fails_admits_nobody() {
    for done in [false, true] {
        let mut desk = Desk::new();
        desk.bind("5f1b", "acme", 1, 0);
        let token = desk.token_of(1);
        desk.failing = vec![("Identify", 1, done)];
        let served = desk.call(&token, None);
        assert_eq!((served.status(), served.admitted), (503, None));
    }
}
