//! Chromium, Node.js with npm to drive it, and curl for the guide.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::debian;
use crate::program::output;

/// Programs that are looked for, each with the package of Debian that brings it.
const NEEDED: [(&str, &str); 4] =
    [("chromium", "chromium"), ("curl", "curl"), ("node", "nodejs"), ("npm", "npm")];
/// How long a program may take to say where it is.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Makes sure that the programs are there, and returns where the browser is.
///
/// # Errors
///
/// Fails, and says what to install, when one is missing and this is not a Debian machine with us as
/// its administrator.
pub(super) fn programs(folder: &Path) -> anyhow::Result<PathBuf> {
    let absent = missing(folder);
    if !absent.is_empty() && debian::may_install(folder) {
        debian::install(&absent, folder)?;
    }
    let absent = missing(folder);
    ensure!(
        absent.is_empty(),
        "browser needs {0}, which this machine lacks (on Debian: apt-get install {0})",
        absent.join(" ")
    );
    place("chromium", folder).context("chromium is on the search path")
}

fn missing(folder: &Path) -> Vec<&'static str> {
    let absent = NEEDED.iter().filter(|(program, _)| place(program, folder).is_none());
    absent.map(|(_, package)| *package).collect()
}

/// Returns where the shell finds a program.
fn place(program: &str, folder: &Path) -> Option<PathBuf> {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("command -v {program}")]);
    let said = output(program, shell, ANSWER_WITHIN, folder).ok()?;
    said.into_iter().next().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_where_the_shell_finds_it() {
        let folder = xshell::Shell::new().unwrap().create_temp_dir().unwrap();
        let found = place("sh", folder.path()).unwrap();
        assert!(found.is_absolute() && found.ends_with("sh"), "{}", found.display());
        assert_eq!(place("a-program-that-nobody-has", folder.path()), None);
    }

    /// A host in a committed file would send every machine there, whatever its own settings say.
    #[test]
    fn no_file_names_where_packages_come_from() {
        let folder = crate::workspace::own_folder().join("browser");
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            for word in ["\"resolved\"", "npmjs.", "registry."] {
                assert!(!text.to_lowercase().contains(word), "{}: {word}", path.display());
            }
        }
    }
}
