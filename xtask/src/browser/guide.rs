//! The guide for partners: its commands are run, and say what it says.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::program::Program;
use crate::report::say;

/// How long all of it may take; it needs some seconds.
const WITHIN: Duration = Duration::from_secs(60);
/// The first words of blocks in the guide, behind the fence: what is said, what is run, parts of the
/// program, and its dependencies.
const KINDS: [&str; 4] = ["console", "sh", "text", "toml"];
/// What starts a server, and is left running: the end of its command line.
const SERVERS: [(&str, &str); 2] = [
    ("cargo run -- sandbox --port 8700 --quiet", "http://127.0.0.1:8700/"),
    (
        "cargo run --package sr-auth-cli --example planner -- master.json http://127.0.0.1:8700 8800",
        "http://127.0.0.1:8800/sign-in",
    ),
];

/// Runs the guide.
///
/// # Errors
///
/// Fails when a command fails or does not say what the guide says, and when the guide shows a program
/// that is not the one that runs.
pub(super) fn run(root: &Path, debug: &Path, folder: &Path) -> anyhow::Result<()> {
    let guide = std::fs::read_to_string(root.join("docs/guide/partner-integration.md"))?;
    let blocks = blocks(&guide);
    let program = std::fs::read_to_string(root.join("crates/sr-auth-cli/examples/planner.rs"))?;
    for (_, text) in blocks.iter().filter(|(kind, _)| *kind == "text") {
        ensure!(program.contains(text), "the guide shows what planner.rs does not say:\n{text}");
    }
    let (named, used) = (dependencies(&blocks), crates_of(&program));
    ensure!(named == used, "the guide names {named:?}, and planner.rs uses {used:?}");
    let (sandbox, partner) = (free_port()?, free_port()?);
    let place = |text: &str| {
        let exe = std::env::consts::EXE_SUFFIX;
        let planner = format!("{}/examples/planner{exe} --", debug.display());
        text.replace(
            "cargo run --package sr-auth-cli --example planner --",
            planner.trim_end_matches(" --"),
        )
        .replace("cargo run --", &format!("{}/sr-auth{exe}", debug.display()))
        .replace("8700", &sandbox.to_string())
        .replace("8800", &partner.to_string())
    };
    let mut script = Command::new("bash");
    script.arg("-c").arg(place(&to_script(&blocks))).current_dir(folder);
    script.env("NO_PROXY", "127.0.0.1,localhost").env("no_proxy", "127.0.0.1,localhost");
    let mut said = Vec::new();
    Program::start("the guide", script, WITHIN, folder)?.finish(|line| said.push(line))?;
    let expected = blocks.iter().filter(|(kind, _)| *kind == "console");
    for line in expected.flat_map(|(_, text)| text.lines()) {
        let is_said = said.iter().any(|it| it.contains(line));
        ensure!(is_said, "the guide says `{line}`, and its commands do not:\n{}", said.join("\n"));
    }
    say(format_args!("the guide for partners: {} commands ran as it says", commands(&blocks)));
    Ok(())
}

/// Returns the dependencies that the guide names, as a program spells them.
fn dependencies(blocks: &[(&str, String)]) -> BTreeSet<String> {
    let manifests = blocks.iter().filter(|(kind, _)| *kind == "toml");
    let lines = manifests.flat_map(|(_, manifest)| manifest.lines());
    let names = lines.filter_map(|line| line.split_once(" = "));
    names.map(|(name, _)| name.replace('-', "_")).collect()
}

/// Returns the crates that a program uses, by `use` or by a whole path.
fn crates_of(program: &str) -> BTreeSet<String> {
    let words = program.split(|it: char| !(it.is_ascii_alphanumeric() || "_:".contains(it)));
    let roots = words.filter_map(|word| word.split_once("::").map(|(root, _)| root));
    let is_module = |root: &&str| root.starts_with(|it: char| it.is_ascii_lowercase());
    let foreign = roots.filter(is_module).filter(|root| !["clippy", "std"].contains(root));
    foreign.map(str::to_owned).collect()
}

fn commands(blocks: &[(&str, String)]) -> usize {
    blocks.iter().filter(|(kind, _)| *kind == "sh").count()
}

/// Returns the blocks of code: their kinds and their texts.
fn blocks(guide: &str) -> Vec<(&'static str, String)> {
    let mut blocks = Vec::new();
    let mut parts = guide.split("```");
    parts.next();
    while let (Some(block), _) = (parts.next(), parts.next()) {
        let (kind, text) = block.split_once('\n').unwrap_or_default();
        if let Some(kind) = KINDS.iter().find(|it| **it == kind) {
            blocks.push((*kind, text.to_owned()));
        }
    }
    blocks
}

/// Makes one script of the commands: what stays in a terminal of its own goes to the background, and
/// is waited for.
fn to_script(blocks: &[(&str, String)]) -> String {
    let mut script = String::from("set -euo pipefail\ntrap 'kill $(jobs -p)' EXIT\n");
    for (_, text) in blocks.iter().filter(|(kind, _)| *kind == "sh") {
        match SERVERS.iter().find(|(command, _)| *command == text.trim()) {
            Some((command, url)) => {
                let wait = format!("until curl -so /dev/null {url}; do sleep 0.1; done");
                writeln!(script, "{command} &\n{wait}").expect("a text takes every text");
            }
            None => script.push_str(text),
        }
    }
    script
}

/// Returns a port that nobody listens on.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("a free port")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_go_to_the_background_and_the_rest_is_run_as_it_stands() {
        let guide = "# A\n```sh\ncargo run -- sandbox --port 8700 --quiet\n```\n\n```sh\necho a\n```\n\
                     ```console\na\n```\n```text\nfn a() {}\n```\n```toml\nb = 1\n```\n";
        let blocks = blocks(guide);
        let kinds: Vec<&str> = blocks.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, ["sh", "sh", "console", "text", "toml"]);
        let script = to_script(&blocks);
        assert!(script.contains("--quiet &\nuntil curl"), "{script}");
        assert!(script.ends_with("done\necho a\n"), "{script}");
    }

    #[test]
    fn the_guide_starts_both_servers() {
        let root = crate::workspace::own_folder().join("..");
        let guide =
            std::fs::read_to_string(root.join("docs/guide/partner-integration.md")).unwrap();
        let script = to_script(&blocks(&guide));
        for (command, _) in SERVERS {
            assert!(script.contains(&format!("{command} &\n")), "{command}");
        }
    }

    #[test]
    fn the_guide_names_what_its_program_uses() {
        let program = "use std::fmt;\nuse a_b::{C, d};\n#[e::main]\nfn f() { g::h(String::new()) }";
        let expected = ["a_b", "e", "g"].map(str::to_owned);
        assert_eq!(crates_of(program), BTreeSet::from(expected));
        let root = crate::workspace::own_folder().join("..");
        let read = |path| std::fs::read_to_string(root.join(path)).unwrap();
        let guide = read("docs/guide/partner-integration.md");
        let program = read("crates/sr-auth-cli/examples/planner.rs");
        assert_eq!(dependencies(&blocks(&guide)), crates_of(&program));
    }
}
