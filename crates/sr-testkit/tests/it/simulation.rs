//! Runs of the simulation that tell what is rare, kept as byte strings: `cargo xtask sim --find` makes
//! one.

use sr_testkit::simulation::{Report, Simulation};

/// Runs a byte string, and returns what came of it and what it met.
fn played(mut simulation: Simulation, bytes: &[u8]) -> (Report, Vec<String>) {
    simulation.coverage_mut().watch(true);
    let report = simulation.run_bytes(bytes.to_vec());
    (report, simulation.coverage().met().collect())
}

#[test]
fn a_grant_that_nobody_uses_is_kept_alive() {
    // Zeros are quiet choices: one process, one grant, 35 days, and nothing happens.
    let (report, met) = played(Simulation::new().of_months(), &[]);
    assert_eq!(report.violation, None);
    assert!(met.iter().any(|it| it == "an idle grant is kept alive"), "{met:?}");
    assert!(!met.iter().any(|it| it == "warned at 85 %"), "{met:?}");
}

#[test]
fn a_grant_that_nothing_could_renew_for_its_28_days_dies_of_its_age() {
    let bytes = include_bytes!("simulation/died-of-age.bin");
    let (report, met) = played(Simulation::new().of_months(), bytes);
    assert_eq!(report.violation, None);
    for story in ["warned at 85 %", "warned at 95 %", "Expired", "died of age"] {
        assert!(met.iter().any(|it| it == story), "{story}: {met:?}");
    }
}
