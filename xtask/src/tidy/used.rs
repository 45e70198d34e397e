//! Dependencies: what a manifest names is used, for a crate that nobody uses is still trusted.

use std::collections::BTreeSet;

use super::manifest::lines;
use super::source::{Source, words};
use crate::report::Finding;
use crate::workspace::Text;

/// Dependencies that no code of their crate names, by crate and name, each with the reason.
const NAMELESS: [(&str, &str, &str); 0] = [];

/// Judges the dependencies of each member, and the versions of the root.
pub(super) fn findings(texts: &[Text], sources: &[Source<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut named = BTreeSet::new();
    let mut say = |text: &Text, line: usize, what: String, way_out| {
        findings.push(Finding {
            place: format!("{}:{line}", text.path),
            rule: "used",
            what,
            way_out,
        });
    };
    for (text, folder) in members(texts) {
        let anywhere = names_in(sources, folder, |_, _| true);
        let outside_tests = names_in(sources, folder, is_product);
        for line in lines(text).filter(|it| it.section.ends_with("dependencies")) {
            let name = line.key.trim_end_matches(".workspace");
            named.insert(name.to_owned());
            let is_nameless = NAMELESS.iter().any(|it| folder.ends_with(it.0) && it.1 == name);
            let word = name.replace('-', "_");
            if is_nameless {
                continue;
            }
            if !anywhere.contains(word.as_str()) {
                let way_out = "take it out, or give the reason in tidy/used.rs";
                say(text, line.number, format!("no code of this crate names {name}"), way_out);
            } else if !line.section.contains("dev-") && !outside_tests.contains(word.as_str()) {
                let way_out = "move it to the dev-dependencies: users build it for nothing";
                say(text, line.number, format!("only tests name {name}"), way_out);
            }
        }
    }
    for text in texts.iter().filter(|it| it.path == "Cargo.toml") {
        let versions = lines(text).filter(|it| it.section == "workspace.dependencies");
        for line in versions.filter(|it| !named.contains(it.key)) {
            say(text, line.number, format!("no member uses {}", line.key), "take it out");
        }
    }
    findings
}

/// Returns the manifest and the folder of each member.
fn members(texts: &[Text]) -> impl Iterator<Item = (&Text, &str)> {
    let manifests = texts.iter().filter_map(|it| Some((it, it.path.strip_suffix("Cargo.toml")?)));
    manifests.filter(|(_, folder)| folder.starts_with("crates/") || *folder == "xtask/")
}

fn names_in<'s>(
    sources: &'s [Source<'_>],
    folder: &str,
    counts: fn(&Source<'_>, usize) -> bool,
) -> BTreeSet<&'s str> {
    let own = sources.iter().filter(|it| it.path.starts_with(folder));
    let words = own.flat_map(|it| words(&it.code).map(move |(at, word)| (it, at, word)));
    words.filter(|(source, at, _)| counts(source, *at)).map(|(_, _, word)| word).collect()
}

/// Says whether a position is built for users: tests, examples and benchmarks are not.
fn is_product(source: &Source<'_>, at: usize) -> bool {
    let beside = ["/benches/", "/examples/"].iter().any(|folder| source.path.contains(folder));
    !beside && !source.is_test(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_that_nobody_names_is_found() {
        let root = "[workspace.dependencies]\na-b = \"1\"\n";
        let member = "[dependencies]\na-b.workspace = true\n";
        let for_tests = "[dev-dependencies]\na-b = { workspace = true }\n";
        let cases: [(&str, &str, &str, &str, &[&str]); 8] = [
            ("named", member, "src/lib.rs", "use a_b::C;", &[]),
            ("named in tests", for_tests, "tests/it/main.rs", "a_b::c();", &[]),
            (
                "not named",
                member,
                "src/lib.rs",
                "// use a_b::C;",
                &["crates/x/Cargo.toml:2: no code of this crate names a-b"],
            ),
            (
                "part of a name",
                member,
                "src/lib.rs",
                "fn a_b_c() {}",
                &["crates/x/Cargo.toml:2: no code of this crate names a-b"],
            ),
            (
                "named in tests only",
                member,
                "src/lib.rs",
                "#[cfg(test)] mod tests { use a_b::C; }",
                &["crates/x/Cargo.toml:2: only tests name a-b"],
            ),
            (
                "named in a test file only",
                member,
                "tests/it/main.rs",
                "a_b::c();",
                &["crates/x/Cargo.toml:2: only tests name a-b"],
            ),
            ("named in its build", member, "build.rs", "a_b::c();", &[]),
            ("used by none", "", "src/lib.rs", "", &["Cargo.toml:2: no member uses a-b"]),
        ];
        for (name, manifest, path, code, expected) in cases {
            let text =
                |path: &str, text: &str| Text { path: path.to_owned(), text: text.to_owned() };
            let texts = [text("Cargo.toml", root), text("crates/x/Cargo.toml", manifest)];
            let path = format!("crates/x/{path}");
            let found: Vec<String> = findings(&texts, &[Source::parse(&path, code)])
                .iter()
                .map(|it| format!("{}: {}", it.place, it.what))
                .collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}
