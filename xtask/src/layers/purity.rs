//! What a pure crate may name and reach.

use super::graph::Krate;
use super::table::{IMPURE, ONLY_BELOW_OAUTH2};
use crate::report::Finding;

/// Judges what a manifest names, tests included: a test of a pure crate needs no runtime either.
pub(super) fn of_manifest(krate: &Krate) -> Vec<Finding> {
    let named = krate.foreign.iter().map(|(name, _)| name.as_str()).filter(|name| is_impure(name));
    named.map(|name| finding(&krate.name, format!("must stay pure, and names {name}"))).collect()
}

/// Judges the lines of `cargo tree`, whole and with what `oauth2` brings cut off.
///
/// The cut tree alone would hide a runtime that `oauth2` itself begins to bring.
pub(super) fn of_tree(krate: &str, whole: &str, without_oauth2: &str) -> Vec<Finding> {
    let nowhere = names(whole).filter(|name| IMPURE.contains(name));
    let elsewhere = names(without_oauth2).filter(|name| ONLY_BELOW_OAUTH2.contains(name));
    let mut impure: Vec<&str> = nowhere.chain(elsewhere).collect();
    impure.sort_unstable();
    impure.dedup();
    impure
        .into_iter()
        .map(|name| finding(krate, format!("must stay pure, and reaches {name}")))
        .collect()
}

fn names(tree: &str) -> impl Iterator<Item = &str> {
    tree.lines().filter_map(|line| line.split_whitespace().next())
}

fn is_impure(name: &str) -> bool {
    IMPURE.contains(&name) || ONLY_BELOW_OAUTH2.contains(&name)
}

fn finding(krate: &str, what: String) -> Finding {
    let way_out = "do it in a crate above, and hand the result in as an argument";
    Finding { place: krate.to_owned(), rule: "pure", what, way_out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_impure_name_or_tree_is_found() {
        let naming = |name: &str, is_dev: bool| Krate {
            name: "sr-auth-core".to_owned(),
            foreign: vec![("url".to_owned(), false), (name.to_owned(), is_dev)],
            ..Krate::default()
        };
        let tree = "sr-auth-core v0.1.0 (x)\noauth2 v5.0.0\nurl v2.5.8\n";
        let reaches = |below: &str, beside: &str| {
            let without_oauth2 = format!("{tree}{beside}");
            of_tree("c", &format!("{without_oauth2}\n{below}"), &without_oauth2)
        };
        let cases: [(&str, Vec<Finding>, &[&str]); 8] = [
            ("pure", of_manifest(&naming("subtle", false)), &[]),
            ("named", of_manifest(&naming("tokio", false)), &["names tokio"]),
            ("named in tests", of_manifest(&naming("rand", true)), &["names rand"]),
            ("pure tree", reaches("", ""), &[]),
            ("socket", reaches("", "mio v1.0.0\nmio v1.0.0 (*)"), &["reaches mio"]),
            ("socket below oauth2", reaches("reqwest v0.12.0", ""), &["reaches reqwest"]),
            ("random", reaches("", "getrandom v0.4.3"), &["reaches getrandom"]),
            ("random below oauth2", reaches("getrandom v0.2.17", ""), &[]),
        ];
        for (name, findings, expected) in cases {
            let found: Vec<&str> =
                findings.iter().filter_map(|it| it.what.split(", and ").nth(1)).collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}
