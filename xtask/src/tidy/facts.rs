//! Facts that stand once: what the README repeats agrees with the manifests, and what Markdown
//! shows as Rust is compiled.

use anyhow::Context as _;
use cargo_metadata::Metadata;

use super::includes;
use super::source::Source;
use crate::report::Finding;
use crate::workspace::Text;

/// What the manifests say.
#[derive(Debug)]
pub(super) struct Facts {
    /// The oldest Rust, as `1.90`.
    rust: String,
    version: String,
    /// The members that are published.
    crates: Vec<String>,
}

impl Facts {
    pub(super) fn of(metadata: &Metadata) -> anyhow::Result<Self> {
        let members = metadata.workspace_packages();
        let first = members.first().context("a workspace has a member")?;
        let rust = first.rust_version.as_ref().context("no rust-version")?;
        // `publish = false` is an empty list of registries.
        let published = members.iter().filter(|it| it.publish != Some(Vec::new()));
        Ok(Self {
            rust: format!("{}.{}", rust.major, rust.minor),
            version: first.version.to_string(),
            crates: published.map(|it| it.name.to_string()).collect(),
        })
    }
}

/// Compares the Markdown of the project with the manifests and the sources.
pub(super) fn findings(texts: &[Text], sources: &[Source<'_>], facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for text in texts.iter().filter(|it| it.path.ends_with(".md")) {
        if ["README.md", "CONTRIBUTING.md"].contains(&text.path.as_str()) {
            findings.extend(rust_versions(text, facts));
        }
        findings.extend(requirements(text, facts));
        if text.path == "README.md" {
            findings.extend(crate_table(text, facts));
        }
        findings.extend(snippets(text, sources));
    }
    findings
}

fn finding(text: &Text, line: usize, what: String, way_out: &'static str) -> Finding {
    Finding { place: format!("{}:{line}", text.path), rule: "fact", what, way_out }
}

fn numbered(text: &Text) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.text.lines())
}

fn rust_versions(text: &Text, facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in numbered(text) {
        for said in line.split("Rust ").skip(1) {
            let end = said.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(said.len());
            let said = said.get(..end).unwrap_or_default().trim_end_matches('.');
            if said.starts_with("1.") && said != facts.rust {
                let what = format!("Rust {said}, and Cargo.toml says {}", facts.rust);
                findings.push(finding(text, number, what, "change the one that is wrong"));
            }
        }
    }
    findings
}

/// Judges lines such as `sr-auth-http = "0.1"`.
fn requirements(text: &Text, facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in numbered(text) {
        let Some((name, requirement)) = line.split_once('=') else { continue };
        if !facts.crates.iter().any(|it| it == name.trim()) {
            continue;
        }
        let version = requirement.split('"').find(|it| it.starts_with(|it: char| it.is_numeric()));
        let fits =
            |asked: &str| facts.version == asked || facts.version.starts_with(&format!("{asked}."));
        if let Some(asked) = version.filter(|asked| !fits(asked)) {
            let what = format!("{} {asked}, and Cargo.toml says {}", name.trim(), facts.version);
            findings.push(finding(text, number, what, "change the one that is wrong"));
        }
    }
    findings
}

/// Judges the table of crates: each member has a row, and each row is a member.
fn crate_table(text: &Text, facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut listed = Vec::new();
    for (number, line) in numbered(text) {
        let Some(cell) = line.strip_prefix('|').and_then(|it| it.split('|').next()) else {
            continue;
        };
        let Some(name) = cell.split('`').nth(1).filter(|it| it.starts_with("sr-")) else {
            continue;
        };
        // A program has a row of its own elsewhere: only names of crates hold two hyphens or are known.
        if facts.crates.iter().any(|it| it == name) {
            listed.push(name);
        } else if name.matches('-').count() > 1 {
            let what = format!("`{name}` is no crate of the workspace");
            findings.push(finding(text, number, what, "take the row out, or correct its name"));
        }
    }
    for name in facts.crates.iter().filter(|it| !listed.contains(&it.as_str())) {
        let what = format!("the crate table has no row for `{name}`");
        findings.push(finding(text, 1, what, "add the row: one sentence on what it is for"));
    }
    findings
}

/// Judges whether the Rust in a Markdown file is part of somebody's documentation tests.
fn snippets(text: &Text, sources: &[Source<'_>]) -> Vec<Finding> {
    let fences = numbered(text).filter(|(_, line)| line.trim_start().starts_with("```rust"));
    let Some((number, _)) = fences.into_iter().next() else { return Vec::new() };
    let documents = |source: &Source<'_>| {
        includes::of(source).iter().any(|it| it.is_documentation && it.path == text.path)
    };
    if sources.iter().any(|it| it.path.starts_with("crates/") && documents(it)) {
        return Vec::new();
    }
    let what = "shows Rust that nobody compiles".to_owned();
    let way_out = "include it in a crate's lib.rs (see docs/testing.md), or fence it as `text`";
    vec![finding(text, number, what, way_out)]
}

/// Resolves a path that stands in a file, from the root.
pub(super) fn resolve(file: &str, path: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "| crate | for |\n| [`sr-auth-core`](x) | a |\n| `sr-testkit` | b |\n";

    #[test]
    fn a_fact_told_differently_is_found() {
        let cases: [(&str, &str, String, &[&str]); 12] = [
            ("agrees", "README.md", format!("{TABLE}Needs Rust 1.90."), &[]),
            (
                "older Rust",
                "README.md",
                format!("{TABLE}Rust 1.85"),
                &["README.md:4: Rust 1.85, and Cargo.toml says 1.90"],
            ),
            ("a version that fits", "README.md", format!("{TABLE}sr-testkit = \"0.1\""), &[]),
            (
                "one that does not",
                "docs/a.md",
                "sr-testkit = { version = \"0.2\" }".to_owned(),
                &["docs/a.md:1: sr-testkit 0.2, and Cargo.toml says 0.1.0"],
            ),
            (
                "a row is missing",
                "README.md",
                "| `sr-auth-core` | a |".to_owned(),
                &["README.md:1: the crate table has no row for `sr-testkit`"],
            ),
            (
                "a row too many",
                "README.md",
                format!("{TABLE}| `sr-auth-old` | c |"),
                &["README.md:4: `sr-auth-old` is no crate of the workspace"],
            ),
            ("compiled", "docs/a.md", "```rust\n```".to_owned(), &[]),
            (
                "not compiled",
                "docs/b.md",
                "\n```rust\n```".to_owned(),
                &["docs/b.md:2: shows Rust that nobody compiles"],
            ),
            (
                "included in a comment",
                "docs/c.md",
                "```rust\n```".to_owned(),
                &["docs/c.md:1: shows Rust that nobody compiles"],
            ),
            (
                "included as a value",
                "docs/d.md",
                "```rust\n```".to_owned(),
                &["docs/d.md:1: shows Rust that nobody compiles"],
            ),
            ("a shell", "docs/b.md", "```sh\n```".to_owned(), &[]),
            ("the past", "CHANGELOG.md", "Rust 1.85".to_owned(), &[]),
        ];
        let facts = Facts {
            rust: "1.90".to_owned(),
            version: "0.1.0".to_owned(),
            crates: vec!["sr-auth-core".to_owned(), "sr-testkit".to_owned()],
        };
        let lib = Source::parse(
            "crates/sr-auth-core/src/lib.rs",
            "#[doc = include_str!(\"../../../docs/a.md\")]\n\
             // #[doc = include_str!(\"../../../docs/c.md\")]\n\
             const D: &str = include_str!(\"../../../docs/d.md\");",
        );
        for (name, path, text, expected) in cases {
            let texts = [Text { path: path.to_owned(), text }];
            let found: Vec<String> = findings(&texts, std::slice::from_ref(&lib), &facts)
                .iter()
                .map(|it| format!("{}: {}", it.place, it.what))
                .collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}
