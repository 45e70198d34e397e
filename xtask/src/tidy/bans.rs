//! What stands nowhere: attributes that hide, states taken out of machines, unkept promises,
//! folders of somebody's machine.

use super::source::{Source, words};
use crate::report::Finding;
use crate::workspace::Text;

/// Attributes that no file has, and what to do instead.
const ATTRIBUTES: [(&str, &str); 4] = [
    ("allow(", "decide: repair it, or `#[expect(lint, reason = \"…\")]`"),
    ("ignore", "make it fast and sure, or move it to a stage of its own"),
    ("path", "give the file the name of its module"),
    ("should_panic", "assert on the value; an invariant is an `expect` that no test reaches"),
];
/// Words of promises that nobody keeps; spelt in two so that this line is none.
const PROMISES: [&str; 3] = [concat!("FIX", "ME"), concat!("TO", "DO"), concat!("XX", "X")];
/// Folders below which people live; spelt in two likewise.
const HOMES: [&str; 4] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!(":\\Us", "ers\\"),
];

/// Judges what stands in Rust.
pub(super) fn in_source(source: &Source<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |rule, at, what: String, way_out| {
        findings.push(Finding { place: source.place(at), rule, what, way_out });
    };
    for (attribute, way_out) in ATTRIBUTES {
        for at in attributes(source, attribute) {
            let name = attribute.trim_end_matches('(');
            say("attribute", at, format!("the attribute `{name}`"), way_out);
        }
    }
    for (at, verb) in states_taken(source) {
        let way_out = "make the state `Copy` and assign `self.state = match … { … }`";
        say("state", at, format!("`mem::{verb}` on `self.state`"), way_out);
    }
    for promise in PROMISES {
        for (at, _) in words(&source.comments).filter(|(_, word)| *word == promise) {
            say("promise", at, format!("a {promise}"), "do it, or open an issue and leave it out");
        }
    }
    findings
}

/// Returns where an attribute stands, alone or inside `cfg_attr`.
fn attributes<'s>(source: &'s Source<'_>, name: &'s str) -> impl Iterator<Item = usize> + 's {
    let opens = source.find("#[").map(|at| (at, 2)).chain(source.find("#![").map(|at| (at, 3)));
    opens.filter_map(move |(at, length)| {
        let rest = source.code.get(at + length..)?;
        let attribute = rest.get(..rest.find(']')?)?;
        let inner = attribute.strip_prefix("cfg_attr(").and_then(|it| it.split_once(',')?.1.into());
        let starts = |text: &str| {
            let rest = text.trim_start().strip_prefix(name)?;
            let ends = name.ends_with('(') || !rest.starts_with(|it: char| it.is_alphanumeric());
            ends.then_some(())
        };
        starts(inner.unwrap_or(attribute)).map(|()| at)
    })
}

fn states_taken<'s>(source: &'s Source<'_>) -> impl Iterator<Item = (usize, &'static str)> + 's {
    ["replace", "swap", "take"].into_iter().flat_map(move |verb| {
        words(&source.code).filter(move |(_, word)| *word == verb).filter_map(move |(at, word)| {
            let rest = source.code.get(at + word.len()..)?;
            let compact: String = rest.chars().filter(|it| !it.is_whitespace()).take(17).collect();
            let rest = compact.strip_prefix("(&mutself.state")?;
            rest.starts_with([',', ')']).then_some((at, verb))
        })
    })
}

/// Judges what stands in any text.
pub(super) fn in_text(text: &Text, root: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(text.text.lines()) {
        let folders = HOMES.iter().copied().chain((root.matches('/').count() > 1).then_some(root));
        for folder in folders.filter(|folder| names_folder(line, folder)) {
            let what = format!("a folder of one machine, `{folder}`");
            let way_out = "write it from the root of the workspace, or with `~`";
            let place = format!("{}:{number}", text.path);
            findings.push(Finding { place, rule: "machine", what, way_out });
        }
        if is_ignored_fence(line) {
            let what = "an example that is not compiled".to_owned();
            let way_out = "let it compile (`no_run` for sockets), or fence it as `text`";
            let place = format!("{}:{number}", text.path);
            findings.push(Finding { place, rule: "example", what, way_out });
        }
    }
    findings
}

/// Says whether a line opens an example, in Markdown or in a comment, that rustdoc passes over.
fn is_ignored_fence(line: &str) -> bool {
    let line = line.trim_start_matches(['/', '!', ' ']);
    line.strip_prefix("```").is_some_and(|info| info.split(',').any(|it| it.trim() == "ignore"))
}

/// Says whether a path that begins with the folder stands in a line, and not inside another path.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).and_then(|it| it.chars().next_back());
        folder.starts_with(':')
            || before.is_none_or(|it| !it.is_alphanumeric() && !"./-_~}>".contains(it))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn what_stands_nowhere_is_found_in_rust() {
        let promise = format!("// {}: later", concat!("TO", "DO"));
        let said = format!("1: a {}", concat!("TO", "DO"));
        let cases: [(&str, &str, &[&str]); 13] = [
            ("good", "#[expect(dead_code, reason = \"x\")]\nfn a() {}", &[]),
            ("allow", "\n#[allow(dead_code)]", &["2: the attribute `allow`"]),
            ("allow inside", "#![allow(dead_code)]", &["1: the attribute `allow`"]),
            ("allow by cfg", "#[cfg_attr(test, allow(x))]", &["1: the attribute `allow`"]),
            ("ignored", "#[ignore = \"slow\"]", &["1: the attribute `ignore`"]),
            ("path", "#[path = \"b.rs\"] mod a;", &["1: the attribute `path`"]),
            ("panic", "#[should_panic(expected = \"a\")]", &["1: the attribute `should_panic`"]),
            ("a longer name", "#[ignored]\n#[pathway]", &[]),
            ("in a text", "let a = \"#[ignore]\";", &[]),
            ("taken", "mem::take(&mut self.state)", &["1: `mem::take` on `self.state`"]),
            ("replaced", "replace(\n  &mut self.state, A)", &["1: `mem::replace` on `self.state`"]),
            ("another field", "mem::take(&mut self.stated)", &[]),
            ("a promise", &promise, &[&said]),
        ];
        for (name, text, expected) in cases {
            check(in_source, name, "a.rs", text, expected);
        }
    }

    #[test]
    fn a_folder_of_one_machine_and_an_ignored_example_are_found() {
        let root = "/srv/build/clone";
        let home = |rest: &str| format!("{}{rest}", concat!("/ho", "me/"));
        let cases = [
            ("relative", "see crates/a".to_owned(), false),
            ("a home", format!("open `{}`", home("a/b")), true),
            ("a home at the start", home("a"), true),
            ("a URL", format!("https://example.com{}", home("page")), false),
            ("the workspace", format!("built in {root}/target"), true),
            ("an example", "```rust,no_run".to_owned(), false),
            ("an ignored example", "```ignore".to_owned(), true),
            ("one in a comment", "//! ```rust,ignore".to_owned(), true),
            ("Windows", format!("C{}a", concat!(":\\Us", "ers\\")), true),
        ];
        for (name, line, expected) in cases {
            let text = Text { path: "a.md".to_owned(), text: line };
            assert_eq!(!in_text(&text, root).is_empty(), expected, "{name}: {}", text.text);
        }
    }
}
