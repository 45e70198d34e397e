//! Splits a text into code and comments, a byte at a time.

/// Returns the code, with comments and the inside of literals blanked, and the comments alone.
///
/// Both keep the length and the lines of the text.
pub(super) fn split(text: &str) -> (String, String) {
    Scanner::new(text).scan()
}

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
            let (found_code, found_comments) = split(text);
            assert_eq!(found_code.trim_end(), code.trim_end(), "{name}");
            assert_eq!(found_comments.trim_end(), comments.trim_end(), "{name}");
            assert_eq!(found_code.len(), text.len(), "{name}");
        }
    }
}
