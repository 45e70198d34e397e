//! A line for each request that the sandbox answers.

use std::time::Duration;

use sr_testkit::{JournalEntry, Sandbox};

use super::outlet::Outlet;
use crate::console::{DIM, GREEN, RED};
use crate::moment::time_of_day;

/// How long a request may go unnoticed.
const GLANCE: Duration = Duration::from_millis(100);

/// Reads along in the journal of a sandbox.
pub(crate) struct LiveView<'a>(&'a Sandbox);

impl<'a> LiveView<'a> {
    pub(crate) const fn new(sandbox: &'a Sandbox) -> Self {
        Self(sandbox)
    }

    /// Offers a line for each new request, without end.
    pub(crate) async fn show_forever(&self, outlet: &mut Outlet) {
        let mut glances = tokio::time::interval(GLANCE);
        let mut shown = 0;
        loop {
            glances.tick().await;
            let (entries, seen) = self.since(shown);
            outlet.skip(seen.saturating_sub(shown).saturating_sub(entries.len() as u64));
            shown = seen;
            for entry in entries {
                outlet.offer(line(&entry));
            }
        }
    }

    /// Returns the requests after the first `shown`, and how many there have been.
    fn since(&self, shown: u64) -> (Vec<JournalEntry>, u64) {
        self.0.with(|simulator| {
            let dropped = simulator.journal_dropped();
            let new = simulator.journal().zip(dropped..).filter(|(_, index)| *index >= shown);
            let new: Vec<JournalEntry> = new.map(|(entry, _)| entry.clone()).collect();
            let count = shown.max(dropped) + new.len() as u64;
            (new, count)
        })
    }
}

/// Writes a comment of the shell: what is shown can be pasted into one, whoever sent the request.
fn line(entry: &JournalEntry) -> String {
    let status = match entry.status {
        Some(status) if status < 400 => format!("{GREEN}{status}{GREEN:#}"),
        Some(status) => format!("{RED}{status}{RED:#}"),
        None => format!("{RED}---{RED:#}"),
    };
    let mut line = format!(
        "# {DIM}{}{DIM:#}  {:<6} {}  {status}",
        time_of_day(entry.at),
        quoted(entry.method.as_str()),
        quoted(&entry.path)
    );
    if let Some(grant_type) = entry.grant_type {
        line.push_str(&format!("  {grant_type}"));
    }
    if let Some(reason) = entry.reason {
        line.push_str(&format!("  {reason}"));
    }
    if let Some(fault) = entry.fault {
        line.push_str(&format!("  planted fault: {fault}"));
    }
    if entry.secret_in_url {
        line.push_str(&format!("  {RED}a secret was in the URL{RED:#}"));
    }
    line
}

/// Percent-encodes what could mean something to a shell or a terminal.
fn quoted(foreign: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._~%?&=:+-".contains(&byte);
    let encode = |byte| match byte {
        plain_byte if plain(plain_byte) => char::from(plain_byte).to_string(),
        other => format!("%{other:02X}"),
    };
    foreign.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_means_nothing_to_a_shell() {
        let cases = [
            ("a path", "/jobs/1?a=b&c=%20:+-._~", "/jobs/1?a=b&c=%20:+-._~"),
            ("a command", "/$(id)`id`", "/%24%28id%29%60id%60"),
            ("quotes", "/'\"\\", "/%27%22%5C"),
            ("a line break", "/\r\nid;#", "/%0D%0Aid%3B%23"),
            ("a terminal's command", "/\u{1b}[2J", "/%1B%5B2J"),
            ("another alphabet", "/\u{e9} ", "/%C3%A9%20"),
        ];
        for (name, text, expected) in cases {
            assert_eq!(quoted(text), expected, "{name}");
        }
    }
}
