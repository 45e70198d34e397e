//! Names: a word that fits everything says nothing, and a thing has one name.

use super::source::Source;
use crate::report::Finding;

/// Words that no type, module or file carries, in any case.
const EMPTY_WORDS: [&str; 8] =
    ["common", "helper", "helpers", "manager", "misc", "stuff", "util", "utils"];
/// Words that no type ends in.
const EMPTY_ENDINGS: [&str; 2] = ["Base", "Impl"];
/// Names of others for things that have a name here.
const OTHER_NAMES: [(&str, &str); 12] = [
    ("AuthHeader", "say `bearer` or `Authorization`"),
    ("AuthUrl", "say `AuthorizationEndpoint` or `AuthorizationRequest`"),
    ("ErrorPayload", "say `ErrorResponse`"),
    ("Handshake", "say `IntegrationExchange`"),
    ("LoginUrl", "say `AuthorizationRequest`"),
    ("OAuthError", "say `ErrorResponse` or `GrantError`"),
    ("Onboarding", "say `IntegrationExchange`"),
    ("PartnerKey", "say `MasterCredentials`"),
    ("Permission", "say `Scope`"),
    ("ReverseCreds", "say `OutboundCredentials`"),
    ("TenantKey", "say `CustomerCredentials`"),
    ("TokenUrl", "say `TokenEndpoint`"),
];

/// Judges the names of types, modules, functions and of the file.
pub(super) fn findings(source: &Source<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |at, what: String, way_out| {
        findings.push(Finding { place: source.place(at), rule: "name", what, way_out });
    };
    let way_out = "name what it is or does";
    let stem = source.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
    if let Some(word) = empty_word(stem) {
        say(0, format!("a file named after `{word}`"), way_out);
    }
    for keyword in ["enum", "mod", "struct", "trait", "type"] {
        for (at, name) in source.names_after(keyword) {
            if let Some(word) = empty_word(name) {
                say(at, format!("`{name}` carries the empty word `{word}`"), way_out);
            }
            if let Some(ending) = EMPTY_ENDINGS.iter().find(|it| name.ends_with(**it)) {
                say(at, format!("`{name}` ends in `{ending}`"), way_out);
            }
            if let Some((_, better)) = OTHER_NAMES.iter().find(|(bad, _)| *bad == name) {
                say(at, format!("`{name}` is another's name for it"), better);
            }
        }
    }
    for (at, name) in source.names_after("fn") {
        if name.starts_with("get_") {
            say(at, format!("`{name}` begins with `get_`"), "drop it: a noun is enough");
        }
    }
    findings
}

fn empty_word(name: &str) -> Option<String> {
    words(name).into_iter().find(|word| EMPTY_WORDS.contains(&word.as_str()))
}

/// Splits `snake_case` and `CamelCase` into words in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        if letter == '_' || letter.is_ascii_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter != '_') {
            word.push(letter.to_ascii_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn an_empty_or_foreign_name_is_found() {
        let cases: [(&str, &str, &str, &[&str]); 9] = [
            ("good", "a.rs", "struct TokenSource; fn target() {} mod futile {}", &[]),
            (
                "a manager",
                "a.rs",
                "\nenum TokenManager {}",
                &["2: `TokenManager` carries the empty word `manager`"],
            ),
            (
                "a module",
                "a.rs",
                "mod string_utils;",
                &["1: `string_utils` carries the empty word `utils`"],
            ),
            ("a file", "src/helpers.rs", "", &["1: a file named after `helpers`"]),
            ("an ending", "a.rs", "trait StoreImpl {}", &["1: `StoreImpl` ends in `Impl`"]),
            ("a getter", "a.rs", "fn get_token() {}", &["1: `get_token` begins with `get_`"]),
            ("not a getter", "a.rs", "fn gets_a_token() {}", &[]),
            (
                "of others",
                "a.rs",
                "type TokenUrl = Url;",
                &["1: `TokenUrl` is another's name for it"],
            ),
            ("in a comment", "a.rs", "// struct TokenManager;", &[]),
        ];
        for (name, path, text, expected) in cases {
            check(findings, name, path, text, expected);
        }
    }
}
