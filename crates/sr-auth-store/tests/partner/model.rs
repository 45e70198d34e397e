//! Whatever is asked, from whichever connection: memory and file answer as the model does.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sr_auth_core::Timestamp;
use sr_auth_store::{Backend, Sealed};
use sr_partner::store::{PartnerModel, PartnerOp};

use crate::fixture::{Place, apply, identity};
use crate::step::{Step, step};

/// Two connections to one file, one of them opened anew now and then, answer together as one model
/// does, and so does a store in memory. Returns which outcomes there were.
fn check(steps: Vec<Step>) -> Result<BTreeSet<&'static str>, TestCaseError> {
    let place = Place::new();
    let mut connections = [place.open(), place.open()];
    let memory = place.memory();
    let mut of_file = PartnerModel::new(identity(&connections[0]));
    let mut of_memory = PartnerModel::new(identity(&memory));
    let (mut outcomes, mut secs) = (BTreeSet::new(), 1_000);
    for (number, step) in steps.into_iter().enumerate() {
        secs += step.pause;
        place.set_clock(secs);
        let op = step.to_op(&of_file);
        let [first, second] = &mut connections;
        let file = if step.by_second { second } else { first };
        if number % 20 == 19 {
            *file = place.open();
        }
        let file: &dyn Backend = file;
        for (name, backend, model) in
            [("file", file, &mut of_file), ("memory", &memory, &mut of_memory)]
        {
            outcomes.insert(compare(name, backend, model, secs, &op)?);
        }
    }
    Ok(outcomes)
}

fn compare(
    name: &str,
    backend: &dyn Backend,
    model: &mut PartnerModel<Sealed>,
    secs: u64,
    op: &PartnerOp<Sealed>,
) -> Result<&'static str, TestCaseError> {
    let expected = model.apply(Timestamp::from_unix_secs(secs), op.clone());
    let outcome = expected.outcome.name();
    prop_assert_eq!(apply(backend, op.clone()), expected, "{}: {:?}", name, op);
    Ok(outcome)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_file_answer_as_the_model(steps in vec(step(), 1..80)) {
        check(steps)?;
    }
}

#[test]
fn the_steps_lead_to_every_outcome() {
    let mut runner = TestRunner::deterministic();
    let mut outcomes = BTreeSet::new();
    for _ in 0..16 {
        let steps = vec(step(), 120).new_tree(&mut runner).unwrap().current();
        outcomes.extend(check(steps).unwrap());
    }
    let expected = [
        "AllEnded",
        "BoundElsewhere",
        "Busy",
        "Client",
        "Counted",
        "Disabled",
        "Done",
        "Foreign",
        "Identified",
        "Issued",
        "Keys",
        "Loaded",
        "Missing",
        "Moved",
        "News",
        "Superseded",
        "Taken",
        "Throttled",
    ];
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), expected);
}
