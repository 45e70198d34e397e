//! The names of a store: what they keep, and what they refuse.

use sr_auth_core::Fault;
use sr_auth_core::store::{GrantKey, OwnerId};

#[test]
fn names_keep_what_they_were_given() {
    let key = GrantKey::new("planner/acme/user-1").expect("valid");
    assert_eq!(
        (key.as_str(), key.to_string().as_str()),
        ("planner/acme/user-1", "planner/acme/user-1")
    );
    assert_eq!(OwnerId::new(7).number(), 7);
}

#[test]
fn keys_that_cannot_be_kept_are_refused() {
    let long = "k".repeat(GrantKey::LIMIT + 1);
    for (text, fault) in
        [("", Fault::Empty), ("a\nb", Fault::ControlCharacter), (long.as_str(), Fault::OutOfRange)]
    {
        assert_eq!(GrantKey::new(text).expect_err("refused").fault(), fault);
    }
}
