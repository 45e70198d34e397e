//! Types: an error names its fault, and a public type is written without a paragraph.

use std::ops::Range;

use super::source::{Source, words};
use crate::report::Finding;

/// How enums of faults end; a kind is one, for each of ours is the kind of an error.
const FAULTS: [&str; 4] = ["Error", "Failure", "Fault", "Kind"];
/// Variants that name no fault.
const SHRUGS: [&str; 5] = ["Custom", "General", "Misc", "Other", "Unknown"];
/// Variants that may be there, by enum and name, each with the reason.
const REASONED_SHRUGS: [(&str, &str, &str); 0] = [];
/// Types that may have several parameters, each with the reason.
const REASONED_GENERICS: [(&str, &str); 2] = [
    ("Authorize", "a tower service, and whether its requests can be cloned"),
    ("AuthorizeFuture", "the future of a tower service names that of the one below"),
];

/// Judges error enums and public structs.
pub(super) fn findings(source: &Source<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |rule, at, what: String, way_out| {
        findings.push(Finding { place: source.place(at), rule, what, way_out });
    };
    for (at, name) in source.names_after("enum") {
        if !FAULTS.iter().any(|ending| name.ends_with(ending)) {
            continue;
        }
        let Some(body) = source.end_of_body(at) else { continue };
        for (at, variant) in variants(&source.code, body) {
            let reasoned = REASONED_SHRUGS.iter().any(|it| it.0 == name && it.1 == variant);
            if SHRUGS.contains(&variant) && !reasoned {
                let way_out = "name the fault; who branches on it needs to know";
                say("error-variant", at, format!("`{name}::{variant}` names no fault"), way_out);
            }
        }
    }
    for (at, name) in source.names_after("struct") {
        let count = type_parameters(source.code.get(at + name.len()..).unwrap_or_default());
        let reasoned = REASONED_GENERICS.iter().any(|it| it.0 == name);
        if count > 1 && is_public(source, at) && !reasoned {
            let way_out = "take a trait object or a plain type, or give the reason in types.rs";
            say("generics", at, format!("`{name}` has {count} type parameters"), way_out);
        }
    }
    findings
}

fn is_public(source: &Source<'_>, at: usize) -> bool {
    let before = source.code.get(..at).unwrap_or_default().trim_end();
    before.strip_suffix("struct").is_some_and(|it| it.trim_end().ends_with("pub"))
}

/// Returns the variants in the body of an enum: the first word after its bracket and each comma,
/// attributes apart.
fn variants(code: &str, body: Range<usize>) -> Vec<(usize, &str)> {
    let mut variants = Vec::new();
    let mut depth = 0_usize;
    let mut expects = false;
    for (offset, byte) in code.get(body.clone()).unwrap_or_default().bytes().enumerate() {
        match byte {
            b'{' | b'(' | b'[' => {
                depth += 1;
                expects = depth == 1;
            }
            b'}' | b')' => depth = depth.saturating_sub(1),
            b']' => {
                // An attribute ended: the variant is still to come.
                depth = depth.saturating_sub(1);
                expects = depth == 1;
            }
            b',' if depth == 1 => expects = true,
            _ if expects && depth == 1 && byte.is_ascii_alphabetic() => {
                let at = body.start + offset;
                let word = code.get(at..).and_then(|it| words(it).next());
                variants.extend(word.map(|(_, word)| (at, word)));
                expects = false;
            }
            _ => {}
        }
    }
    variants
}

/// Counts the parameters between `<` and `>` that are types: no lifetimes, no constants.
fn type_parameters(after_name: &str) -> usize {
    let Some(list) = after_name.strip_prefix('<') else { return 0 };
    let mut depth = 0_usize;
    let mut parameters = vec![String::new()];
    for letter in list.chars() {
        match letter {
            '>' if depth == 0 => break,
            '<' | '(' => depth += 1,
            '>' | ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => parameters.push(String::new()),
            _ => {}
        }
        parameters.iter_mut().last().into_iter().for_each(|it| it.push(letter));
    }
    let parameters = parameters.iter().map(|it| it.trim_start_matches(',').trim());
    parameters
        .filter(|it| !it.is_empty() && !it.starts_with(['\'']) && !it.starts_with("const "))
        .count()
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn an_error_without_a_fault_is_found() {
        let cases: [(&str, &str, &[&str]); 9] = [
            ("good", "enum GrantError { Refused(Other), Late { Unknown: u8 } }", &[]),
            (
                "first",
                "enum GrantError { Other, Late }",
                &["1: `GrantError::Other` names no fault"],
            ),
            (
                "after an attribute",
                "enum AError {\n  #[error(\"x\")]\n  Unknown(String),\n}",
                &["3: `AError::Unknown` names no fault"],
            ),
            (
                "last",
                "enum SendFailure { A { b: u8 }, General }",
                &["1: `SendFailure::General` names no fault"],
            ),
            (
                "after a comparison",
                "enum AError { #[error(\"\", .0 > 1)] A(u8), Other }",
                &["1: `AError::Other` names no fault"],
            ),
            ("a fault", "enum TlsFault { Other }", &["1: `TlsFault::Other` names no fault"]),
            ("a kind", "enum AErrorKind { Other }", &["1: `AErrorKind::Other` names no fault"]),
            ("not an error", "enum Language { Other }", &[]),
            ("a type of a field", "enum AError { A(Vec<u8>, Other), B }", &[]),
        ];
        for (name, text, expected) in cases {
            check(findings, name, "a.rs", text, expected);
        }
    }

    #[test]
    fn a_public_struct_with_two_type_parameters_is_found() {
        let cases: [(&str, &str, &[&str]); 7] = [
            ("none", "pub struct A;", &[]),
            ("one", "pub struct A<T>(T);", &[]),
            ("one and a lifetime", "pub struct A<'a, T: 'a>(&'a T);", &[]),
            ("one and a constant", "pub struct A<T, const N: usize>([T; N]);", &[]),
            ("one with a bound", "pub struct A<T: Into<B<u8, u8>>>(T);", &[]),
            ("two", "pub struct A<S, T = u8> {}", &["1: `A` has 2 type parameters"]),
            ("two, of this crate", "pub(crate) struct A<S, T> {}", &[]),
        ];
        for (name, text, expected) in cases {
            check(findings, name, "a.rs", text, expected);
        }
    }
}
