//! A Rust file as the rules see it: code without comments and literals, and comments without code.
//!
//! A rule that searched the plain text would stumble over its own name in a comment or a test.

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
}

impl<'a> Source<'a> {
    pub(crate) fn parse(path: &'a str, text: &'a str) -> Self {
        let (code, comments) = Scanner::new(text).scan();
        let tests = test_modules(&code);
        Self { path, text, code, comments, tests }
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

fn test_modules(code: &str) -> Vec<Range<usize>> {
    code.match_indices("#[cfg(test)]")
        .filter_map(|(at, attribute)| Some(at..body(code, at + attribute.len())?.end))
        .collect()
}

/// Splits a text into code and comments, a byte at a time.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    code: Vec<u8>,
    comments: Vec<u8>,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        Self { bytes, at: 0, code: Vec::new(), comments: Vec::new() }
    }

    fn scan(mut self) -> (String, String) {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'/' if self.peek(1) == Some(b'/') => self.line_comment(),
                b'/' if self.peek(1) == Some(b'*') => self.block_comment(),
                b'"' => self.string(),
                b'r' if self.starts_raw_string() => self.raw_string(),
                b'\'' => self.quote(),
                _ => self.keep(),
            }
        }
        let text = |bytes| String::from_utf8(bytes).expect("only ASCII is kept");
        (text(self.code), text(self.comments))
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn emit(&mut self, code: bool, comment: bool) {
        let Some(byte) = self.peek(0) else { return };
        let shown = |wanted: bool| match byte {
            b'\n' => b'\n',
            _ if wanted && byte.is_ascii() => byte,
            _ => b' ',
        };
        self.code.push(shown(code));
        self.comments.push(shown(comment));
        self.at += 1;
    }

    fn keep(&mut self) {
        self.emit(true, false);
    }

    fn blank(&mut self, count: usize) {
        for _ in 0..count {
            self.emit(false, false);
        }
    }

    fn line_comment(&mut self) {
        while self.peek(0).is_some_and(|byte| byte != b'\n') {
            self.emit(false, true);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek(0) {
            match (byte, self.peek(1)) {
                (b'/', Some(b'*')) => depth += 1,
                (b'*', Some(b'/')) => depth -= 1,
                _ => {
                    self.emit(false, true);
                    continue;
                }
            }
            self.emit(false, true);
            self.emit(false, true);
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.keep();
        while let Some(byte) = self.peek(0) {
            match byte {
                b'"' => return self.keep(),
                b'\\' => self.blank(2),
                _ => self.blank(1),
            }
        }
    }

    fn starts_raw_string(&self) -> bool {
        let before = |back: usize| {
            let at = self.at.checked_sub(back)?;
            self.bytes.get(at).copied()
        };
        let is_word = |byte: Option<u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let prefixed = matches!(before(1), Some(b'b' | b'c')) && !is_word(before(2));
        let hashes = self.hashes();
        (prefixed || !is_word(before(1))) && self.peek(1 + hashes) == Some(b'"')
    }

    fn hashes(&self) -> usize {
        (1..).take_while(|ahead| self.peek(*ahead) == Some(b'#')).count()
    }

    fn raw_string(&mut self) {
        let hashes = self.hashes();
        self.blank(1 + hashes);
        self.keep();
        while let Some(byte) = self.peek(0) {
            let closes = byte == b'"' && (1..=hashes).all(|it| self.peek(it) == Some(b'#'));
            if closes {
                self.keep();
                return self.blank(hashes);
            }
            self.blank(1);
        }
    }

    /// A character literal is blanked; the quote of a lifetime is kept.
    fn quote(&mut self) {
        let ends = if self.peek(1) == Some(b'\\') {
            (3..12).find(|ahead| self.peek(*ahead) == Some(b'\''))
        } else {
            (2..6).find(|ahead| self.peek(*ahead) == Some(b'\'')).filter(|ahead| {
                // One character is one byte, or several bytes none of which is ASCII.
                *ahead == 2 || (1..*ahead).all(|it| self.peek(it).is_some_and(|it| !it.is_ascii()))
            })
        };
        match ends {
            Some(ends) => self.blank(ends + 1),
            None => self.keep(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_not_code() {
        let cases = [
            ("line comment", "a // b\nc", "a     \nc", "  // b\n "),
            (
                "nested comment",
                "a /* b /* c */ d */ e",
                "a                   e",
                "  /* b /* c */ d */  ",
            ),
            ("string with an escaped quote", r#"f("a\"b") c"#, r#"f("    ") c"#, "            "),
            ("raw string", "f(r#\"a\"b\"#) c", "f(  \"   \" ) c", "             "),
            ("a name that ends in r", "for \"a\"", "for \" \"", "       "),
            (
                "character and lifetime",
                "'\\'' 'x' &'a str",
                "         &'a str",
                "                  ",
            ),
            ("beyond ASCII", "é \"ü\" 'ö' x", "   \"  \"      x", "              "),
        ];
        for (name, text, code, comments) in cases {
            let source = Source::parse("a.rs", text);
            assert_eq!(source.code.trim_end(), code.trim_end(), "{name}");
            assert_eq!(source.comments.trim_end(), comments.trim_end(), "{name}");
            assert_eq!(source.code.len(), text.len(), "{name}");
        }
    }

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
