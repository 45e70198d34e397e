//! Files that a source includes: one outside its crate is missing from the archive of a release.

use super::facts::resolve;
use super::source::{Source, words};
use crate::report::Finding;

/// Files that may include from outside their crate, each with the reason.
const REASONED: [(&str, &str); 1] =
    [("crates/sr-testkit/tests/it/documents.rs", "compares a page with the simulator")];

/// A file that is included by its path.
#[derive(Debug)]
pub(super) struct Include {
    at: usize,
    /// From the root.
    pub(super) path: String,
    /// Whether it becomes documentation, so that its examples are tests.
    pub(super) is_documentation: bool,
    /// Whether it is there for documentation tests alone.
    is_for_doctests: bool,
}

/// Returns what the code of a file includes; what stands in comments is not included.
pub(super) fn of(source: &Source<'_>) -> Vec<Include> {
    let calls = words(&source.code)
        .filter(|(_, word)| matches!(*word, "include" | "include_bytes" | "include_str"));
    let includes = calls.filter_map(|(at, word)| {
        let rest = source.text.get(at + word.len()..)?;
        // A path that is put together by macros is one of the build.
        let path = rest.strip_prefix("!")?.trim_start().strip_prefix(['(', '[', '{'])?;
        let path = path.trim_start().strip_prefix('"')?.split('"').next()?;
        let before = source.code.get(..at)?;
        let item = before.rfind([';', '}']).map_or(before, |end| &before[end..]);
        let after = source.code.get(at..)?.split([';', '{']).next()?;
        let attribute = before.trim_end().strip_suffix('=').unwrap_or_default();
        Some(Include {
            at,
            path: resolve(source.path, path),
            is_documentation: attribute.trim_end().ends_with("doc"),
            is_for_doctests: [item, after].iter().any(|it| it.contains("#[cfg(doctest)]")),
        })
    });
    includes.collect()
}

/// Judges what a crate includes.
pub(super) fn findings(source: &Source<'_>) -> Vec<Finding> {
    let mut parts = source.path.split('/');
    let (Some("crates"), Some(folder)) = (parts.next(), parts.next()) else { return Vec::new() };
    let own = format!("crates/{folder}/");
    let reasoned = REASONED.iter().any(|(path, _)| *path == source.path);
    let outside = of(source).into_iter().filter(|it| !it.path.starts_with(&own) && !reasoned);
    let missing = outside.filter(|it| !it.is_for_doctests);
    let way_out = "move it into the crate, or include it under `#[cfg(doctest)]` only";
    let finding = |it: Include| Finding {
        place: source.place(it.at),
        rule: "include",
        what: format!("includes `{}`, which the archive of the crate lacks", it.path),
        way_out,
    };
    missing.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_file_that_an_archive_lacks_is_found() {
        let lacks = "1: includes `README.md`, which the archive of the crate lacks";
        let doctest = "#[cfg(doctest)]\n#[doc = include_str!(\"../../../README.md\")]\nstruct A;";
        let turned = "#[doc = include_str!(\"../../../README.md\")]\n#[cfg(doctest)]\nstruct A;";
        let cases: [(&str, &str, &[&str]); 8] = [
            ("own", "const A: &str = include_str!(\"a/b.txt\");", &[]),
            ("own, above src", "const A: &[u8] = include_bytes!(\"../b.bin\");", &[]),
            ("a documentation test", doctest, &[]),
            ("the other way round", turned, &[]),
            ("outside", "const A: &str = include_str!(\"../../../README.md\");", &[lacks]),
            ("documentation", "#![doc = include_str!(\"../../../README.md\")]", &[lacks]),
            (
                "after a documentation test",
                "#[cfg(doctest)] struct B; include!(\"../../b/c.rs\");",
                &["1: includes `crates/b/c.rs`, which the archive of the crate lacks"],
            ),
            ("in a comment", "// include_str!(\"../../../README.md\")", &[]),
        ];
        for (name, text, expected) in cases {
            check(findings, name, "crates/a/src/lib.rs", text, expected);
        }
    }
}
