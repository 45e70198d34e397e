//! Runs of the simulation that tell what is rare, kept as byte strings: `cargo xtask sim --find` makes
//! one.

use sr_testkit::simulation::{Invariant, PartnerDefect, Report, Simulation};

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

/// Runs that broke a promise, of the machines or by a judge who was wrong, before either was set
/// right. A byte string tells another story where machines change, so that they hold what they hold
/// only beside a search for others.
#[test]
fn runs_that_once_broke_a_promise_keep_it() {
    let runs: [(&str, &[u8]); 9] = [
        (
            "a restore nobody has noticed",
            include_bytes!("simulation/broken/a-restore-nobody-has-noticed.bin"),
        ),
        (
            "a backup that holds the token",
            include_bytes!("simulation/broken/a-backup-that-holds-the-token.bin"),
        ),
        (
            "a sibling behind a replica",
            include_bytes!("simulation/broken/a-sibling-behind-a-replica.bin"),
        ),
        ("an end after a restore", include_bytes!("simulation/broken/an-end-after-a-restore.bin")),
        (
            "a token that ends with the day",
            include_bytes!("simulation/broken/a-token-that-ends-with-the-day.bin"),
        ),
        ("an older end was told", include_bytes!("simulation/broken/an-older-end-was-told.bin")),
        (
            "an access token beside an intent",
            include_bytes!("simulation/broken/an-access-token-beside-an-intent.bin"),
        ),
        ("a consent told late", include_bytes!("simulation/broken/a-consent-told-late.bin")),
        (
            "a last leg without its record",
            include_bytes!("simulation/broken/a-last-leg-without-its-record.bin"),
        ),
    ];
    for (name, bytes) in runs {
        let report = Simulation::new().run_bytes(bytes.to_vec());
        assert_eq!(report.violation, None, "{name}");
        assert!(report.events > 1_000, "{name}: it is a run of a day");
    }
}

#[test]
fn a_partner_whose_weather_is_good_connects_its_company() {
    // Zeros are quiet choices: one process, one company, and everybody says yes.
    let (report, met) = played(Simulation::new().of_partners(), &[]);
    assert_eq!(report.violation, None);
    for story in ["post with Response", "Commit with Stored", "a company is confirmed"] {
        assert!(met.iter().any(|it| it == story), "{story}: {met:?}");
    }
}

#[test]
fn a_world_of_partners_has_one_trace() {
    let mut simulation = Simulation::new().of_partners();
    for seed in 0..12 {
        let report = simulation.run_seed(seed);
        assert_eq!(report.violation, None, "seed {seed}");
        assert_eq!(simulation.run_seed(seed).hash, report.hash, "seed {seed}");
        assert_eq!(simulation.run_bytes(report.choices).hash, report.hash, "seed {seed}");
    }
}

/// A judge that never finds anything is no judge.
#[test]
fn a_broken_store_of_integrations_is_found_out() {
    use Invariant::{
        AcknowledgedWhenDurable, BoundByConsent, DisablesItsOwn, EndIsHeard, InventedFirst,
        NoBlindRepeat,
    };
    let breaks = [
        (PartnerDefect::ArmForgets, InventedFirst),
        (PartnerDefect::BeginOverAnyTenant, BoundByConsent),
        (PartnerDefect::BeginTakesTwice, NoBlindRepeat),
        (PartnerDefect::CommitBinds, BoundByConsent),
        (PartnerDefect::CommitForgets, AcknowledgedWhenDurable),
        (PartnerDefect::DisableEndsTheNewest, DisablesItsOwn),
        (PartnerDefect::DisableForgets, AcknowledgedWhenDurable),
        (PartnerDefect::EndKeepsClients, EndIsHeard),
        (PartnerDefect::EndKeepsTokens, EndIsHeard),
        (PartnerDefect::IssueForgets, AcknowledgedWhenDurable),
        (PartnerDefect::ProvisionalForEver, EndIsHeard),
    ];
    assert_eq!(breaks.len(), PartnerDefect::ALL.len());
    for (defect, expected) in breaks {
        let mut simulation = Simulation::new().of_partners().with_partner_defect(defect);
        let is_it = |report: &Report| report.violation.is_some_and(|it| it.invariant == expected);
        let found = (0..400).map(|seed| simulation.run_seed(seed)).find(is_it);
        assert!(found.is_some(), "{defect:?} is not found");
    }
}
