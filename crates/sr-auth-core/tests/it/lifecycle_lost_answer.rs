//! The answer to a refresh is lost: told from the beginning to the end.

use crate::lifecycle_scene::{Reply, Scene, Step};
use crate::lifecycle_words::{invalid_grant, of_ledger, rotated};

/// The server rotated, and nobody has what it answered: the old access token is served to its end,
/// the old refresh token is presented once more when that is safe, and the cause is recorded.
#[test]
fn a_lost_answer_after_rotation_is_survived_to_the_end_of_the_token_and_told_truly() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_310, Step::Answer(Reply::Lost)),
        (1_400, Step::Want),
        (1_440, invalid_grant()),
        (1_700, Step::Want),
        (1_769, Step::Want),
        (1_780, Step::Want),
    ]);
    let ledger = of_ledger(scene.record());
    insta::assert_snapshot!(format!("{}\nThe ledger:\n{ledger}", scene.story(vec![])));
}

/// The request never arrived: the same presentation brings the successor, and nobody notices.
#[test]
fn a_request_that_never_arrived_costs_a_quiet_period_and_nothing_else() {
    let mut scene = Scene::of_user();
    scene.play(vec![
        (0, Step::Want),
        (1_300, Step::Want),
        (1_310, Step::Answer(Reply::Lost)),
        (1_400, Step::Want),
        (1_440, rotated(2)),
        (1_500, Step::Want),
    ]);
    let ledger = of_ledger(scene.record());
    insta::assert_snapshot!(format!("{}\nThe ledger:\n{ledger}", scene.story(vec![])));
}
