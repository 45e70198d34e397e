//! The door of secrets: the files that may read one, each with its reason.
//!
//! A file that is not on the list and reads one fails, and so does a file on the list that no
//! longer does: the list is what a reviewer of secrets reads.

use super::source::{Source, words};
use crate::report::Finding;

/// Files that read secrets outside tests.
const DOORS: [(&str, &str); 63] = [
    ("crates/sr-auth-cli/examples/planner.rs", "shows the body of an answer to who is signed in"),
    ("crates/sr-auth-cli/src/api.rs", "prints the body of an answer to standard output"),
    ("crates/sr-auth-cli/src/demo/stage.rs", "reads the JSON of an answer of the sandbox"),
    ("crates/sr-auth-cli/src/demo/user_agent.rs", "reads the pages of the sandbox"),
    ("crates/sr-auth-cli/src/demo/wire_log.rs", "shows the names of a form's parameters"),
    ("crates/sr-auth-cli/src/grants/address.rs", "tells kinds of addresses of stores apart"),
    ("crates/sr-auth-cli/src/grants/keys.rs", "decodes the key of the fingerprints"),
    ("crates/sr-auth-cli/src/login/outcome.rs", "prints the access token that was asked for"),
    ("crates/sr-auth-cli/src/loopback/connection.rs", "sends the browser to the authorization URL"),
    ("crates/sr-auth-cli/src/sandbox/exports.rs", "prints credentials that open a sandbox only"),
    ("crates/sr-auth-cli/src/secret_file/reserved.rs", "writes a refresh token for its owner only"),
    ("crates/sr-auth-cli/src/token.rs", "prints the access token"),
    ("crates/sr-auth-core/src/credential.rs", "refuses a secret that no header can carry"),
    ("crates/sr-auth-core/src/credential/authorization.rs", "writes the header of a request"),
    ("crates/sr-auth-core/src/credential/client.rs", "refuses an empty client secret"),
    ("crates/sr-auth-core/src/credential/token.rs", "refuses an empty refresh token"),
    (
        "crates/sr-auth-core/src/grant/authorization_code/pending.rs",
        "writes what waits for the browser into one secret, and reads it back",
    ),
    ("crates/sr-auth-core/src/fingerprint.rs", "takes the fingerprint of a token"),
    ("crates/sr-auth-core/src/store/hold.rs", "reads what an operator holds"),
    ("crates/sr-auth-core/src/wire/api_refusal.rs", "reads the body of an answer of the API"),
    ("crates/sr-auth-core/src/wire/authorization_url.rs", "hands `state` and verifier to oauth2"),
    ("crates/sr-auth-core/src/wire/callback.rs", "reads the query of the redirect"),
    ("crates/sr-auth-core/src/wire/captured.rs", "hands the client secret to oauth2"),
    ("crates/sr-auth-core/src/wire/token_answer.rs", "reads the body of a token answer"),
    ("crates/sr-auth-core/src/wire/token_request.rs", "hands code and tokens to oauth2"),
    (
        "crates/sr-auth-http/examples/testing_your_code.rs",
        "reads the JSON of an answer of the sandbox",
    ),
    (
        "crates/sr-auth-http/examples/torture/supervisor.rs",
        "hands the client secret to the processes that it starts",
    ),
    ("crates/sr-auth-http/src/conformance/message.rs", "compares a made-up body"),
    ("crates/sr-auth-http/src/reqwest_transport/builder.rs", "hands the client's key to rustls"),
    ("crates/sr-auth-http/src/reqwest_transport/gate.rs", "hands the body to the socket"),
    ("crates/sr-auth-store/src/postgres/connect.rs", "hands the address to tokio-postgres"),
    ("crates/sr-auth-store/src/redis/connect.rs", "hands the address to the library"),
    ("crates/sr-auth-store/src/seal/cipher.rs", "seals a token for the backend that keeps it"),
    (
        "crates/sr-partner/src/consent/ticket.rs",
        "signs a ticket, and reads what a form brought back",
    ),
    ("crates/sr-partner/src/exchange/held.rs", "reads the company in the answer of a probe"),
    ("crates/sr-partner/src/inbound/notification.rs", "reads the body of a notification"),
    ("crates/sr-partner/src/wire/answer.rs", "writes the token into our answer"),
    ("crates/sr-partner/src/wire/integrations.rs", "writes our credentials, reads theirs"),
    ("crates/sr-partner/src/wire/token_form.rs", "reads the form of a token request"),
    (
        "crates/sr-partner-axum/examples/token_endpoint.rs",
        "prints the made-up clients that it is loaded with",
    ),
    ("crates/sr-partner-axum/src/body.rs", "hands our answer to the socket"),
    ("crates/sr-partner-axum/src/cookie.rs", "writes the session into its cookie"),
    ("crates/sr-partner-axum/src/page.rs", "writes the ticket into the form of a page"),
    ("crates/sr-partner-axum/src/routes/decision.rs", "reads the form of the consent page"),
    ("crates/sr-testkit/src/canary.rs", "spells a canary in every way in which it could leak"),
    ("crates/sr-testkit/src/exploration/step.rs", "reads which refresh token a request presents"),
    (
        "crates/sr-testkit/src/sandbox/partner_admin.rs",
        "answers with the credentials that a program had made",
    ),
    ("crates/sr-testkit/src/sandbox/partner_client.rs", "hands a request to a partner's socket"),
    ("crates/sr-testkit/src/sandbox/routes.rs", "hands the simulator's answer to the socket"),
    ("crates/sr-testkit/src/simulation/network.rs", "cuts an answer where its connection breaks"),
    (
        "crates/sr-testkit/src/simulation/partner/oracle.rs",
        "reads which credentials of ours leave with a request",
    ),
    (
        "crates/sr-testkit/src/simulation/partner/run/inbound.rs",
        "hands our token back to us, as SmartRecruiters does",
    ),
    (
        "crates/sr-testkit/src/simulation/run/exchange.rs",
        "reads which refresh token a request presents",
    ),
    ("crates/sr-testkit/src/simulator/authorize.rs", "reads the form of the consent page"),
    ("crates/sr-testkit/src/simulator/integrations.rs", "trades pairs with a partner"),
    ("crates/sr-testkit/src/simulator/pages.rs", "reads the form of a page"),
    ("crates/sr-testkit/src/simulator/pages/shown.rs", "shows a new secret, once"),
    ("crates/sr-testkit/src/simulator/partner_call.rs", "writes a partner's token into a request"),
    ("crates/sr-testkit/src/simulator/resources/content.rs", "reads the JSON of a request"),
    ("crates/sr-testkit/src/simulator/token.rs", "reads the form of a token request"),
    ("crates/sr-testkit/src/simulator/truth.rs", "looks a token up for the judge"),
    ("crates/sr-testkit/src/strategy.rs", "cuts an answer short"),
    ("crates/sr-testkit/src/world.rs", "finds an API key by its text, as the service does"),
];
/// The methods that open the door.
const METHODS: [&str; 2] = ["expose", "expose_bytes"];

/// The methods that open it behind `.value()`.
const VALUE_METHODS: [&str; 3] = ["as_bytes", "as_ref", "to_str"];

/// Compares the list with the sources.
pub(super) fn findings(sources: &[Source<'_>]) -> Vec<Finding> {
    compare(&DOORS, sources)
}

fn compare(doors: &[(&str, &str)], sources: &[Source<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ours = sources.iter().filter(|it| it.path.starts_with("crates/"));
    for source in ours.clone() {
        let is_door = doors.iter().any(|(path, _)| *path == source.path);
        for at in calls(source).into_iter().filter(|_| !is_door) {
            findings.push(Finding {
                place: source.place(at),
                rule: "secret-door",
                what: "reads a secret".to_owned(),
                way_out: "hand the `Secret` on, or add the file to tidy/doors.rs with the reason",
            });
        }
    }
    for (path, _) in doors {
        if !ours.clone().any(|source| source.path == *path && !calls(source).is_empty()) {
            findings.push(Finding {
                place: (*path).to_owned(),
                rule: "secret-door",
                what: "is on the list of doors and reads no secret".to_owned(),
                way_out: "take it off the list in tidy/doors.rs",
            });
        }
    }
    findings
}

/// Returns where a door is opened: by a call, or by its path as in `map(Secret::expose)`.
///
/// The value of a header is one that anybody can read: an `Authorization` holds its token as such.
fn calls(source: &Source<'_>) -> Vec<usize> {
    let opens = |at: usize, word: &str| {
        let before = source.code.get(..at).unwrap_or_default();
        let is_path = before.ends_with('.') || before.ends_with("::");
        let of_value = || {
            let before = before.trim_end().strip_suffix('.').unwrap_or_default();
            before.trim_end().ends_with(".value()")
        };
        (METHODS.contains(&word) && is_path) || (VALUE_METHODS.contains(&word) && of_value())
    };
    let calls = words(&source.code).filter(|(at, word)| opens(*at, word));
    calls.map(|(at, _)| at).filter(|at| !source.is_test(*at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_and_the_sources_agree() {
        let opens = "fn a(s: &Secret) { s.expose(); }";
        let bytes = "fn a(s: &SecretBytes) { s.expose_bytes(); }";
        let in_tests = "#[cfg(test)]\nmod tests { fn a(s: &Secret) { s.expose(); } }";
        let doors = [("crates/a/src/b.rs", "reason")];
        let cases: [(&str, &[(&str, &str)], &str, &str, usize); 12] = [
            ("a door on the list", &doors, "crates/a/src/b.rs", opens, 0),
            ("a door off the list", &[], "crates/a/src/b.rs", opens, 1),
            ("bytes off the list", &[], "crates/a/src/b.rs", bytes, 1),
            ("a path off the list", &[], "crates/a/src/b.rs", "a.map(Secret::expose)", 1),
            ("a header", &[], "crates/a/src/b.rs", "auth.value().to_str()", 1),
            ("a header over lines", &[], "crates/a/src/b.rs", "a.value()\n  .as_bytes()", 1),
            ("another value", &[], "crates/a/src/b.rs", "a.value().clone(); b.to_str()", 0),
            ("the door itself", &[], "crates/a/src/b.rs", "fn expose(&self) -> &str {}", 0),
            ("tests need no entry", &[], "crates/a/src/b.rs", in_tests, 0),
            ("test files need none", &[], "crates/a/tests/b.rs", opens, 0),
            ("on the list and shut", &doors, "crates/a/src/b.rs", "fn a() {}", 1),
            ("on the list and gone", &doors, "crates/a/src/c.rs", "fn a() {}", 1),
        ];
        for (name, doors, path, text, expected) in cases {
            let found = compare(doors, &[Source::parse(path, text)]);
            assert_eq!(found.len(), expected, "{name}: {found:?}");
        }
    }
}
