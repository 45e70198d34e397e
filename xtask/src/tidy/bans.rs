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

/// Texts that are judged as a whole.
const PROSE: [&str; 6] = [".js", ".md", ".mjs", ".py", ".sh", ".toml"];
/// What tools leave behind when somebody has not decided yet.
const LEFT_OVER: [&str; 4] = [".orig", ".pending-snap", ".rej", ".snap.new"];

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
        say("state", at, format!("`{verb}` on `self.state`"), way_out);
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
        let is_named = |text: &&str| {
            let ends = |rest: &str| !rest.starts_with(|it: char| it.is_alphanumeric());
            text.strip_prefix(name).is_some_and(|rest| name.ends_with('(') || ends(rest))
        };
        effective(attribute).iter().any(is_named).then_some(at)
    })
}

/// Returns an attribute, or those that a `cfg_attr` stands for: all behind its condition.
fn effective(attribute: &str) -> Vec<&str> {
    let attribute = attribute.trim();
    let Some(inner) = attribute.strip_prefix("cfg_attr(") else { return vec![attribute] };
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, byte) in inner.bytes().chain([b')']).enumerate() {
        match byte {
            b'(' => depth += 1,
            b',' | b')' if depth == 0 => {
                parts.extend(inner.get(start..at));
                start = at + 1;
            }
            b')' => depth -= 1,
            _ => {}
        }
    }
    parts.into_iter().skip(1).flat_map(effective).collect()
}

fn states_taken<'s>(source: &'s Source<'_>) -> impl Iterator<Item = (usize, &'static str)> + 's {
    ["replace", "swap", "take"].into_iter().flat_map(move |verb| {
        words(&source.code).filter(move |(_, word)| *word == verb).filter_map(move |(at, word)| {
            let rest = source.code.get(at + word.len()..)?;
            let compact: String = rest.chars().filter(|it| !it.is_whitespace()).take(17).collect();
            let argument = compact.strip_prefix("(&mutself.state");
            let is_function = argument.is_some_and(|rest| rest.starts_with([',', ')']));
            let mut before = source.code.get(..at)?.chars().rev().filter(|it| !it.is_whitespace());
            let is_method = compact.starts_with('(')
                && "self.state.".chars().rev().all(|letter| before.next() == Some(letter));
            (is_function || is_method).then_some((at, verb))
        })
    })
}

/// Judges what stands in any text.
pub(super) fn in_text(text: &Text, root: &str) -> Vec<Finding> {
    let mut findings = left_over(text);
    // Of Rust only the comments are judged, elsewhere.
    let is_prose = PROSE.iter().any(|ending| text.path.ends_with(ending));
    for (number, line) in (1..).zip(text.text.lines()) {
        for promise in PROMISES {
            if is_prose && words(line).any(|(_, word)| word == promise) {
                let place = format!("{}:{number}", text.path);
                let way_out = "do it, or open an issue and leave it out";
                findings.push(Finding {
                    place,
                    rule: "promise",
                    what: format!("a {promise}"),
                    way_out,
                });
            }
        }
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
    let line = line.trim_start_matches(['/', '!', ' ', '*', '>']);
    let Some(info) = line.strip_prefix("```") else { return false };
    let mut words = info.split(|it: char| !it.is_alphanumeric() && !"-_".contains(it));
    // `rs` is another language to rustdoc, although it looks like Rust on the page.
    words.any(|it| it == "rs" || it == "ignore" || it.starts_with("ignore-"))
}

fn left_over(text: &Text) -> Vec<Finding> {
    let ending = LEFT_OVER.iter().find(|ending| text.path.ends_with(**ending));
    let finding = ending.map(|ending| Finding {
        place: text.path.clone(),
        rule: "left-over",
        what: format!("a `{ending}` that waits for a decision"),
        way_out: "accept it (`cargo insta review` for snapshots) or remove it",
    });
    finding.into_iter().collect()
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
        let cases: [(&str, &str, &[&str]); 19] = [
            ("good", "#[expect(dead_code, reason = \"x\")]\nfn a() {}", &[]),
            ("allow", "\n#[allow(dead_code)]", &["2: the attribute `allow`"]),
            ("allow inside", "#![allow(dead_code)]", &["1: the attribute `allow`"]),
            ("allow by cfg", "#[cfg_attr(test, allow(x))]", &["1: the attribute `allow`"]),
            (
                "allow by a condition in parts",
                "#[cfg_attr(all(test, unix), allow(x))]",
                &["1: the attribute `allow`"],
            ),
            (
                "allow as the second",
                "#[cfg_attr(test, expect(a), allow(x))]",
                &["1: the attribute `allow`"],
            ),
            (
                "allow in depth",
                "#![cfg_attr(test, cfg_attr(any(unix), allow(x)))]",
                &["1: the attribute `allow`"],
            ),
            ("a condition only", "#[cfg_attr(any(allow(x), unix), expect(a))]", &[]),
            ("ignored", "#[ignore = \"slow\"]", &["1: the attribute `ignore`"]),
            ("path", "#[path = \"b.rs\"] mod a;", &["1: the attribute `path`"]),
            ("panic", "#[should_panic(expected = \"a\")]", &["1: the attribute `should_panic`"]),
            ("a longer name", "#[ignored]\n#[pathway]", &[]),
            ("in a text", "let a = \"#[ignore]\";", &[]),
            ("taken", "mem::take(&mut self.state)", &["1: `take` on `self.state`"]),
            ("taken by a method", "self\n  .state.take()", &["2: `take` on `self.state`"]),
            ("of another's field", "other.state.take(); self.states.take()", &[]),
            ("replaced", "replace(\n  &mut self.state, A)", &["1: `replace` on `self.state`"]),
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
            ("one after a space", "```rust ignore".to_owned(), true),
            ("one for some systems", "/// ```ignore-windows".to_owned(), true),
            ("one that looks like Rust", "```rs".to_owned(), true),
            ("a promise", concat!("Later (TO", "DO).").to_owned(), true),
            ("Windows", format!("C{}a", concat!(":\\Us", "ers\\")), true),
        ];
        for (name, line, expected) in cases {
            let text = Text { path: "a.md".to_owned(), text: line };
            assert_eq!(!in_text(&text, root).is_empty(), expected, "{name}: {}", text.text);
        }
    }

    #[test]
    fn what_waits_for_a_decision_is_found() {
        let cases = [("a/b.snap.new", 1), ("a/.b.rs.pending-snap", 1), ("a/b.snap", 0)];
        for (path, expected) in cases {
            let text = Text { path: path.to_owned(), text: String::new() };
            assert_eq!(in_text(&text, "").len(), expected, "{path}");
        }
    }
}
