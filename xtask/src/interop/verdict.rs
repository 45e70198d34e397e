//! What a peer had to say against what it said.

use std::fmt;

/// One thing that a peer was to show.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Row {
    pub(crate) case: String,
    pub(crate) peer: &'static str,
    pub(crate) verdict: Verdict,
    /// How the client authenticated: in the body, or with Basic.
    pub(crate) way: String,
}

/// How it went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// It was to be said, and was not.
    Missing,
    /// It works.
    Ok,
    /// It is a trap, and is still there.
    Saw,
    /// It was said, and no row asks for it.
    Unexpected,
}

impl Verdict {
    pub(crate) const fn is_good(self) -> bool {
        matches!(self, Self::Ok | Self::Saw)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Missing => "MISSING",
            Verdict::Ok => "ok",
            Verdict::Saw => "saw",
            Verdict::Unexpected => "NOT EXPECTED",
        };
        let Self { case, peer, way, .. } = self;
        write!(f, "{peer:<18} {way:<8} {verdict:<12} {case}")
    }
}

/// Compares the lines `ok <way>: <case>` and `saw <way>: <case>` with those that were expected.
///
/// Every line counts once: said twice, it is unexpected the second time.
pub(crate) fn judge(peer: &'static str, expected: &[String], said: &[String]) -> Vec<Row> {
    let mut unheard: Vec<&String> = said.iter().filter(|line| split(line).is_some()).collect();
    let mut rows = Vec::new();
    for line in expected {
        let heard = unheard.iter().position(|it| *it == line).map(|at| unheard.remove(at));
        rows.extend(row(peer, line, heard.is_none().then_some(Verdict::Missing)));
    }
    rows.extend(unheard.iter().filter_map(|line| row(peer, line, Some(Verdict::Unexpected))));
    rows
}

/// Returns what the lines `version <name> <version>` name.
pub(crate) fn versions(said: &[String]) -> Vec<&str> {
    said.iter().filter_map(|line| line.strip_prefix("version ")).collect()
}

fn row(peer: &'static str, line: &str, verdict: Option<Verdict>) -> Option<Row> {
    let (said, way, case) = split(line)?;
    let verdict = verdict.unwrap_or(said);
    Some(Row { case: case.to_owned(), peer, verdict, way: way.to_owned() })
}

fn split(line: &str) -> Option<(Verdict, &str, &str)> {
    let (word, rest) = line.split_once(' ')?;
    let said = match word {
        "ok" => Verdict::Ok,
        "saw" => Verdict::Saw,
        _ => return None,
    };
    let (way, case) = rest.split_once(": ")?;
    Some((said, way, case))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_judged_line_by_line() {
        use Verdict::{Missing, Ok, Saw, Unexpected};
        let cases: [(&str, &[&str], &[Verdict]); 8] = [
            ("all said", &["ok body: code", "saw basic: trap"], &[Ok, Saw]),
            (
                "in another order, among other lines",
                &["hello", "saw basic: trap", "version a 1", "ok body: code"],
                &[Ok, Saw],
            ),
            ("one missing", &["ok body: code"], &[Ok, Missing]),
            ("nothing said", &[], &[Missing, Missing]),
            ("the other way", &["ok basic: code", "saw basic: trap"], &[Missing, Saw, Unexpected]),
            ("the trap is gone", &["ok body: code", "ok basic: trap"], &[Ok, Missing, Unexpected]),
            (
                "said twice",
                &["ok body: code", "saw basic: trap", "ok body: code"],
                &[Ok, Saw, Unexpected],
            ),
            (
                "more than was asked",
                &["ok body: code", "saw basic: trap", "ok body: new"],
                &[Ok, Saw, Unexpected],
            ),
        ];
        let expected = ["ok body: code".to_owned(), "saw basic: trap".to_owned()];
        for (name, said, verdicts) in cases {
            let said: Vec<String> = said.iter().map(|line| (*line).to_owned()).collect();
            let rows = judge("peer", &expected, &said);
            let found: Vec<Verdict> = rows.iter().map(|row| row.verdict).collect();
            assert_eq!(found, verdicts, "{name}: {rows:?}");
        }
    }

    #[test]
    fn a_row_says_who_failed_at_what() {
        let rows = judge("simple-oauth2", &["ok body: refresh".to_owned()], &[]);
        assert_eq!(rows[0].to_string(), "simple-oauth2      body     MISSING      refresh");
        assert!(!rows[0].verdict.is_good());
    }

    #[test]
    fn versions_are_told_apart_from_results() {
        let said = ["version node 20".to_owned(), "ok body: version".to_owned()];
        assert_eq!(versions(&said), ["node 20"]);
    }
}
