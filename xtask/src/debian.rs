//! Packages of Debian: installed where we may, and said.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::program::output;
use crate::report::say;

/// How long a program may take to say that it is there.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Ended in the middle, it leaves a machine that wants to be repaired: rather wait for a slow mirror.
const INSTALLED_WITHIN: Duration = Duration::from_secs(15 * 60);

/// Tells whether this is a Debian machine with us as its administrator.
pub(crate) fn may_install(folder: &Path) -> bool {
    let mut id = Command::new("id");
    id.arg("-u");
    let user = output("id", id, ANSWER_WITHIN, folder).unwrap_or_default();
    user.first().is_some_and(|id| id == "0") && answers("apt-get", folder)
}

/// Tells whether a program is there and says which one it is.
pub(crate) fn answers(program: &str, folder: &Path) -> bool {
    let mut command = Command::new(program);
    command.arg("--version");
    output(program, command, ANSWER_WITHIN, folder).is_ok()
}

/// Installs packages.
///
/// # Errors
///
/// Fails when no mirror can be reached or a package is unknown.
pub(crate) fn install(packages: &[&str], folder: &Path) -> anyhow::Result<()> {
    say(format_args!("installing {} with apt-get: missing here", packages.join(", ")));
    let update = apt_get(&["update", "-qq"]);
    let mut install = apt_get(&["install", "-y", "-qq", "--no-install-recommends"]);
    install.args(packages);
    for (name, command) in [("apt-get update", update), ("apt-get install", install)] {
        output(name, command, INSTALLED_WITHIN, folder)?;
    }
    Ok(())
}

/// Returns an apt-get that waits for another one, and for a mirror that fails once.
fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]).args(arguments);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installer_waits_for_others() {
        let command = format!("{:?}", apt_get(&["update"]));
        for (name, expected) in [
            ("a locked database", "DPkg::Lock::Timeout=300"),
            ("a mirror that fails once", "Acquire::Retries=3"),
        ] {
            assert!(command.contains(expected), "{name}: {command}");
        }
    }

    #[test]
    fn a_program_that_is_not_there_does_not_answer() {
        let folder = xshell::Shell::new().unwrap().create_temp_dir().unwrap();
        assert!(answers("cargo", folder.path()));
        assert!(!answers("a-program-that-nobody-has", folder.path()));
    }
}
