//! A place for a secret that is yet to come.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};

use sr_auth_core::Secret;
use sr_auth_http::entropy;
use zeroize::Zeroizing;

use super::LIMIT;
use crate::exit::{Exit, Failure};

/// How much room is taken: the longest secret, and a line break.
const ROOM: usize = LIMIT + 1;

/// A file that a secret will be written to.
///
/// The file is made, beside its later name and as long as the longest secret, before anything is
/// spent: so a missing directory or a full disk shows while nothing can be lost.
#[derive(Debug)]
pub(crate) struct Reserved {
    file: File,
    path: PathBuf,
    replace: bool,
    temporary: PathBuf,
    written: bool,
}

impl Reserved {
    /// Reserves a name; an existing file is refused unless it may be replaced.
    pub(crate) fn new(path: &Path, replace: bool) -> Result<Self, Failure> {
        check_name(path, replace)?;
        let failed = |error| Failure::io(format!("{} cannot be written", path.display()), &error);
        let temporary = beside(path)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&temporary).map_err(failed)?;
        // From here on the file is removed unless the secret comes.
        let mut reserved = Self { file, path: path.to_owned(), replace, temporary, written: false };
        reserved.take_room().map_err(failed)?;
        Ok(reserved)
    }

    /// Has the system find the room now, when a refusal costs nothing.
    fn take_room(&mut self) -> std::io::Result<()> {
        // Really written: a length alone takes no room.
        self.file.write_all(&[b' '; ROOM])?;
        self.file.sync_all()
    }

    /// Writes the secret and gives it its name, durably; returns the name.
    ///
    /// # Errors
    ///
    /// When the name cannot be taken, the secret stays in the file that the failure names.
    pub(crate) fn keep(mut self, secret: &Secret) -> Result<PathBuf, Failure> {
        let (kept, path) = (self.temporary.clone(), self.path.clone());
        self.write(secret).map_err(|error| match self.written {
            true => advise(format!("{} may not last; the secret is in it", kept.display()), &error),
            false => Failure::io(format!("{} cannot be written", kept.display()), &error),
        })?;
        let named = if self.replace {
            fs::rename(&kept, &path)
        } else {
            // Unlike a rename, this never takes the place of another file.
            fs::hard_link(&kept, &path)
        };
        named.map_err(|error| {
            let (path, kept) = (path.display(), kept.display());
            advise(format!("{path} was not made; the secret is in {kept}"), &error)
        })?;
        let removed = if self.replace { Ok(()) } else { fs::remove_file(&kept) };
        removed.map_err(|error| {
            let (path, kept) = (path.display(), kept.display());
            advise(format!("the secret is in {path}; the copy in {kept} stays"), &error)
        })?;
        sync_directory(&path).map_err(|error| {
            advise(format!("the secret is in {}, which may not last", path.display()), &error)
        })?;
        Ok(path)
    }

    fn write(&mut self, secret: &Secret) -> std::io::Result<()> {
        let line = Zeroizing::new(format!("{}\n", secret.expose()));
        self.file.rewind()?;
        self.file.write_all(line.as_bytes())?;
        self.written = true;
        self.file.set_len(line.len() as u64)?;
        self.file.sync_all()
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.written {
            // Without a secret, so that nothing is lost if it stays.
            let _removed = fs::remove_file(&self.temporary);
        }
    }
}

/// The secret is safe somewhere: what is left to do is its owner's.
fn advise(what: String, error: &std::io::Error) -> Failure {
    let what = format!("{what}: {}", error.kind());
    let advice = "move the secret to a safe place; it is good for one use";
    Failure::new(Exit::Failed, "sr_auth::io", what, advice)
}

/// Refuses a name that is taken, or that no file of ours may replace.
fn check_name(path: &Path, replace: bool) -> Result<(), Failure> {
    // The name itself is judged: to follow a link would write where somebody else chose.
    match path.symlink_metadata() {
        Ok(metadata) if !metadata.is_file() => Err(Failure::usage(
            format!("{} is no regular file", path.display()),
            "name a file that does not exist, or one to replace with --force",
        )),
        Ok(_) if !replace => Err(Failure::usage(
            format!("{} exists", path.display()),
            "choose another file, or replace it with --force",
        )),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::io(format!("{} cannot be made", path.display()), &error)),
    }
}

/// Returns a hidden name in the same directory that nobody can guess, nor have left there.
fn beside(path: &Path) -> Result<PathBuf, Failure> {
    let Some(name) = path.file_name() else {
        return Err(Failure::usage(format!("{} is no file", path.display()), "name a file"));
    };
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(".");
    for byte in entropy()?.iter().take(8) {
        hidden.push(format!("{byte:02x}"));
    }
    hidden.push(".tmp");
    Ok(path.with_file_name(hidden))
}

/// Has the name of a file survive, as its content does.
pub(crate) fn sync_directory(path: &Path) -> std::io::Result<()> {
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    if cfg!(unix) {
        File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    #[test]
    fn the_room_for_the_longest_secret_is_taken_before_it_comes() {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let path = directory.path().join("refresh");
        let reserved = Reserved::new(&path, false).expect("the name is free");
        let length = fs::metadata(&reserved.temporary).expect("it is there").len();
        assert_eq!(length, ROOM as u64);
        let (longest, short) = ("x".repeat(LIMIT), "x".to_owned());
        reserved.keep(&Secret::new(longest.clone())).expect("it is kept");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), format!("{longest}\n"));
        let reserved = Reserved::new(&path, true).expect("it may be replaced");
        reserved.keep(&Secret::new(short)).expect("it is kept");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "x\n");
    }

    #[cfg(unix)]
    #[test]
    fn k04_only_a_regular_file_is_replaced() {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "first").expect("it can be written");
        std::os::unix::fs::symlink(&file, &link).expect("it can be made");
        let dangling = directory.path().join("dangling");
        std::os::unix::fs::symlink("nowhere", &dangling).expect("it can be made");
        for path in [directory.path(), &link, &dangling, Path::new("/dev/null")] {
            for replace in [false, true] {
                let failure = Reserved::new(path, replace).expect_err("it is refused");
                assert!(failure.what().ends_with("is no regular file"), "{failure:?}");
            }
        }
        assert_eq!(fs::read_dir(directory.path()).expect("it is there").count(), 3);
    }

    #[cfg(unix)]
    #[test]
    fn k04_a_kept_secret_can_be_read_by_its_owner_only_and_takes_no_other_files_place() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::tempdir().expect("a directory can be made");
        let path = directory.path().join("refresh");
        let secret = |text: &str| Secret::new(text.to_owned());
        let reserved = Reserved::new(&path, false).expect("the name is free");
        assert_eq!(reserved.keep(&secret("first")).expect("it is kept"), path);
        let mode = fs::metadata(&path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert!(Reserved::new(&path, false).is_err());
        Reserved::new(&path, true).expect("it may be replaced").keep(&secret("second")).unwrap();
        assert_eq!(read(&path).expect("it is there").expose(), "second");
        drop(Reserved::new(&path, true).expect("it may be replaced"));
        assert_eq!(fs::read_dir(directory.path()).expect("it is there").count(), 1);
    }

    #[test]
    fn a_name_that_is_taken_meanwhile_costs_no_secret() {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let path = directory.path().join("refresh");
        let reserved = Reserved::new(&path, false).expect("the name is free");
        fs::write(&path, "another's").expect("it can be written");
        let failure = reserved.keep(&Secret::new("mine".to_owned())).unwrap_err();
        let kept = failure.what().split("is in ").nth(1).expect("it names the file");
        let kept = kept.split(": ").next().expect("a name comes first");
        assert_eq!(fs::read_to_string(kept).expect("it is there"), "mine\n");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "another's");
    }
}
