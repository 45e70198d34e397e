//! The servers as Debian packages them.

use std::path::{Path, PathBuf};

use anyhow::ensure;

use crate::debian;

/// What is looked for, and the package of Debian that brings it.
const NEEDED: [(&str, &str); 5] = [
    ("initdb", "postgresql-15"),
    ("openssl", "openssl"),
    ("pgbouncer", "pgbouncer"),
    ("redis-server", "redis-server"),
    ("setpriv", "util-linux"),
];

/// Where Debian puts programs that are no command of users.
const FOLDERS: [&str; 6] = [
    "/usr/lib/postgresql/15/bin",
    "/usr/local/bin",
    "/usr/bin",
    "/bin",
    "/usr/local/sbin",
    "/usr/sbin",
];

/// Makes sure that all servers are there.
///
/// # Errors
///
/// Fails, and says what to install, when one is missing and this is not a Debian machine with us as
/// its administrator.
pub(super) fn servers(folder: &Path) -> anyhow::Result<()> {
    let absent = missing();
    if !absent.is_empty() && debian::may_install(folder) {
        debian::install(&absent, folder)?;
    }
    let absent = missing();
    ensure!(
        absent.is_empty(),
        "servers needs what this machine lacks: on Debian 12, apt-get install {}",
        absent.join(" ")
    );
    Ok(())
}

fn missing() -> Vec<&'static str> {
    let absent = NEEDED.iter().filter(|(program, _)| find(program).is_none());
    absent.map(|(_, package)| *package).collect()
}

/// Returns the path of a program.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    FOLDERS.iter().map(|folder| Path::new(folder).join(program)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_where_debian_puts_it() {
        assert_eq!(find("sh").map(|it| it.ends_with("sh")), Some(true));
        assert_eq!(find("a-program-that-nobody-has"), None);
    }
}
