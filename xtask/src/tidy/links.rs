//! Links of Markdown: a file that was moved takes its links with it.

use std::collections::BTreeSet;

use super::facts::resolve;
use crate::report::Finding;
use crate::workspace::Text;

/// Judges every link that leads to a file of the project.
pub(super) fn findings(texts: &[Text]) -> Vec<Finding> {
    let files: BTreeSet<&str> = texts.iter().map(|it| it.path.as_str()).collect();
    let exists = |path: &str| {
        let folder = format!("{}/", path.trim_end_matches('/'));
        files.contains(path) || files.iter().any(|file| file.starts_with(&folder))
    };
    let mut findings = Vec::new();
    for text in texts.iter().filter(|it| it.path.ends_with(".md")) {
        for (line, link) in links(&text.text) {
            let path = link.split('#').next().unwrap_or_default();
            let leads_out = path.contains(':') || path.is_empty();
            if !leads_out && !exists(&resolve(&text.path, path)) {
                findings.push(Finding {
                    place: format!("{}:{line}", text.path),
                    rule: "link",
                    what: format!("`{path}` leads nowhere"),
                    way_out: "correct the path; it counts from the folder of this file",
                });
            }
        }
    }
    findings
}

/// Returns the targets of `[text](target)` and `[text]: target`, code blocks apart.
fn links(markdown: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    let mut in_code = false;
    for (number, line) in (1..).zip(markdown.lines()) {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let inline = line.split("](").skip(1).filter_map(|it| it.split(')').next());
        links.extend(inline.map(|target| (number, target)));
        let reference = line.strip_prefix('[').and_then(|it| it.split_once("]: "));
        links.extend(reference.map(|(_, target)| (number, target.trim())));
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let cases = [
            ("a file beside it", "[a](b.md) [b](./b.md)", 0),
            ("a file above, at a heading", "[a](../README.md#start)", 0),
            ("a folder", "[a](decisions)", 0),
            ("this page", "[a](#start)", 0),
            ("another site", "[a](https://example.com/x)", 0),
            ("code", "```text\n[a](gone.md)\n```", 0),
            ("gone", "[a](gone.md)", 1),
            ("gone by reference", "[a]: gone.md", 1),
            ("two on a line", "[a](gone.md) [b](b.md) [c](../gone.md)", 2),
        ];
        let file = |path: &str, text: &str| Text { path: path.to_owned(), text: text.to_owned() };
        for (name, text, expected) in cases {
            let page = file("docs/a.md", text);
            let others =
                [file("docs/b.md", ""), file("README.md", ""), file("docs/decisions/1.md", "")];
            let texts = [&[page], &others[..]].concat();
            assert_eq!(findings(&texts).len(), expected, "{name}: {:?}", findings(&texts));
        }
    }
}
