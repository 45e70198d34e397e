//! What a pure crate may name and reach.

use super::graph::Krate;
use super::table::{IMPURE, ONLY_BELOW_OAUTH2};
use crate::report::Finding;

/// Judges what a manifest names, tests included: a test of a pure crate needs no runtime either.
pub(super) fn of_manifest(krate: &Krate) -> Vec<Finding> {
    let named = krate.foreign.iter().map(|(name, _)| name.as_str()).filter(|name| is_impure(name));
    named.map(|name| finding(&krate.name, format!("must stay pure, and names {name}"))).collect()
}

/// Judges the lines of `cargo tree`, in which what `oauth2` brings was cut off.
pub(super) fn of_tree(krate: &str, tree: &str) -> Vec<Finding> {
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    let mut impure: Vec<&str> = names.filter(|name| is_impure(name)).collect();
    impure.sort_unstable();
    impure.dedup();
    impure
        .into_iter()
        .map(|name| finding(krate, format!("must stay pure, and reaches {name}")))
        .collect()
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
        let cases: [(&str, Vec<Finding>, &[&str]); 6] = [
            ("pure", of_manifest(&naming("subtle", false)), &[]),
            ("named", of_manifest(&naming("tokio", false)), &["names tokio"]),
            ("named in tests", of_manifest(&naming("rand", true)), &["names rand"]),
            ("pure tree", of_tree("sr-auth-core", tree), &[]),
            (
                "socket",
                of_tree("c", &format!("{tree}mio v1.0.0\nmio v1.0.0 (*)")),
                &["reaches mio"],
            ),
            ("random", of_tree("c", &format!("{tree}getrandom v0.4.3")), &["reaches getrandom"]),
        ];
        for (name, findings, expected) in cases {
            let found: Vec<&str> =
                findings.iter().filter_map(|it| it.what.split(", and ").nth(1)).collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}
