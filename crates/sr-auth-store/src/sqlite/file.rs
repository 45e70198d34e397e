//! Who may open the file: its owner alone, from before the first byte is in it.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use sr_auth_core::lifecycle::StoreFailure;

use crate::{BackendError, BackendFault};

/// Makes an empty file if there is none, and judges the one that is there.
pub(super) fn prepare(path: &Path) -> Result<(), BackendError> {
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Err(fault(BackendFault::NotAStore)),
    };
    let of_folder = fs::metadata(folder).map_err(|error| {
        let is_missing = error.kind() == ErrorKind::NotFound;
        let missing = fault(BackendFault::MissingFolder);
        if is_missing { missing.with_source(error) } else { unreadable(error) }
    })?;
    if !of_folder.is_dir() {
        return Err(fault(BackendFault::MissingFolder));
    }
    check_folder(&of_folder)?;
    match create(path) {
        // The name of the file has to survive as well as what will be in it.
        Ok(()) => File::open(folder).and_then(|it| it.sync_all()).map_err(unreadable),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            check_file(&fs::metadata(path).map_err(unreadable)?)
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Err(fault(BackendFault::ReadOnly).with_source(error))
        }
        Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => {
            Err(fault(BackendFault::ReadOnly).with_source(error))
        }
        Err(error) if error.kind() == ErrorKind::StorageFull => {
            Err(fault(BackendFault::DiskFull).with_source(error))
        }
        Err(error) => Err(unreadable(error)),
    }
}

/// Names the file that stands there now: a backup that is put in its place is another one.
#[cfg(unix)]
pub(super) fn identify(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).ok().map(|it| (it.dev(), it.ino()))
}

/// Here a file that is open cannot be replaced.
#[cfg(not(unix))]
pub(super) fn identify(_: &Path) -> Option<(u64, u64)> {
    None
}

fn create(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)?.sync_all()
}

/// In a folder that others may write to, they may replace the file, unless it is sticky.
#[cfg(unix)]
fn check_folder(metadata: &fs::Metadata) -> Result<(), BackendError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode();
    let replaceable = mode & 0o002 != 0 && mode & 0o1000 == 0;
    if replaceable { Err(fault(BackendFault::OpenToOthers)) } else { Ok(()) }
}

#[cfg(unix)]
fn check_file(metadata: &fs::Metadata) -> Result<(), BackendError> {
    use std::os::unix::fs::PermissionsExt as _;
    if !metadata.is_file() {
        return Err(fault(BackendFault::NotAStore));
    }
    let is_open = metadata.permissions().mode() & 0o077 != 0;
    if is_open { Err(fault(BackendFault::OpenToOthers)) } else { Ok(()) }
}

#[cfg(not(unix))]
fn check_folder(_: &fs::Metadata) -> Result<(), BackendError> {
    Ok(())
}

#[cfg(not(unix))]
fn check_file(metadata: &fs::Metadata) -> Result<(), BackendError> {
    if metadata.is_file() { Ok(()) } else { Err(fault(BackendFault::NotAStore)) }
}

const fn fault(fault: BackendFault) -> BackendError {
    BackendError::new(fault, StoreFailure::NotDone)
}

fn unreadable(error: std::io::Error) -> BackendError {
    fault(BackendFault::Unreadable).with_source(error)
}
