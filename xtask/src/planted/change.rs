//! Small changes of a source text.

use std::ops::Range;

use anyhow::ensure;

/// A change of one file. White space does not count when `old` is looked for, so that a change
/// outlives a new layout.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    /// The file, from `src` of its crate.
    pub(super) file: &'static str,
    /// What stands there, exactly once.
    pub(super) old: &'static str,
    /// What stands there instead: [`MARK`] is true where the fault is alive.
    pub(super) new: &'static str,
}

/// The place of the switch in a new text.
const MARK: &str = "PLANTED";

/// Makes changes, each with the name and the switch of its fault.
///
/// # Errors
///
/// Fails when an old text does not stand there exactly once, or two changes touch each other.
pub(super) fn apply(text: &str, changes: &[(&str, &Change, String)]) -> anyhow::Result<String> {
    let (mut places, mut wrong) = (Vec::new(), Vec::new());
    for (name, Change { file, old, new }, switch) in changes {
        match find(text, old).as_slice() {
            [place] => places.push((place.clone(), new.replace(MARK, switch), *name)),
            found => wrong.push(format!("{name}: {file} holds this {} times: {old}", found.len())),
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    places.sort_by_key(|(place, ..)| place.start);
    for pair in places.windows(2) {
        if let [(before, _, first), (after, _, second)] = pair {
            ensure!(before.end <= after.start, "{first} and {second} change the same place");
        }
    }
    let mut changed = text.to_owned();
    for (place, new, _) in places.into_iter().rev() {
        changed.replace_range(place, &new);
    }
    Ok(changed)
}

/// Finds every place of `old` in `text`, whatever white space lies between.
fn find(text: &str, old: &str) -> Vec<Range<usize>> {
    let is_ink = |letter: &char| !letter.is_whitespace();
    let ink: Vec<(usize, char)> = text.char_indices().filter(|(_, it)| is_ink(it)).collect();
    let old: Vec<char> = old.chars().filter(is_ink).collect();
    if old.is_empty() {
        return Vec::new();
    }
    let places = ink.windows(old.len()).filter(|it| it.iter().map(|(_, it)| it).eq(&old));
    let range = |it: &[(usize, char)]| match it {
        [(start, first)] => *start..start + first.len_utf8(),
        [(start, _), .., (end, last)] => *start..end + last.len_utf8(),
        [] => 0..0,
    };
    places.map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "fn f(a: bool) {\n    if a\n        && b\n    {\n        c();\n    }\n}\n";

    fn planted(changes: &[(&'static str, &'static str)]) -> Result<String, String> {
        let of = |(old, new): &(&'static str, &'static str)| Change { file: "f.rs", old, new };
        let all: Vec<Change> = changes.iter().map(of).collect();
        let named: Vec<_> = all.iter().map(|it| ("fault", it, "on()".to_owned())).collect();
        apply(TEXT, &named).map_err(|error| error.to_string())
    }

    #[test]
    fn a_change_is_found_whatever_the_layout() {
        let changed =
            planted(&[("c();", "if !PLANTED { c(); }"), ("a && b", "a && (PLANTED || b)")]);
        let expected = TEXT.replace("a\n        && b", "a && (on() || b)");
        assert_eq!(changed, Ok(expected.replace("c();", "if !on() { c(); }")));
    }

    #[test]
    fn a_change_that_does_not_fit_is_refused_by_name() {
        let cases: [(&str, &[(&str, &str)], &str); 4] = [
            ("gone", &[("d();", "")], "fault: f.rs holds this 0 times: d();"),
            ("twice", &[("b", "")], "fault: f.rs holds this 2 times: b"),
            ("empty", &[(" ", "")], "fault: f.rs holds this 0 times:  "),
            ("overlap", &[("a && b", ""), ("b {", "")], "fault and fault change the same place"),
        ];
        for (name, changes, expected) in cases {
            assert_eq!(planted(changes), Err(expected.to_owned()), "{name}");
        }
    }
}
