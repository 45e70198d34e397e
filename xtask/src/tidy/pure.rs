//! Pure crates: no file, socket, clock, thread, lock or environment of `std` either.
//!
//! `layers` judges the crates that they reach; `std` is reached by everybody and needs a rule over
//! the text.

use super::source::{Source, words};
use crate::layers::table::PURE;
use crate::report::Finding;

/// Modules of `std` that reach outside.
const MODULES: [&str; 5] = ["env", "fs", "net", "process", "thread"];
/// What is only a value in them.
const VALUES: [&str; 3] = ["IpAddr", "Ipv4Addr", "Ipv6Addr"];
/// Names that wait for others or read a clock, however they were imported.
const NAMES: [&str; 6] = ["Condvar", "Instant", "Mutex", "RwLock", "SystemTime", "mpsc"];

/// Judges a file of a pure crate, tests apart.
pub(super) fn findings(source: &Source<'_>) -> Vec<Finding> {
    let of_pure = |name: &str| source.path.starts_with(&format!("crates/{name}/"));
    if !PURE.iter().any(|name| of_pure(name)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (at, word) in words(&source.code) {
        let rest = source.code.get(at + word.len()..).unwrap_or_default();
        if word == "std" {
            let paths = expand(rest.strip_prefix("::").unwrap_or_default());
            let outside = paths.into_iter().filter(|path| reaches_outside(path));
            found.extend(outside.map(|path| (at, format!("`std::{}`", path.join("::")))));
        } else if NAMES.contains(&word) {
            found.push((at, format!("`{word}`")));
        } else if word == "elapsed" && rest.starts_with('(') && !is_defined(source, at) {
            found.push((at, "`elapsed` reads a clock".to_owned()));
        }
    }
    found.retain(|(at, _)| !source.is_test(*at));
    let way_out = "do it in a crate above, and hand the result in as an argument";
    let finding = |(at, what)| Finding { place: source.place(at), rule: "pure-std", what, way_out };
    found.into_iter().map(finding).collect()
}

fn is_defined(source: &Source<'_>, at: usize) -> bool {
    source.code.get(..at).is_some_and(|before| before.trim_end().ends_with("fn"))
}

fn reaches_outside(path: &[&str]) -> bool {
    let in_module = path.first().is_some_and(|module| MODULES.contains(module));
    in_module && !path.get(1).is_some_and(|name| VALUES.contains(name))
}

/// Returns the paths that begin here, one for each name between braces.
fn expand(tree: &str) -> Vec<Vec<&str>> {
    let tree = tree.trim_start();
    if let Some(group) = tree.strip_prefix('{') {
        return members(group).into_iter().flat_map(expand).collect();
    }
    let Some((0, name)) = words(tree).next() else { return Vec::new() };
    let rest = tree.get(name.len()..).and_then(|it| it.trim_start().strip_prefix("::"));
    let mut paths = rest.map(expand).unwrap_or_default();
    paths.iter_mut().for_each(|path| path.insert(0, name));
    if paths.is_empty() {
        paths.push(vec![name]);
    }
    paths
}

/// Splits what stands after `{` at its commas, up to the `}` that closes it.
fn members(group: &str) -> Vec<&str> {
    let mut members = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, byte) in group.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b',' | b'}' if depth == 0 => {
                members.extend(group.get(start..at));
                start = at + 1;
                if byte == b'}' {
                    break;
                }
            }
            b'}' => depth -= 1,
            _ => {}
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    const PATH: &str = "crates/sr-auth-core/src/a.rs";

    #[test]
    fn what_reaches_outside_is_found_in_a_pure_crate() {
        let in_tests = "#[cfg(test)]\nmod tests { use std::fs; }";
        let cases: [(&str, &str, &str, &[&str]); 14] = [
            ("pure", PATH, "use std::{time::Duration, sync::Arc, fmt};", &[]),
            ("an address", PATH, "use std::net::{IpAddr, Ipv4Addr};", &[]),
            ("a date", PATH, "let a = std::time::UNIX_EPOCH;", &[]),
            ("a file", PATH, "\nuse std::fs;", &["2: `std::fs`"]),
            ("a call", PATH, "std::env::var(a)", &["1: `std::env::var`"]),
            (
                "in a group",
                PATH,
                "use std::{fmt::{self, Debug}, net::{IpAddr, TcpStream}, process};",
                &["1: `std::net::TcpStream`", "1: `std::process`"],
            ),
            ("a whole module", PATH, "use std::net::{self};", &["1: `std::net::self`"]),
            ("a thread", PATH, "std::thread::spawn(a)", &["1: `std::thread::spawn`"]),
            ("a lock by its module", PATH, "a: sync::Mutex<u8>", &["1: `Mutex`"]),
            ("a clock", PATH, "use std::time::Instant;", &["1: `Instant`"]),
            ("time gone by", PATH, "a.elapsed() > b", &["1: `elapsed` reads a clock"]),
            ("in words", PATH, "// std::fs and Instant\nlet a = \"std::fs\";", &[]),
            ("in tests", PATH, in_tests, &[]),
            ("in another crate", "crates/sr-auth-http/src/a.rs", "use std::fs;", &[]),
        ];
        for (name, path, text, expected) in cases {
            check(findings, name, path, text, expected);
        }
    }
}
