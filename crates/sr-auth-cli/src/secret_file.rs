//! Files with a secret in them: only their owner may read them, and writing loses nothing.

mod reserved;

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use sr_auth_core::Secret;
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};
pub(crate) use reserved::{Reserved, sync_directory};

/// The longest secret that is read, in bytes.
pub(crate) const LIMIT: usize = 64 * 1024;

/// Reads a secret; one line break at its end does not count.
pub(crate) fn read(path: &Path) -> Result<Secret, Failure> {
    let failed = |error| Failure::io(format!("{} cannot be read", path.display()), &error);
    // To open a pipe would wait until somebody writes to it.
    check_kind(path, &fs::metadata(path).map_err(failed)?)?;
    let file = File::open(path).map_err(failed)?;
    // The open file is judged, not the name alone: that may lead elsewhere a moment later.
    let metadata = file.metadata().map_err(failed)?;
    check_kind(path, &metadata)?;
    check_mode(path, &metadata)?;
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

/// Makes a folder that only its owner may look into, unless it is there.
pub(crate) fn make_folder(path: &Path) -> Result<(), Failure> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(path).and_then(|()| sync_directory(path));
    made.map_err(|error| Failure::io(format!("{} cannot be made", path.display()), &error))
}

fn check_kind(path: &Path, metadata: &fs::Metadata) -> Result<(), Failure> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(Failure::usage(
        format!("{} is no regular file", path.display()),
        "name a file; a secret from another program comes with --secret-stdin",
    ))
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
}
