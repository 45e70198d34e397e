//! The edges and features of the members against the table, and cycles among them.

use std::collections::{BTreeMap, BTreeSet};

use super::table::{HOMES, Row, TABLE};
use crate::report::Finding;

/// A member of the workspace, as its manifest says.
#[derive(Clone, Debug, Default)]
pub(super) struct Krate {
    pub(super) name: String,
    pub(super) edges: Vec<Edge>,
    /// Crates of others, and whether only tests use them.
    pub(super) foreign: Vec<(String, bool)>,
    pub(super) features: BTreeMap<String, Vec<String>>,
}

/// An edge from one member to another.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) to: String,
    pub(super) is_dev: bool,
    pub(super) is_optional: bool,
    pub(super) features: Vec<String>,
}

/// Compares edges, features and homes with the table.
pub(super) fn findings(crates: &[Krate]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for krate in crates {
        match TABLE.iter().find(|row| row.name == krate.name) {
            Some(row) => {
                findings.extend(edges(krate, row, crates));
                findings.extend(features(krate, row));
            }
            None => findings.push(finding(
                "member",
                krate,
                "is not in the table of layers".to_owned(),
                "add a row to layers/table.rs, with the decision behind it",
            )),
        }
        findings.extend(homes(krate));
    }
    findings
}

fn finding(rule: &'static str, krate: &Krate, what: String, way_out: &'static str) -> Finding {
    Finding { place: krate.name.clone(), rule, what, way_out }
}

fn edges(krate: &Krate, row: &Row, crates: &[Krate]) -> Vec<Finding> {
    let exists = |name: &str| crates.iter().any(|krate| krate.name == name);
    let mut expected = Vec::new();
    for edge in row.uses {
        expected.push((edge.to, false, edge.is_optional, edge.features));
    }
    for (to, features) in row.tests_use {
        expected.push((to, true, false, features));
    }
    expected.retain(|(to, ..)| exists(to));
    let mut findings = Vec::new();
    let mut say = |what: String, way_out| findings.push(finding("edge", krate, what, way_out));
    for edge in &krate.edges {
        let kind = kind(edge.is_dev);
        if !expected.iter().any(|(to, is_dev, ..)| *to == edge.to && *is_dev == edge.is_dev) {
            say(format!("must not {kind} {}", edge.to), "move what is needed, or change the table");
        }
    }
    for (to, is_dev, is_optional, features) in expected {
        let same = |edge: &&Edge| edge.to == to && edge.is_dev == is_dev;
        let kind = kind(is_dev);
        let Some(edge) = krate.edges.iter().find(same) else {
            say(format!("does not {kind} {to}"), "add the edge, or take it out of the table");
            continue;
        };
        if edge.is_optional != is_optional {
            let which = if is_optional { "only with a feature" } else { "always" };
            say(format!("must {kind} {to} {which}"), "change `optional` in the manifest");
        }
        for feature in features.iter().filter(|it| !edge.features.iter().any(|has| has == *it)) {
            say(format!("must {kind} {to} with `{feature}`"), "add the feature in the manifest");
        }
    }
    findings
}

fn kind(is_dev: bool) -> &'static str {
    if is_dev { "use in tests" } else { "use" }
}

fn features(krate: &Krate, row: &Row) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |what: String, way_out| findings.push(finding("feature", krate, what, way_out));
    for name in krate.features.keys().filter(|name| *name != "default") {
        if !row.features.contains(&name.as_str()) {
            say(format!("has a feature `{name}` that is not in the table"), "decide and add it");
        }
    }
    let none = Vec::new();
    let on = krate.features.get("default").unwrap_or(&none);
    for name in on.iter().filter(|name| !row.default_features.contains(&name.as_str())) {
        say(format!("has `{name}` on unless switched off"), "take it out of `default`");
    }
    for name in row.default_features.iter().filter(|it| !on.iter().any(|has| has == *it)) {
        say(format!("has `{name}` off unless switched on"), "put it into `default`");
    }
    findings
}

fn homes(krate: &Krate) -> Vec<Finding> {
    let outside_tests = krate.foreign.iter().filter(|(_, is_dev)| !is_dev);
    let strays = outside_tests.filter(|(name, _)| {
        let home = HOMES.iter().find(|(foreign, _)| foreign == name);
        home.is_some_and(|(_, homes)| !homes.contains(&krate.name.as_str()))
    });
    let way_out = "move the use to a crate that is its home in layers/table.rs";
    strays
        .map(|(name, _)| finding("home", krate, format!("must not name {name}"), way_out))
        .collect()
}

/// Returns each member that reaches itself, the edges of its tests included.
///
/// Such a cycle breaks `cargo package --workspace` and gives unit tests two copies of their crate.
pub(super) fn cycles(crates: &[Krate]) -> Vec<Finding> {
    let next = |name: &str| {
        let krate = crates.iter().find(|krate| krate.name == name);
        krate.into_iter().flat_map(|krate| krate.edges.iter().map(|edge| edge.to.as_str()))
    };
    let reaches_itself = |krate: &&Krate| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = next(&krate.name).collect();
        while let Some(name) = open.pop() {
            if seen.insert(name) {
                open.extend(next(name));
            }
        }
        seen.contains(krate.name.as_str())
    };
    let way_out = "move the test to a crate above both";
    crates
        .iter()
        .filter(reaches_itself)
        .map(|krate| finding("cycle", krate, "reaches itself".to_owned(), way_out))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: &str = "sr-auth-core";
    const HTTP: &str = "sr-auth-http";
    const STORE: &str = "sr-auth-store";
    const TESTKIT: &str = "sr-testkit";

    fn krate(name: &str, edges: &[Edge]) -> Krate {
        let mut features = BTreeMap::new();
        if name == HTTP {
            features.insert("default".to_owned(), vec!["reqwest".to_owned()]);
        }
        Krate { name: name.to_owned(), edges: edges.to_vec(), foreign: Vec::new(), features }
    }

    fn uses(to: &str) -> Edge {
        Edge { to: to.to_owned(), is_dev: false, is_optional: false, features: Vec::new() }
    }

    fn tests_use(to: &str, feature: &str) -> Edge {
        Edge { is_dev: true, features: vec![feature.to_owned()], ..uses(to) }
    }

    #[test]
    fn an_edge_too_many_or_too_few_is_found() {
        let good = || krate(HTTP, &[uses(CORE), tests_use(TESTKIT, "server")]);
        let testkit = || krate(TESTKIT, &[uses(CORE)]);
        let cases: [(&str, Vec<Krate>, &[&str]); 8] = [
            ("as in the table", vec![krate(CORE, &[]), testkit(), good()], &[]),
            ("an end that does not exist", vec![krate(HTTP, &[])], &[]),
            (
                "upwards",
                vec![krate(CORE, &[uses(HTTP)]), krate(HTTP, &[uses(CORE)])],
                &["sr-auth-core: must not use sr-auth-http"],
            ),
            (
                "upwards in tests",
                vec![krate(CORE, &[tests_use(TESTKIT, "server")]), testkit()],
                &["sr-auth-core: must not use in tests sr-testkit"],
            ),
            (
                "one missing",
                vec![krate(CORE, &[]), krate(HTTP, &[])],
                &["sr-auth-http: does not use sr-auth-core"],
            ),
            (
                "a feature missing",
                vec![
                    krate(CORE, &[]),
                    testkit(),
                    krate(HTTP, &[uses(CORE), tests_use(TESTKIT, "conformance")]),
                ],
                &["sr-auth-http: must use in tests sr-testkit with `server`"],
            ),
            (
                "not optional",
                vec![
                    krate(CORE, &[]),
                    krate(STORE, &[uses(CORE), uses("sr-partner")]),
                    krate("sr-partner", &[uses(CORE)]),
                ],
                &["sr-auth-store: must use sr-partner only with a feature"],
            ),
            ("a stranger", vec![krate("sr-new", &[])], &["sr-new: is not in the table of layers"]),
        ];
        for (name, crates, expected) in cases {
            check(name, &findings(&crates), expected);
        }
    }

    #[test]
    fn features_and_homes_are_those_of_the_table() {
        let with = |name: &str, features: &[(&str, &[&str])], foreign: &[(&str, bool)]| Krate {
            name: name.to_owned(),
            features: features
                .iter()
                .map(|(name, on)| {
                    (String::from(*name), on.iter().copied().map(String::from).collect())
                })
                .collect(),
            foreign: foreign.iter().map(|(name, dev)| (String::from(*name), *dev)).collect(),
            edges: Vec::new(),
        };
        let cases: [(&str, Krate, &[&str]); 6] = [
            ("known", with(STORE, &[("sqlite", &[])], &[("rusqlite", false)]), &[]),
            (
                "unknown",
                with(STORE, &[("full", &[])], &[]),
                &["sr-auth-store: has a feature `full` that is not in the table"],
            ),
            (
                "on",
                with(STORE, &[("sqlite", &[]), ("default", &["sqlite"])], &[]),
                &["sr-auth-store: has `sqlite` on unless switched off"],
            ),
            (
                "off",
                with(HTTP, &[("reqwest", &[])], &[]),
                &["sr-auth-http: has `reqwest` off unless switched on"],
            ),
            ("astray", with(CORE, &[], &[("axum", false)]), &["sr-auth-core: must not name axum"]),
            ("astray in tests", with(CORE, &[], &[("insta", true)]), &[]),
        ];
        for (name, krate, expected) in cases {
            check(name, &findings(&[krate]), expected);
        }
    }

    #[test]
    fn a_cycle_through_tests_is_a_cycle() {
        let crates = [
            krate(CORE, &[tests_use(TESTKIT, "server")]),
            krate(TESTKIT, &[uses(CORE)]),
            krate(HTTP, &[uses(CORE)]),
        ];
        let expected = ["sr-auth-core: reaches itself", "sr-testkit: reaches itself"];
        check("through tests", &cycles(&crates), &expected);
        check("none", &cycles(&crates[1..]), &[]);
    }

    #[track_caller]
    fn check(name: &str, findings: &[Finding], expected: &[&str]) {
        let found: Vec<String> =
            findings.iter().map(|it| format!("{}: {}", it.place, it.what)).collect();
        assert_eq!(found, expected, "{name}");
    }
}
