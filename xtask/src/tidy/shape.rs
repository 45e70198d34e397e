//! Sizes and forms: what fits on a screen is read.

use super::source::{Source, words};
use crate::report::Finding;

/// The lines that a file aims at; more is said, not refused.
pub(super) const AIM: usize = 250;
/// The lines that no file exceeds, tests included.
const FILE_LIMIT: usize = 500;
/// The lines that no function outside tests exceeds, from its signature to its last bracket.
const FUNCTION_LIMIT: usize = 60;

/// Files that may be larger, each with the reason.
const LARGER_FILES: [(&str, &str); 0] = [];
/// Functions that may be longer, by file and name, each with the reason.
const LONGER_FUNCTIONS: [(&str, &str, &str); 0] = [];

/// Items that stand in files of their own.
const ITEMS: [&str; 10] =
    ["const", "enum", "fn", "impl", "macro_rules", "static", "struct", "trait", "type", "union"];

/// Judges sizes, the first line, the name of the file, and what stands in `lib.rs`.
pub(super) fn findings(source: &Source<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |rule, at, what: String, way_out| {
        findings.push(Finding { place: source.place(at), rule, what, way_out });
    };
    let lines = source.text.lines().count();
    if lines > FILE_LIMIT && !LARGER_FILES.iter().any(|(path, _)| *path == source.path) {
        let way_out = "split it along its nouns; the aim is 250";
        say("file-size", 0, format!("{lines} lines, and the limit is {FILE_LIMIT}"), way_out);
    }
    if source.path.ends_with("/mod.rs") {
        let way_out = "name it after itself: a.rs beside a/, and tests/a/main.rs for shared tests";
        say("mod-rs", 0, "a mod.rs".to_owned(), way_out);
    }
    if in_src(source.path) && !source.text.trim_start().starts_with("//!") {
        let way_out = "say in a `//!` line what the file is for";
        say("module-doc", 0, "does not begin with what it is for".to_owned(), way_out);
    }
    if source.path.ends_with("/src/lib.rs") {
        for (at, what) in items_of_lib(source) {
            say("lib-rs", at, what, "only docs, `mod` and `pub use` by name stand in lib.rs");
        }
    }
    for (at, name, lines) in long_functions(source) {
        let way_out = "move a step that has a name into a function";
        let what = format!("`{name}` has {lines} lines, and the limit is {FUNCTION_LIMIT}");
        say("function-size", at, what, way_out);
    }
    findings
}

/// Returns the files that are larger than the aim, with their lines.
pub(super) fn above_aim(sources: &[Source<'_>]) -> Vec<String> {
    let sizes = sources.iter().map(|source| (source.path, source.text.lines().count()));
    sizes.filter(|(_, lines)| *lines > AIM).map(|(path, lines)| format!("{path} {lines}")).collect()
}

fn in_src(path: &str) -> bool {
    path.starts_with("xtask/src/") || (path.starts_with("crates/") && path.contains("/src/"))
}

fn items_of_lib(source: &Source<'_>) -> Vec<(usize, String)> {
    let mut items = Vec::new();
    for (at, keyword) in words(&source.code).filter(|(_, word)| ITEMS.contains(word)) {
        // README.md becomes documentation tests by a struct that exists for them alone.
        let before = source.code.get(..at).unwrap_or_default();
        let item = before.rfind([';', '}']).map_or(before, |end| &before[end..]);
        if !item.contains("#[cfg(doctest)]") {
            let end = at + keyword.len();
            let rest = source.code.get(end..).unwrap_or_default();
            // `impl<T>` and `macro_rules!` have no name right behind them.
            let name = words(rest).next().map(|(_, name)| name).unwrap_or_default();
            items.push((end, format!("`{keyword} {name}` in lib.rs")));
        }
    }
    items.extend(source.find("::*;").map(|at| (at, "a glob re-export".to_owned())));
    items
}

fn long_functions<'s>(source: &'s Source<'_>) -> Vec<(usize, &'s str, usize)> {
    let mut long = Vec::new();
    for (at, name) in source.names_after("fn") {
        let known = |it: &(&str, &str, &str)| it.0 == source.path && it.1 == name;
        let Some(body) = source.end_of_body(at) else { continue };
        let lines = 1 + source.line(body.end) - source.line(at);
        if lines > FUNCTION_LIMIT && !source.is_test(at) && !LONGER_FUNCTIONS.iter().any(known) {
            long.push((at, name, lines));
        }
    }
    long
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn a_file_of_the_wrong_shape_is_found() {
        let large = format!("//! Doc.\n{}", "\n".repeat(500));
        let body = "    let a = [0; 2];\n".repeat(60);
        let long = format!("//! Doc.\nfn a() -> [u8; 2] {{\n{body}}}\nfn b() {{}}\n");
        let in_tests = format!("//! Doc.\n#[cfg(test)]\nmod tests {{\nfn a() {{\n{body}}}\n}}\n");
        let cases: [(&str, &str, &str, &[&str]); 13] = [
            ("good", "crates/a/src/b.rs", "//! Doc.\nfn a() {}", &[]),
            ("large", "crates/a/src/b.rs", &large, &["1: 501 lines, and the limit is 500"]),
            ("mod.rs", "crates/a/src/b/mod.rs", "//! Doc.", &["1: a mod.rs"]),
            ("mute", "xtask/src/b.rs", "fn a() {}", &["1: does not begin with what it is for"]),
            ("a test may be mute", "crates/a/tests/b.rs", "fn a() {}", &[]),
            ("long", "crates/a/src/b.rs", &long, &["2: `a` has 62 lines, and the limit is 60"]),
            ("long in tests", "crates/a/src/b.rs", &in_tests, &[]),
            ("good lib", "crates/a/src/lib.rs", "//! Doc.\nmod a;\npub use a::{A, B};", &[]),
            (
                "busy lib",
                "crates/a/src/lib.rs",
                "//! Doc.\npub fn a() {}",
                &["2: `fn a` in lib.rs"],
            ),
            (
                "a macro in lib",
                "crates/a/src/lib.rs",
                "//! Doc.\nmacro_rules! a { () => {} }",
                &["2: `macro_rules a` in lib.rs"],
            ),
            (
                "a generic impl in lib",
                "crates/a/src/lib.rs",
                "//! Doc.\nimpl<T> A<T> {}",
                &["2: `impl T` in lib.rs"],
            ),
            ("glob", "crates/a/src/lib.rs", "//! Doc.\npub use a::*;", &["2: a glob re-export"]),
            (
                "README in lib",
                "crates/a/src/lib.rs",
                "//! Doc.\nmod a;\n#[doc = include_str!(\"x\")]\n#[cfg(doctest)]\nstruct Readme;",
                &[],
            ),
        ];
        for (name, path, text, expected) in cases {
            check(findings, name, path, text, expected);
        }
    }

    #[test]
    fn a_file_above_the_aim_is_named() {
        let text = "\n".repeat(251);
        assert_eq!(above_aim(&[Source::parse("a.rs", &text)]), ["a.rs 251"]);
    }
}
