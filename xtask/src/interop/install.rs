//! Node.js and Python with the packages of the peers, in a temporary folder.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::debian;
use crate::program::output;

/// What is looked for, and the packages of Debian that bring it.
const NEEDED: [(&str, &[&str]); 3] =
    [("node", &["nodejs"]), ("npm", &["npm"]), (PYTHON, &["python3", "python3-venv"])];
/// Debian has Python without what makes an environment.
const PYTHON: &str = "python3 with its module venv";
/// The oldest Node.js that has what the scripts use, such as `fetch` and `getSetCookie`.
const OLDEST_NODE: u32 = 18;
/// How long a program may take to say that it is there.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
const PACKAGES_WITHIN: Duration = Duration::from_secs(120);

/// Makes sure that Node.js and Python are there.
///
/// # Errors
///
/// Fails, and says what to install, when one is missing and this is not a Debian machine with us
/// as its administrator; and when they are too old.
pub(super) fn interpreters(folder: &Path) -> anyhow::Result<()> {
    let absent = missing(folder);
    if !absent.is_empty() && debian::may_install(folder) {
        debian::install(&debian_packages(&absent), folder)?;
    }
    let absent = missing(folder);
    ensure!(
        absent.is_empty(),
        "interop needs {}, which this machine lacks; install Node.js {OLDEST_NODE} or newer with \
         npm, and Python 3 with its module venv (on Debian: apt-get install {})",
        absent.join(", "),
        debian_packages(&absent).join(" ")
    );
    let node = version("node", folder).unwrap_or_default();
    ensure!(
        major(&node).is_some_and(|major| major >= OLDEST_NODE),
        "interop needs Node.js {OLDEST_NODE} or newer, and this is {node}"
    );
    Ok(())
}

fn missing(folder: &Path) -> Vec<&'static str> {
    let answers = |name: &str| match name {
        PYTHON => {
            let mut modules = Command::new("python3");
            modules.args(["-c", "import ensurepip, venv"]);
            output("python3", modules, ANSWER_WITHIN, folder).is_ok()
        }
        name => version(name, folder).is_some(),
    };
    NEEDED.iter().map(|(name, _)| *name).filter(|name| !answers(name)).collect()
}

fn debian_packages(missing: &[&str]) -> Vec<&'static str> {
    let needed = NEEDED.iter().filter(|(name, _)| missing.contains(name));
    needed.flat_map(|(_, packages)| packages.iter().copied()).collect()
}

/// Installs the packages that the lock file names below `folder`.
///
/// # Errors
///
/// Fails when the registry cannot be reached, or a package is not the one that was locked.
pub(crate) fn node_packages(folder: &Path) -> anyhow::Result<()> {
    output("npm ci", npm(folder), PACKAGES_WITHIN, folder).context("the packages for Node.js")?;
    Ok(())
}

fn npm(folder: &Path) -> Command {
    let mut npm = Command::new("npm");
    // No script of a package is run: none of these needs one.
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]);
    // A cache of this user may be another's, or full; ours goes when the folder goes.
    npm.env("npm_config_cache", folder.join("npm-cache")).current_dir(folder);
    npm
}

/// Installs the pinned packages into an environment below `folder`.
///
/// # Errors
///
/// Fails when the registry cannot be reached or a pinned package is gone.
pub(super) fn python_packages(folder: &Path) -> anyhow::Result<()> {
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "venv"]).current_dir(folder);
    output("python3 -m venv", venv, PACKAGES_WITHIN, folder)?;
    output("pip install", pip(folder), PACKAGES_WITHIN, folder)
        .context("the packages for Python")?;
    Ok(())
}

fn pip(folder: &Path) -> Command {
    let mut pip = Command::new(folder.join("venv/bin/python"));
    pip.args(["-m", "pip", "--no-cache-dir", "--disable-pip-version-check", "--no-input"]);
    // Wheels only: building a package would run its code, and need a compiler.
    pip.args(["install", "--quiet", "--no-deps", "--only-binary", ":all:"]);
    pip.args(["--requirement", "requirements.txt"]).current_dir(folder);
    pip
}

/// Returns what a program on the search path says to `--version`, if it is there.
fn version(program: &str, folder: &Path) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("--version");
    output(program, command, ANSWER_WITHIN, folder).ok()?.into_iter().next()
}

fn major(version: &str) -> Option<u32> {
    version.trim_start_matches('v').split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_node_is_read() {
        let cases = [("v20.20.2", Some(20)), ("v8.1.0", Some(8)), ("", None), ("node", None)];
        for (text, expected) in cases {
            assert_eq!(major(text), expected, "{text}");
        }
    }

    #[test]
    fn only_what_is_missing_is_installed() {
        let cases: [(&str, &[&str], &[&str]); 4] = [
            ("nothing", &[], &[]),
            ("Python", &[PYTHON], &["python3", "python3-venv"]),
            ("npm beside another Node.js", &["npm"], &["npm"]),
            ("all", &["node", "npm", PYTHON], &["nodejs", "npm", "python3", "python3-venv"]),
        ];
        for (name, missing, expected) in cases {
            assert_eq!(debian_packages(missing), expected, "{name}");
        }
    }

    #[test]
    fn installers_leave_nothing_outside_the_folder() {
        let folder = Path::new("/tmp/peers");
        let said = |command: Command| format!("{command:?}");
        let cases = [
            ("npm's cache", said(npm(folder)), "npm_config_cache=\"/tmp/peers/npm-cache\""),
            ("pip's cache", said(pip(folder)), "--no-cache-dir"),
        ];
        for (name, command, expected) in cases {
            assert!(command.contains(expected), "{name}: {command}");
        }
    }

    /// A host in a committed file would send every machine there, whatever its own settings say.
    #[test]
    fn no_file_of_the_peers_names_where_packages_come_from() {
        let folder = crate::workspace::own_folder().join("interop");
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            for word in
                ["\"resolved\"", "--index-url", "npmjs.", "pypi.org", "pythonhosted.", "registry."]
            {
                assert!(!text.to_lowercase().contains(word), "{}: {word}", path.display());
            }
        }
    }
}
