//! Grants that are taken in, once and again, lost ones that are founded anew, and ended ones that
//! stay so.

use sr_auth_core::store::{Model, StoreIdentity, StoreOp};

use crate::store_model::{A, Token, adopt, adopt_until, check, commit, end};
use crate::store_sibling::escrow;

/// A lost record that is founded anew.
pub(crate) fn found(refresh: Token) -> StoreOp<Token> {
    let StoreOp::Adopt { grant, key, .. } = adopt(refresh) else { panic!("an adoption") };
    StoreOp::Adopt { grant, key, only_if_missing: true }
}

#[test]
fn founding_a_record_fills_a_gap_and_nothing_else() {
    check(
        &mut Model::new(StoreIdentity(1)),
        vec![
            (1, found("rt1"), "done, rt1 at generation 1, Live, attempt 0"),
            (2, found("rt1"), "done, rt1 at generation 1, Live, attempt 0"),
            (3, found("rt2"), "moved, rt1 at generation 1, Live, attempt 0"),
            (4, end(None), "done, nothing at generation 2, Disabled, attempt 0"),
            (5, found("rt1"), "moved, nothing at generation 2, Disabled, attempt 0"),
            (6, adopt("rt2"), "done, rt2 at generation 3, Live, attempt 0"),
        ],
    );
}

/// An offer whose answer was lost may be carried out once more, long after its repetition was.
#[test]
fn a_consent_that_was_taken_in_before_does_not_undo_what_came_since() {
    check(
        &mut Model::new(StoreIdentity(1)),
        vec![
            (1, adopt("rt1"), "done, rt1 at generation 1, Live, attempt 0"),
            (2, commit(1, A, Some("rt2")), "done, rt2 at generation 2, Live, attempt 0"),
            (3, adopt("rt1"), "done, rt2 at generation 2, Live, attempt 0"),
            (4, adopt("rt5"), "done, rt5 at generation 3, Live, attempt 0"),
            (5, adopt("rt1"), "done, rt5 at generation 3, Live, attempt 0"),
            (6, commit(3, A, None), "done, rt5 at generation 4, LastLeg, attempt 0"),
            (7, adopt("rt1"), "done, rt5 at generation 4, LastLeg, attempt 0"),
            (8, end(None), "done, nothing at generation 5, Disabled, attempt 0"),
            (9, adopt("rt1"), "done, rt1 at generation 6, Live, attempt 0"),
        ],
    );
}

#[test]
fn a_consent_does_not_replace_one_that_was_given_later() {
    check(
        &mut Model::new(StoreIdentity(1)),
        vec![
            (1, adopt("rt5"), "done, rt5 at generation 1, Live, attempt 0"),
            (2, adopt_until("rt1", 2_419_100), "moved, rt5 at generation 1, Live, attempt 0"),
            (3, escrow(1, "rt1"), "done, rt5 at generation 1, Live, attempt 0"),
            (4, adopt_until("rt1", 2_419_100), "done, rt5 at generation 1, Live, attempt 0"),
            (5, end(None), "done, nothing at generation 2, Disabled, attempt 0"),
            (6, adopt_until("rt1", 2_419_100), "done, rt1 at generation 3, Live, attempt 0"),
        ],
    );
}

/// A store that was restored counts again what it had counted: the end of now has the number of a
/// rotation of then.
#[test]
fn a_late_commit_does_not_undo_an_end_that_has_its_generation() {
    check(
        &mut Model::new(StoreIdentity(1)),
        vec![
            (1, adopt("rt1"), "done, rt1 at generation 1, Live, attempt 0"),
            (2, end(None), "done, nothing at generation 2, Disabled, attempt 0"),
            (3, commit(2, A, Some("rt3")), "moved, nothing at generation 2, Disabled, attempt 0"),
            (4, adopt("rt4"), "done, rt4 at generation 3, Live, attempt 0"),
        ],
    );
}
