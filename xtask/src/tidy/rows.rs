//! The rows of `docs/security.md`: each has a test whose name begins with its id, or a reason.
//!
//! `C07` is held by `c07_…`; a test that holds two rows is called `c09_c12_…`. A row that is to
//! come says `later: <reason>` in its column `status`.

use std::collections::BTreeMap;

use super::source::Source;
use crate::report::Finding;
use crate::workspace::Text;

const PAGE: &str = "docs/security.md";
/// The last row of the client library, from `C01` on: a table that shrinks promises less.
const LAST: usize = 38;
/// Rows of the client library that may be `later`; each that is held is taken off.
const LATER: [&str; 1] = ["C34"];

/// The rows and the tests that hold them.
#[derive(Debug)]
pub(super) struct Rows {
    /// Whether the page is there.
    has_page: bool,
    rows: Vec<Row>,
    /// The tests of each row, by name and place.
    tests: BTreeMap<String, Vec<(String, String)>>,
}

#[derive(Debug)]
struct Row {
    id: String,
    requirement: String,
    place: String,
    /// The reason after `later:`, if the row is marked so.
    later: Option<String>,
}

impl Rows {
    pub(super) fn collect(texts: &[Text], sources: &[Source<'_>]) -> Self {
        let page = texts.iter().find(|it| it.path == PAGE);
        let mut tests: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for source in sources.iter().filter(|it| it.path.starts_with("crates/")) {
            for (at, name) in test_names(source) {
                for id in ids(name) {
                    tests.entry(id).or_default().push((name.to_owned(), source.place(at)));
                }
            }
        }
        Self { has_page: page.is_some(), rows: page.map(rows).unwrap_or_default(), tests }
    }

    /// Returns a row without a test and without a reason, and a test without a row.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings = self.against_the_pins(LAST, &LATER);
        findings.extend(self.against_the_tests());
        findings
    }

    /// Returns rows that are gone, and rows that are put off or held without a word here.
    fn against_the_pins(&self, last: usize, later: &[&str]) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut say = |place: &str, what, way_out| {
            findings.push(Finding { place: place.to_owned(), rule: "row", what, way_out });
        };
        if !self.has_page {
            say(PAGE, "is not there".to_owned(), "bring it back: it says what the tests hold");
            return findings;
        }
        for id in (1..=last).map(|number| format!("C{number:02}")) {
            if !self.rows.iter().any(|row| row.id == id) {
                say(PAGE, format!("has no row {id}"), "bring it back: a requirement stays one");
            }
        }
        for row in self.rows.iter().filter(|row| row.id.starts_with('C')) {
            match (&row.later, later.contains(&row.id.as_str())) {
                (Some(_), false) => {
                    let way_out = "hold it, or decide and add it to tidy/rows.rs";
                    say(&row.place, format!("{} may not be later", row.id), way_out);
                }
                (None, true) => {
                    let what = format!("{} is no longer later", row.id);
                    say(&row.place, what, "take it off the list in tidy/rows.rs");
                }
                (Some(_), true) | (None, false) => {}
            }
        }
        findings
    }

    fn against_the_tests(&self) -> Vec<Finding> {
        if !self.has_page {
            return Vec::new();
        }
        let mut findings = Vec::new();
        let mut say = |place: &str, what, way_out| {
            findings.push(Finding { place: place.to_owned(), rule: "row", what, way_out });
        };
        for row in &self.rows {
            let twice = self.rows.iter().filter(|it| it.id == row.id).count() > 1;
            if twice {
                say(&row.place, format!("{} stands twice", row.id), "give each row its own id");
            }
            match &row.later {
                Some(reason) if reason.is_empty() => {
                    say(&row.place, format!("{} is later", row.id), "say why: `later: <reason>`");
                }
                None if !self.tests.contains_key(&row.id) => {
                    let way_out = "name its test after it, or mark the row `later: <reason>`";
                    say(&row.place, format!("{} has no test", row.id), way_out);
                }
                Some(_) | None => {}
            }
        }
        for (id, tests) in &self.tests {
            for (name, place) in tests.iter().filter(|_| !self.rows.iter().any(|it| it.id == *id)) {
                let what = format!("`{name}` holds {id}, which is no row");
                say(place, what, "correct the name, or add the row to docs/security.md");
            }
        }
        findings
    }

    /// Returns the list for a person: rows without a test, and rows that are to come.
    pub(super) fn lines(&self) -> Vec<String> {
        if !self.has_page {
            return vec![format!("{PAGE} is not there: no rows to compare with")];
        }
        let has_test = |row: &&Row| self.tests.contains_key(&row.id);
        let mut lines = vec!["without a test:".to_owned()];
        let open = self.rows.iter().filter(|it| it.later.is_none() && !has_test(it));
        lines.extend(open.map(|it| format!("  {} {}", it.id, it.requirement)));
        if lines.len() == 1 {
            lines.push("  none".to_owned());
        }
        lines.push("later:".to_owned());
        for row in &self.rows {
            if let Some(reason) = &row.later {
                let begun = if has_test(&row) { " (has a test already)" } else { "" };
                lines.push(format!("  {} {}: {reason}{begun}", row.id, row.requirement));
            }
        }
        lines.push(self.summary());
        lines
    }

    /// Returns the counts in one line.
    pub(super) fn summary(&self) -> String {
        let later = self.rows.iter().filter(|it| it.later.is_some()).count();
        let now = self.rows.iter().filter(|it| it.later.is_none());
        let held = now.filter(|it| self.tests.contains_key(&it.id)).count();
        let tests: usize = self.tests.values().map(Vec::len).sum();
        let rows = self.rows.len();
        format!("{held} of {rows} security rows are held by {tests} tests, {later} are for later")
    }
}

/// Reads the rows of every table whose first column holds ids.
fn rows(page: &Text) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut status = None;
    for (number, line) in (1..).zip(page.text.lines()) {
        let Some(line) = line.trim().strip_prefix('|') else { continue };
        let cells: Vec<&str> = line.trim_end_matches('|').split('|').map(str::trim).collect();
        if let Some(at) = cells.iter().position(|cell| cell.eq_ignore_ascii_case("status")) {
            status = Some(at);
        }
        let id = cells.first().copied().unwrap_or_default();
        if ids(&format!("{}_", id.to_ascii_lowercase())) != [id] {
            continue;
        }
        let status = status.and_then(|at| cells.get(at)).or_else(|| cells.last()).copied();
        let later = status.and_then(|it| it.strip_prefix("later"));
        rows.push(Row {
            id: id.to_owned(),
            requirement: cells.get(2).copied().unwrap_or_default().to_owned(),
            place: format!("{PAGE}:{number}"),
            later: later.map(|it| it.trim_start_matches(':').trim().to_owned()),
        });
    }
    rows
}

/// Returns the ids at the start of a test's name.
fn ids(name: &str) -> Vec<String> {
    let is_id = |part: &&str| {
        let mut letters = part.chars();
        let kind = letters.next().is_some_and(|it| "cikp".contains(it));
        kind && part.len() == 3 && letters.all(|it| it.is_ascii_digit())
    };
    name.split('_').take_while(is_id).map(str::to_ascii_uppercase).collect()
}

/// Returns each function under a test attribute, `proptest!` included.
fn test_names<'s>(source: &'s Source<'_>) -> impl Iterator<Item = (usize, &'s str)> + 's {
    source.names_after("fn").filter(|(at, _)| {
        let before = source.code.get(..*at).unwrap_or_default();
        // From the end of the item before: its attributes and nothing else.
        let attributes = before.rfind([';', '}']).map_or(before, |end| &before[end..]);
        let is_test = attributes.contains("#[test]") || attributes.contains("#[tokio::test");
        is_test && !source.is_never_built(*at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "| id | level | requirement | status |\n|---|---|---|---|\n";

    fn rows(page: &str, source: &str) -> Rows {
        let page = Text { path: PAGE.to_owned(), text: format!("{HEAD}{page}") };
        Rows::collect(&[page], &[Source::parse("crates/a/tests/b.rs", source)])
    }

    #[test]
    fn a_row_without_a_test_and_a_test_without_a_row_are_found() {
        let row = "| C01 | MUST | verify | held |";
        let cases: [(&str, &str, &str, &[&str]); 12] = [
            ("held", row, "#[test]\nfn c01_a() {}", &[]),
            ("held in async", row, "#[tokio::test(start_paused = true)]\nasync fn c01_a() {}", &[]),
            ("held by a law", row, "proptest! { /// x\n#[test]\nfn c01_a(x in 0..9) {} }", &[]),
            (
                "held with another",
                row,
                "#[test]\nfn c01_i02_a() {}",
                &["`c01_i02_a` holds I02, which is no row"],
            ),
            ("not held", row, "#[test]\nfn c1_a() {}", &["C01 has no test"]),
            ("a function that is no test", row, "fn c01_a() {}", &["C01 has no test"]),
            ("never built", row, "#[test]\n#[cfg(any())]\nfn c01_a() {}", &["C01 has no test"]),
            (
                "never built, as its module",
                row,
                "#[cfg(any())]\nmod a { #[test]\nfn c01_a() {} }",
                &["C01 has no test"],
            ),
            ("as its file", row, "#![cfg(any())]\n#[test]\nfn c01_a() {}", &["C01 has no test"]),
            ("later", "| C02 | MUST | x | later: needs a store |", "", &[]),
            ("later without a reason", "| C02 | MUST | x | later |", "", &["C02 is later"]),
            (
                "twice",
                "| K01 | MUST | x | later: y |\n| K01 | MUST | x | later: y |",
                "",
                &["K01 stands twice", "K01 stands twice"],
            ),
        ];
        for (name, page, source, expected) in cases {
            let found: Vec<String> =
                rows(page, source).against_the_tests().into_iter().map(|it| it.what).collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn the_list_tells_open_rows_from_later_ones() {
        let page = "| C01 | MUST | verify | |\n| C02 | MUST | https | later: soon |\n\
                    | P01 | MUST | no open redirector | |";
        let rows = rows(page, "#[test]\nfn p01_a() {}");
        let expected = [
            "without a test:",
            "  C01 verify",
            "later:",
            "  C02 https: soon",
            "1 of 3 security rows are held by 1 tests, 1 are for later",
        ];
        assert_eq!(rows.lines(), expected);
    }

    #[test]
    fn a_table_that_shrinks_or_puts_off_is_found() {
        let held = "| C01 | MUST | a | held |";
        let later = "| C02 | MUST | b | later: c |";
        let both = format!("{held}\n{later}");
        let cases: [(&str, &str, &[&str], &[&str]); 5] = [
            ("as decided", &both, &["C02"], &[]),
            ("a row is gone", held, &["C02"], &["has no row C02"]),
            ("put off", &both, &[], &["C02 may not be later"]),
            ("held since", &both, &["C01", "C02"], &["C01 is no longer later"]),
            ("another table", "| P09 | MUST | a | later: b |", &[], &["no row C01", "no row C02"]),
        ];
        for (name, page, later, expected) in cases {
            let found = rows(page, "").against_the_pins(2, later);
            assert_eq!(found.len(), expected.len(), "{name}: {found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.what.contains(expected), "{name}: {}", found.what);
            }
        }
    }

    #[test]
    fn a_page_that_is_gone_is_found() {
        let rows = Rows::collect(&[], &[]);
        let found: Vec<String> = rows.findings().iter().map(Finding::to_string).collect();
        assert!(found.concat().starts_with("docs/security.md: is not there"), "{found:?}");
        assert!(rows.lines().concat().contains("is not there"));
    }
}
