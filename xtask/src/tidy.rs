//! `cargo xtask tidy`: protects names, sizes, the doors of secrets, and facts that stand once.
//!
//! Each rule is a pure function over text with a table of planted faults beside it. A rule's own
//! data (words, limits, files with a reason) stands at the top of its file.

mod bans;
mod doors;
mod facts;
mod includes;
mod links;
mod manifest;
mod pure;
mod rows;
mod shape;
mod source;
mod types;
mod used;
mod words;

use crate::report::{Finding, say, verdict};
use crate::workspace::{Text, Workspace};
use source::Source;

/// Judges every text of the project, or lists the rows of `docs/security.md` without a test.
///
/// # Errors
///
/// Fails when a rule is broken. The list of rows alone never fails.
pub(crate) fn run(workspace: &Workspace, only_rows: bool) -> anyhow::Result<()> {
    let texts = workspace.texts()?;
    let sources = sources(&texts);
    let rows = rows::Rows::collect(&texts, &sources);
    if only_rows {
        rows.lines().iter().for_each(say);
        return Ok(());
    }
    verdict("tidy", findings(workspace, &texts, &sources)?)?;
    let aim = shape::above_aim(&sources);
    if !aim.is_empty() {
        say(format_args!("larger than the {} lines we aim at: {}", shape::AIM, aim.join(", ")));
    }
    say(format_args!("{} files are tidy; {}", texts.len(), rows.summary()));
    Ok(())
}

fn sources(texts: &[Text]) -> Vec<Source<'_>> {
    let rust = texts.iter().filter(|it| it.path.ends_with(".rs"));
    rust.map(|it| Source::parse(&it.path, &it.text)).collect()
}

fn findings(
    workspace: &Workspace,
    texts: &[Text],
    sources: &[Source<'_>],
) -> anyhow::Result<Vec<Finding>> {
    let metadata = workspace.metadata()?;
    let mut findings = Vec::new();
    for source in sources {
        findings.extend(bans::in_source(source));
        findings.extend(includes::findings(source));
        findings.extend(pure::findings(source));
        findings.extend(shape::findings(source));
        findings.extend(types::findings(source));
        findings.extend(words::findings(source));
    }
    let root = workspace.root.display().to_string();
    for text in texts {
        findings.extend(bans::in_text(text, &root));
        findings.extend(manifest::findings(text));
    }
    findings.extend(doors::findings(sources));
    findings.extend(used::findings(texts, sources));
    findings.extend(links::findings(texts));
    findings.extend(facts::findings(texts, sources, &facts::Facts::of(&metadata)?));
    findings.extend(rows::Rows::collect(texts, sources).findings());
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_tidy() {
        let workspace = Workspace::open(false).unwrap();
        let texts = workspace.texts().unwrap();
        let broken = findings(&workspace, &texts, &sources(&texts)).unwrap();
        let broken: Vec<String> = broken.iter().map(Finding::to_string).collect();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
        assert!(texts.iter().any(|it| it.path == "Cargo.toml"), "the root was not read");
    }

    /// Judges one planted file with one rule and compares `line: what` with the expected.
    #[track_caller]
    pub(super) fn check(
        rule: impl Fn(&Source<'_>) -> Vec<Finding>,
        name: &str,
        path: &str,
        text: &str,
        expected: &[&str],
    ) {
        let mut found: Vec<String> = rule(&Source::parse(path, text))
            .iter()
            .map(|it| {
                let line = it.place.rsplit(':').next().expect("split gives one part at least");
                format!("{line}: {}", it.what)
            })
            .collect();
        found.sort();
        assert_eq!(found, expected, "{name}");
    }
}
