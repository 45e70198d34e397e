//! Files with a secret in them: only their owner may read them, and writing loses nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use sr_auth_core::Secret;
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};

/// The longest secret that is read, in bytes.
pub(crate) const LIMIT: usize = 64 * 1024;

/// Reads a secret; one line break at its end does not count.
pub(crate) fn read(path: &Path) -> Result<Secret, Failure> {
    let failed = |error| Failure::io(format!("{} cannot be read", path.display()), &error);
    let file = File::open(path).map_err(failed)?;
    // The open file is judged, not the name: that may lead elsewhere a moment later.
    check_mode(path, &file.metadata().map_err(failed)?)?;
    from_reader(file).map_err(failed)
}

/// Reads a secret to the end of a stream; one line break at its end does not count.
pub(crate) fn from_reader(reader: impl std::io::Read) -> std::io::Result<Secret> {
    // Large enough from the start, so that growing leaves no copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LIMIT + 1));
    reader.take(LIMIT as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > LIMIT {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    let text = str::from_utf8(&bytes).map_err(|_| std::io::ErrorKind::InvalidData)?;
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    Ok(Secret::new(text.to_owned()))
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &fs::Metadata) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Usage,
        "sr_auth::secret_file_mode",
        format!("{} holds a secret, and others may open it (mode {mode:04o})", path.display()),
        format!("chmod 600 '{}'", path.display()),
    ))
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &fs::Metadata) -> Result<(), Failure> {
    Ok(())
}

/// A place for a secret that is yet to come.
///
/// The file is made, beside its later name, before anything is spent: so a missing directory or a
/// full disk shows while nothing can be lost.
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
        if !replace && path.symlink_metadata().is_ok() {
            return Err(Failure::usage(
                format!("{} exists", path.display()),
                "choose another file, or replace it with --force",
            ));
        }
        let Some(name) = path.file_name() else {
            return Err(Failure::usage(format!("{} is no file", path.display()), "name a file"));
        };
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.tmp", std::process::id()));
        let temporary = path.with_file_name(hidden);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&temporary).map_err(|error| {
            Failure::io(format!("{} cannot be written", path.display()), &error)
        })?;
        Ok(Self { file, path: path.to_owned(), replace, temporary, written: false })
    }

    /// Writes the secret and gives it its name, durably; returns the name.
    ///
    /// # Errors
    ///
    /// When the name cannot be taken, the secret stays in the file that the failure names.
    pub(crate) fn keep(mut self, secret: &Secret) -> Result<PathBuf, Failure> {
        let line = Zeroizing::new(format!("{}\n", secret.expose()));
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_all());
        written.map_err(|error| {
            Failure::io(format!("{} cannot be written", self.temporary.display()), &error)
        })?;
        self.written = true;
        let named = if self.replace {
            fs::rename(&self.temporary, &self.path)
        } else {
            // Unlike a rename, this never takes the place of another file.
            fs::hard_link(&self.temporary, &self.path)
                .and_then(|()| fs::remove_file(&self.temporary))
        };
        named.and_then(|()| sync_directory(&self.path)).map_err(|error| {
            let kept = self.temporary.display();
            Failure::io(
                format!("{} was not made; the secret is in {kept}", self.path.display()),
                &error,
            )
        })?;
        Ok(self.path.clone())
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.written {
            // Empty, so that nothing is lost if it stays.
            let _removed = fs::remove_file(&self.temporary);
        }
    }
}

fn sync_directory(path: &Path) -> std::io::Result<()> {
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    if cfg!(unix) {
        File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_break_at_the_end_does_not_count() {
        for (text, expected) in
            [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a ", " a "), ("", "")]
        {
            let secret = from_reader(text.as_bytes()).expect("it is text");
            assert_eq!(secret.expose(), expected, "{text:?}");
        }
        assert!(from_reader(&[0xff_u8][..]).is_err());
        assert!(from_reader(std::io::repeat(b'x')).is_err());
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
