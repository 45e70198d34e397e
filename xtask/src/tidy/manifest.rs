//! Manifests: a version stands once, in the root, where it is found by the alphabet; and no command
//! of ours mends the lock file in passing.

use crate::report::Finding;
use crate::workspace::Text;

/// Judges one text if it is the manifest of the workspace or of a member.
pub(super) fn findings(text: &Text) -> Vec<Finding> {
    let parts: Vec<&str> = text.path.split('/').collect();
    match parts.as_slice() {
        ["Cargo.toml"] => [tables(text), order(text)].concat(),
        [".cargo", "config.toml"] => aliases(text),
        ["crates", folder, "Cargo.toml"] | [folder @ "xtask", "Cargo.toml"] => {
            [name(text, folder), tables(text), dependencies(text), features(text)].concat()
        }
        _ => Vec::new(),
    }
}

/// A line of a manifest: its number, its section, its key, and what stands before and in it.
pub(super) struct Line<'a> {
    pub(super) number: usize,
    pub(super) section: &'a str,
    pub(super) key: &'a str,
    value: &'a str,
    before: &'a str,
}

/// Returns the lines with a key. A value that goes on over several lines belongs to its first.
pub(super) fn lines(text: &Text) -> impl Iterator<Item = Line<'_>> {
    let mut section = "";
    let mut before = "";
    (1..).zip(text.text.lines()).filter_map(move |(number, line)| {
        let previous = std::mem::replace(&mut before, line);
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            return None;
        }
        let starts = line.starts_with(|it: char| it.is_alphanumeric());
        let (key, value) = line.split_once('=').filter(|_| starts)?;
        Some(Line { number, section, key: key.trim(), value: value.trim(), before: previous })
    })
}

fn finding(text: &Text, number: usize, what: String, way_out: &'static str) -> Finding {
    Finding { place: format!("{}:{number}", text.path), rule: "manifest", what, way_out }
}

fn name(text: &Text, folder: &str) -> Vec<Finding> {
    let named = lines(text).find(|it| it.section == "package" && it.key == "name");
    let wrong = named.filter(|it| it.value.trim_matches('"') != folder);
    let finding = wrong.map(|it| {
        let what = format!("the package {} is in the folder {folder}", it.value);
        finding(text, it.number, what, "give both the same name")
    });
    finding.into_iter().collect()
}

/// A table of its own hides a dependency from the rules that read a line for each.
fn tables(text: &Text) -> Vec<Finding> {
    let headers = (1..).zip(text.text.lines()).filter_map(|(number, line)| {
        let (_, name) = line.trim().strip_prefix('[')?.split_once("dependencies.")?;
        Some((number, name.split(']').next().unwrap_or_default()))
    });
    let findings = headers.map(|(number, name)| {
        let what = format!("{name} has a table of its own");
        finding(text, number, what, "write it in one line of its section")
    });
    findings.collect()
}

fn dependencies(text: &Text) -> Vec<Finding> {
    let versions = lines(text).filter(|it| {
        let inherits = it.key.ends_with(".workspace") || it.value.contains("workspace = true");
        it.section.ends_with("dependencies") && !inherits
    });
    let findings = versions.map(|it| {
        let what = format!("{} does not inherit its version", it.key);
        finding(text, it.number, what, "write the version in the root, here `workspace = true`")
    });
    findings.collect()
}

fn features(text: &Text) -> Vec<Finding> {
    let mute = lines(text).filter(|it| {
        it.section == "features" && it.key != "default" && !it.before.starts_with('#')
    });
    let findings = mute.map(|it| {
        let what = format!("the feature `{}` does not say what it adds", it.key);
        finding(text, it.number, what, "write a comment line above it")
    });
    findings.collect()
}

/// An alias that builds without `--locked` writes a stale lock file anew, and no later check sees it.
fn aliases(text: &Text) -> Vec<Finding> {
    let loose = lines(text).filter(|it| it.section == "alias" && !it.value.contains("--locked"));
    let findings = loose.map(|it| {
        let what = format!("the alias `{}` mends Cargo.lock in silence", it.key);
        finding(text, it.number, what, "add `--locked`")
    });
    findings.collect()
}

fn order(text: &Text) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut last: Option<Line<'_>> = None;
    for line in lines(text).filter(|it| it.section == "workspace.dependencies") {
        let same_group = |last: &&Line<'_>| {
            let between = line.number - last.number - 1;
            text.text.lines().skip(last.number).take(between).all(|it| !it.trim().is_empty())
        };
        if let Some(last) = last.as_ref().filter(same_group).filter(|last| last.key > line.key) {
            let what = format!("{} stands after {}", line.key, last.key);
            findings.push(finding(text, line.number, what, "sort the group by name"));
        }
        last = Some(line);
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_that_mends_the_lock_file_is_found() {
        for (text, expected) in [("a = \"run --locked -p a\"", 0), ("a = \"run -p a\"", 1)] {
            let path = ".cargo/config.toml".to_owned();
            let found = findings(&Text { path, text: format!("[alias]\n{text}") });
            assert_eq!(found.len(), expected, "{text}: {found:?}");
        }
    }

    #[test]
    fn a_manifest_that_repeats_or_hides_is_found() {
        let member = "crates/a/Cargo.toml";
        let cases: [(&str, &str, &str, &[&str]); 13] = [
            ("good", member, "[package]\nname = \"a\"\n[dependencies]\nb.workspace = true", &[]),
            (
                "other folder",
                member,
                "[package]\nname = \"b\"",
                &["2: the package \"b\" is in the folder a"],
            ),
            (
                "a version",
                member,
                "[dev-dependencies]\nb = \"1\"",
                &["2: b does not inherit its version"],
            ),
            (
                "a table",
                member,
                "[dependencies.b]\nworkspace = true",
                &["1: b has a table of its own"],
            ),
            (
                "a table for a platform",
                member,
                "[target.'cfg(unix)'.dev-dependencies.b]",
                &["1: b has a table of its own"],
            ),
            (
                "a table in the root",
                "Cargo.toml",
                "[workspace.dependencies.b]",
                &["1: b has a table of its own"],
            ),
            (
                "inherits",
                member,
                "[dependencies]\nb = { workspace = true, features = [\"c\"] }",
                &[],
            ),
            ("said", member, "[features]\ndefault = []\n# What it adds.\nb = [\n  \"c\",\n]", &[]),
            (
                "mute",
                member,
                "[features]\nb = []",
                &["2: the feature `b` does not say what it adds"],
            ),
            (
                "sorted",
                "Cargo.toml",
                "[workspace.dependencies]\n# A\nb = \"1\"\n\n# B\na = \"1\"",
                &[],
            ),
            (
                "unsorted",
                "Cargo.toml",
                "[workspace.dependencies]\nb = \"1\"\n# Why.\na = \"1\"",
                &["4: a stands after b"],
            ),
            ("not ours", "fuzz/Cargo.toml", "[dependencies]\nb = \"1\"", &[]),
            (
                "xtask",
                "xtask/Cargo.toml",
                "[package]\nname = \"tasks\"",
                &["2: the package \"tasks\" is in the folder xtask"],
            ),
        ];
        for (name, path, text, expected) in cases {
            let text = Text { path: path.to_owned(), text: text.to_owned() };
            let found: Vec<String> = findings(&text)
                .iter()
                .map(|it| it.to_string())
                .map(|it| it.trim_start_matches(path).trim_start_matches(':').to_owned())
                .map(|it| it.split(';').next().unwrap_or_default().to_owned())
                .collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}
