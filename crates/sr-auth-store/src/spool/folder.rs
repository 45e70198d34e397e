//! The folder of the spool: files for their owner only, whole or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::Spooled;
use crate::SpoolError;

#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes the folder if there is none.
    pub(super) fn open(path: &Path) -> Result<Self, SpoolError> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt as _;
            builder.mode(0o700);
        }
        match builder.create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(SpoolError::new(error));
            }
            Ok(()) | Err(_) => {}
        }
        check(&fs::metadata(path).map_err(SpoolError::new)?)?;
        Ok(Self(path.to_owned()))
    }

    /// Writes a file that is synced, whole and for its owner only before it has its name.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), SpoolError> {
        let finished = self.0.join(name);
        let unfinished = finished.with_extension("unfinished");
        let write = || {
            let mut options = OpenOptions::new();
            options.create(true).truncate(true).write(true);
            #[cfg(unix)]
            {
                use std::os::unix::fs::OpenOptionsExt as _;
                options.mode(0o600);
            }
            let mut file = options.open(&unfinished)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&unfinished, &finished)?;
            File::open(&self.0)?.sync_all()
        };
        write().map_err(|error| {
            // Half a file would take room from the next one.
            drop(fs::remove_file(&unfinished));
            SpoolError::new(error)
        })
    }

    pub(super) fn remove(&self, name: &str) -> Result<(), SpoolError> {
        match fs::remove_file(self.0.join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(SpoolError::new(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Reads what is there of one kind, in the order of the names, and counts what is not whole.
    pub(super) fn read_all<T: Spooled>(&self) -> Result<(Vec<T>, usize), SpoolError> {
        let files = fs::read_dir(&self.0).and_then(|files| {
            files.map(|file| file.map(|it| it.path())).collect::<Result<Vec<_>, _>>()
        });
        let mut files = files.map_err(SpoolError::new)?;
        files.retain(|path| path.extension().is_some_and(|it| it == T::ENDING));
        files.sort();
        let mut entries = Vec::new();
        for path in &files {
            entries.extend(T::parse(&fs::read(path).map_err(SpoolError::new)?));
        }
        let damaged = files.len() - entries.len();
        Ok((entries, damaged))
    }
}

#[cfg(unix)]
fn check(metadata: &fs::Metadata) -> Result<(), SpoolError> {
    use std::os::unix::fs::PermissionsExt as _;
    if !metadata.is_dir() {
        return Err(SpoolError::new(ErrorKind::NotADirectory.into()));
    }
    let is_open = metadata.permissions().mode() & 0o077 != 0;
    if is_open { Err(SpoolError::open_to_others()) } else { Ok(()) }
}

#[cfg(not(unix))]
fn check(metadata: &fs::Metadata) -> Result<(), SpoolError> {
    if metadata.is_dir() { Ok(()) } else { Err(SpoolError::new(ErrorKind::NotADirectory.into())) }
}
