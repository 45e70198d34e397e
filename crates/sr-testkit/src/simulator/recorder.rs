//! What the journal is told of a request, and the search for secrets in its URL.

use http::{Method, Request};
use sr_auth_core::{SecretBytes, Timestamp};

use super::Simulator;
use super::answer::Handled;
use super::faults::Effect;
use super::fingerprint::{Fingerprint, lookup};
use super::form::decode_leniently;
use super::journal::{Journal, JournalEntry};
use super::token;

impl Simulator {
    pub(super) fn note(
        &mut self,
        at: Timestamp,
        request: &Request<SecretBytes>,
        handled: &Handled,
        effect: Option<&Effect>,
    ) {
        if self.journal.is_off() || !handled.is_noted {
            return;
        }
        let lost = matches!(effect, Some(Effect::LostAfter | Effect::LostBefore));
        let path = request.uri().path();
        let kept: String = path.chars().take(Journal::PATH_LIMIT).collect();
        let token = token::named(request).unwrap_or_default();
        // One that was lost on its way was not looked at: what is there was issued before it.
        let is_success = handled.credential.is_some() && handled.reason.is_none();
        let issued = self.issued.as_ref().filter(|_| token.is_request && is_success);
        self.journal.add(JournalEntry {
            at,
            credential: handled.credential,
            fault: effect.map(Effect::kind),
            grant: issued.and_then(|it| it.grant),
            grant_type: token.grant_type,
            issued: issued.and_then(|it| it.refresh.as_ref()).map(Fingerprint::of),
            method: self.harmless(request.method()),
            path: if self.has_secret(path) { "/…".to_owned() } else { kept },
            presented: token.presented,
            reason: handled.reason,
            secret_in_url: self.has_secret_in_url(request),
            status: (!lost).then(|| handled.response.status().as_u16()),
            user_agent: self.user_agent(request),
        });
    }

    fn user_agent(&self, request: &Request<SecretBytes>) -> Option<String> {
        let value = request.headers().get(http::header::USER_AGENT)?.to_str().ok()?;
        let kept: String = value.chars().take(Journal::USER_AGENT_LIMIT).collect();
        Some(if self.has_secret(value) { "-".to_owned() } else { kept })
    }

    fn has_secret_in_url(&self, request: &Request<SecretBytes>) -> bool {
        let referer = request.headers().get(http::header::REFERER);
        let referer = referer.map(|value| String::from_utf8_lossy(value.as_bytes()));
        self.has_secret(&request.uri().to_string())
            || referer.is_some_and(|referer| self.has_secret(&referer))
    }

    /// Cuts a method that somebody made up to a bounded length, and one with a secret away.
    fn harmless(&self, method: &Method) -> Method {
        let text = method.as_str();
        let kept = if self.has_secret(text) { "-" } else { text };
        let kept = kept.as_bytes().iter().take(Journal::METHOD_LIMIT).copied().collect::<Vec<_>>();
        Method::from_bytes(&kept).unwrap_or_default()
    }

    /// Tells whether a secret stands anywhere in a text, as it is or percent-encoded up to twice:
    /// a URL within a URL is.
    ///
    /// Keys and client secrets are found within any text. What was issued is known by its digest
    /// only, and is found between characters that are neither letters nor digits.
    fn has_secret(&self, text: &str) -> bool {
        let once = decode_leniently(text);
        let twice = decode_leniently(&once);
        let mut spellings = vec![text, &once, &twice];
        spellings.dedup();
        spellings.into_iter().any(|text| {
            self.world.has_secret(text)
                || candidates(text).any(|candidate| self.ledger.knows(&lookup(candidate)))
        })
    }
}

/// How many words a token may have: a UUID has five.
const WORDS: usize = 6;
/// How many `=` a token may end in.
const PADDING: usize = 2;
/// How many hexadecimal digits stand together in everything that is issued, at least.
const DRAWN: usize = 12;

/// A maximal run of letters and digits.
#[derive(Clone, Copy, Debug)]
struct Word {
    end: usize,
    /// Whether it could be drawn by the generator of secrets.
    is_drawn: bool,
    start: usize,
}

/// Returns what could be a token: some words that follow each other, one of them drawn, with what is
/// between them and none, some or all of the `=` after them.
fn candidates(text: &str) -> impl Iterator<Item = &str> {
    let words = words(text);
    let ranges = (0..words.len()).flat_map(move |first| {
        let some: Vec<Word> = words.iter().skip(first).take(WORDS).copied().collect();
        let start = some.first().map_or(0, |word| word.start);
        let drawn = some.iter().position(|word| word.is_drawn).unwrap_or(WORDS);
        some.into_iter().skip(drawn).map(move |word| (start, word.end))
    });
    let candidates = ranges.flat_map(move |(start, end)| {
        let rest = text.get(end..).unwrap_or_default();
        let padding = rest.bytes().take(PADDING).take_while(|byte| *byte == b'=').count();
        (0..=padding).map(move |padding| text.get(start..end + padding))
    });
    candidates.flatten()
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = 0;
    for part in text.split(|it: char| !it.is_ascii_alphanumeric()) {
        // What is between two words is one character, of one byte or more.
        let end = start + part.len();
        if !part.is_empty() {
            let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            let is_drawn = part.len() >= DRAWN && part.bytes().all(is_hex);
            words.push(Word { end, is_drawn, start });
        }
        let gap = text.get(end..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        start = end + gap;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_has_the_shape_of_a_token_is_a_candidate() {
        let uuid = "0a1b2c3d-4e5f-4a6b-a7c8-9d0e1f2a3b4c";
        let long = "0123456789abcdef-._~+/Az9Az9==";
        for token in ["0123456789abcdef", "DCRA1-0123456789abcdef", uuid, long] {
            for text in [
                token.to_owned(),
                format!("/jobs/apiKey={token}"),
                format!("/jobs/x-{token}.json?y=1"),
                format!("?token={token}&x=%2"),
            ] {
                assert!(candidates(&text).any(|it| it == token), "{token} in {text}");
            }
        }
        let text = "/jobs?ü=10&x=01234567890&y=0123456789ABCDEF";
        assert_eq!(candidates(text).count(), 0, "nothing that was drawn");
        assert_eq!(
            candidates("ü=0123456789ab=x").collect::<Vec<_>>(),
            ["0123456789ab", "0123456789ab=", "0123456789ab=x",]
        );
    }
}
