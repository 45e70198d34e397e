//! The only place that writes to the terminal: results to stdout, everything else to stderr.

use std::io::{IsTerminal as _, Write};

use clap::builder::styling::{AnsiColor, Style};

use crate::environment;
use crate::exit::{Exit, Failure};

/// For headings.
pub(crate) const BOLD: Style = Style::new().bold();
/// For what is less important.
pub(crate) const DIM: Style = Style::new().dimmed();
/// For what is wrong.
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
/// For what is as it should be.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();

/// Where the program writes.
///
/// Styles reach terminals only, and `NO_COLOR` is obeyed. Standard output is flushed after each
/// line, so that a script that reads along gets it at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    utf8: bool,
}

impl Console {
    pub(crate) fn new() -> Self {
        Self { utf8: environment::speaks_utf8() }
    }

    /// Writes a line to standard output.
    pub(crate) fn line(&self, text: &str) -> Result<(), Failure> {
        let mut out = anstream::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|error| closed(&error))
    }

    /// Writes bytes to standard output as they are, and a line break after them on a terminal.
    ///
    /// A terminal gets `?` for control characters: it would obey them.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        let written = if out.is_terminal() {
            writeln!(out, "{}", harmless(&String::from_utf8_lossy(bytes)))
        } else {
            out.write_all(bytes)
        };
        written.and_then(|()| out.flush()).map_err(|error| closed(&error))
    }

    /// Writes a line to standard error; nobody can be told when that fails.
    pub(crate) fn note(&self, text: &str) {
        let _told = writeln!(anstream::stderr().lock(), "{text}");
    }

    /// Says what went wrong, its code, and what to do.
    pub(crate) fn failure(&self, failure: &Failure) {
        // Whoever closed the pipe has read enough.
        if is_closed(failure) {
            return;
        }
        self.note(&format!("{RED}error:{RED:#} {}", failure.what()));
        if failure.exit() != Exit::Interrupted {
            self.note(&format!("  {DIM}code:{DIM:#} {}", failure.code()));
            self.note(&format!("  {DIM}do:{DIM:#}   {}", failure.advice()));
        }
    }

    /// Returns the first text where the terminal can show it, or else the second.
    pub(crate) const fn glyph(&self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.utf8 { unicode } else { ascii }
    }

    /// Has only ASCII written from now on.
    pub(crate) const fn ascii_only(self) -> Self {
        Self { utf8: false }
    }
}

const OUTPUT_CLOSED: &str = "sr_auth::output_closed";

/// Tells whether somebody closed standard output, who has read enough.
pub(crate) fn is_closed(failure: &Failure) -> bool {
    failure.code() == OUTPUT_CLOSED
}

fn closed(error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        return Failure::new(Exit::Failed, OUTPUT_CLOSED, "standard output was closed", "");
    }
    Failure::io("standard output cannot be written", error)
}

/// Makes a foreign text harmless for a terminal.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|it| if it.is_control() && !"\n\t".contains(it) { '?' } else { it }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c25_a_terminal_gets_no_control_character_of_a_server() {
        assert_eq!(harmless("a\u{1b}[31mb\r\u{9b}c\n\td"), "a?[31mb??c\n\td");
    }
}
