//! A Rust file as the rules see it: code without comments and literals, and comments without code.
//!
//! A rule that searched the plain text would stumble over its own name in a comment or a test.

mod scanner;

use std::ops::Range;

/// One Rust file, taken apart. All views have the length and the lines of the text.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub(crate) path: &'a str,
    pub(crate) text: &'a str,
    /// Everything but comments and the inside of literals, which are blanks.
    pub(crate) code: String,
    /// Only comments.
    pub(crate) comments: String,
    tests: Vec<Range<usize>>,
    never_built: Vec<Range<usize>>,
}

/// Conditions of tests, and those under which no test is built.
const FOR_TESTS: [&str; 2] = ["#[cfg(test)]", "#[cfg(all(test,"];
const NEVER: [&str; 3] = ["#[cfg(any())]", "#[cfg(false)]", "#[cfg(not(test))]"];
/// The same as the first lines of a file.
const FILE_NEVER: [&str; 3] = ["#![cfg(any())]", "#![cfg(false)]", "#![cfg(not(test))]"];

impl<'a> Source<'a> {
    pub(crate) fn parse(path: &'a str, text: &'a str) -> Self {
        let (code, comments) = scanner::split(text);
        let tests = under(&code, &FOR_TESTS);
        let mut never_built = under(&code, &NEVER);
        if FILE_NEVER.iter().any(|it| code.contains(it)) {
            never_built.push(0..code.len());
        }
        Self { path, text, code, comments, tests, never_built }
    }

    /// Returns `path:line` of a position in any view.
    pub(crate) fn place(&self, at: usize) -> String {
        format!("{}:{}", self.path, self.line(at))
    }

    /// Returns the number of the line that holds a position.
    pub(crate) fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count()
    }

    /// Says whether a position belongs to tests: a test file, or a `#[cfg(test)]` module.
    pub(crate) fn is_test(&self, at: usize) -> bool {
        self.is_test_file() || self.tests.iter().any(|range| range.contains(&at))
    }

    /// Says whether a position stands under a condition that no build of the tests fulfils.
    pub(crate) fn is_never_built(&self, at: usize) -> bool {
        self.never_built.iter().any(|range| range.contains(&at))
    }

    /// Says whether the whole file is for tests.
    pub(crate) fn is_test_file(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// Returns the positions of a string in the code.
    pub(crate) fn find<'s>(&'s self, needle: &'s str) -> impl Iterator<Item = usize> + 's {
        self.code.match_indices(needle).map(|(at, _)| at)
    }

    /// Returns each name that follows a keyword such as `fn`, with its position.
    pub(crate) fn names_after<'s>(
        &'s self,
        keyword: &'s str,
    ) -> impl Iterator<Item = (usize, &'s str)> + 's {
        words(&self.code).filter(move |(_, word)| *word == keyword).filter_map(|(at, word)| {
            let start = at + word.len();
            let rest = self.code.get(start..)?;
            let name = rest.trim_start();
            let at = start + rest.len() - name.len();
            let (0, name) = words(name).next()? else { return None };
            Some((at, name))
        })
    }

    /// Returns the position of the bracket that closes the first `{` at or after `from`, unless a
    /// `;` ends the item before.
    pub(crate) fn end_of_body(&self, from: usize) -> Option<Range<usize>> {
        body(&self.code, from)
    }
}

/// Returns the words of a code view: names, keywords and numbers.
pub(crate) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut rest = 0;
    std::iter::from_fn(move || {
        let tail = code.as_bytes().get(rest..)?;
        let start = rest + tail.iter().position(|byte| is_word(*byte))?;
        let tail = code.as_bytes().get(start..)?;
        let length = tail.iter().position(|byte| !is_word(*byte)).unwrap_or(tail.len());
        rest = start + length;
        Some((start, code.get(start..rest)?))
    })
}

fn body(code: &str, from: usize) -> Option<Range<usize>> {
    let mut depth = 0_usize;
    let mut open = None;
    // A `;` inside the parentheses or brackets of a signature belongs to an array type.
    let mut nested = 0_usize;
    for (offset, byte) in code.get(from..)?.bytes().enumerate() {
        match byte {
            b'(' | b'[' => nested += 1,
            b')' | b']' => nested = nested.saturating_sub(1),
            b';' if open.is_none() && nested == 0 => return None,
            b'{' => {
                open.get_or_insert(from + offset);
                depth += 1;
            }
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return open.map(|open| open..from + offset);
                }
            }
            _ => {}
        }
    }
    None
}

/// Returns the items with a body that stand under one of the attributes.
fn under(code: &str, attributes: &[&str]) -> Vec<Range<usize>> {
    let found = attributes.iter().flat_map(|attribute| code.match_indices(*attribute));
    found.filter_map(|(at, text)| Some(at..body(code, at + text.len())?.end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_module_ends_at_its_bracket() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { {} } }\nfn c() {}";
        let source = Source::parse("src/a.rs", text);
        let tests: Vec<bool> = source.names_after("fn").map(|(at, _)| source.is_test(at)).collect();
        assert_eq!(tests, [false, true, false]);
        assert!(Source::parse("crates/x/tests/a.rs", "fn a() {}").is_test(0), "a test file");
    }

    #[test]
    fn names_follow_their_keyword() {
        let source = Source::parse("a.rs", "fn one() {} struct S { f: fn(u8) } fn  two() {}");
        let names: Vec<&str> = source.names_after("fn").map(|(_, name)| name).collect();
        assert_eq!(names, ["one", "two"]);
    }
}
