//! The keys of stored grants: the one that seals, and the one that names tokens.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sr_auth_core::{FingerprintKey, Secret};
use sr_auth_http::entropy;
use sr_auth_store::{KeyError, KeyFault, SealingKeys};
use zeroize::Zeroizing;

use crate::environment;
use crate::exit::{Exit, Failure};
use crate::secret_file::{self, make_folder, sync_directory};
use crate::secret_source::SecretName;

/// Holds the sealing keys; with `_FILE` after it, the one that names their file.
const VARIABLE: &str = "SR_AUTH_SEALING_KEY";
const FILE_VARIABLE: &str = "SR_AUTH_SEALING_KEY_FILE";

/// What a service names its tokens with.
const FINGERPRINT_KEY: SecretName =
    SecretName { variable: "SR_AUTH_FINGERPRINT_KEY", what: "fingerprint key" };

/// Returns the sealing keys: from the variable, or from the file, which may be made if there is
/// none.
pub(super) fn sealing(may_make: bool) -> Result<SealingKeys, Failure> {
    let file = environment::text(FILE_VARIABLE)?;
    // Looked at as a secret: its text goes nowhere but into the keys.
    let variable = environment::secret(VARIABLE)?;
    match (variable, file) {
        (Some(_), Some(_)) => Err(Failure::usage(
            format!("{VARIABLE} and {FILE_VARIABLE} are both set"),
            "unset one of them: it would be a guess which one counts",
        )),
        (Some(_), None) => {
            SealingKeys::from_env(VARIABLE).map_err(|it| failure(VARIABLE, &it, correct(VARIABLE)))
        }
        (None, Some(file)) => from_file(&PathBuf::from(file), may_make),
        (None, None) => match environment::folder("XDG_CONFIG_HOME", ".config")? {
            Some(folder) => from_file(&folder.join("sealing.key"), may_make),
            None => Err(Failure::usage(
                "it is not known where the sealing key is: HOME is not set",
                format!("set {FILE_VARIABLE}"),
            )),
        },
    }
}

fn from_file(path: &Path, may_make: bool) -> Result<SealingKeys, Failure> {
    if may_make {
        make(path)?;
    }
    let shown = path.display().to_string();
    SealingKeys::from_file(path).map_err(|error| {
        let advice = match error.fault() {
            KeyFault::Missing => format!(
                "put the key back, or name its file with {FILE_VARIABLE}; \
                 without it, log in into another --state-folder"
            ),
            KeyFault::OpenToOthers => format!("chmod 600 '{shown}'"),
            KeyFault::Malformed | KeyFault::NoRandomness | KeyFault::Unavailable | _ => {
                correct(&shown)
            }
        };
        failure(&shown, &error, advice)
    })
}

fn correct(place: &str) -> String {
    format!("check {place}: it holds what `openssl rand -base64 32` prints")
}

fn failure(place: &str, error: &KeyError, advice: String) -> Failure {
    let exit = match error.fault() {
        KeyFault::Malformed | KeyFault::Missing | KeyFault::OpenToOthers => Exit::Usage,
        KeyFault::NoRandomness | KeyFault::Unavailable | _ => Exit::Failed,
    };
    Failure::new(exit, error.code(), format!("{place}: {error}"), advice)
}

/// Returns the key that tokens are named with: all who share a store share it.
pub(super) fn fingerprints(folder: &Path, may_make: bool) -> Result<FingerprintKey, Failure> {
    let path = folder.join("fingerprint.key");
    if may_make {
        make(&path)?;
    }
    fingerprint_key(&secret_file::read(&path)?).ok_or_else(|| {
        Failure::usage(
            format!("{} holds no key", path.display()),
            "put the file back that was there, or log in into another --state-folder",
        )
    })
}

/// Returns the key that a service names its tokens with. It is not made: the service has it.
pub(super) fn fingerprints_of_service() -> Result<FingerprintKey, Failure> {
    let SecretName { variable, .. } = FINGERPRINT_KEY;
    let advice = format!("set {variable}_FILE or {variable}: what the service names tokens with");
    let Some(text) = FINGERPRINT_KEY.in_environment()? else {
        return Err(Failure::usage("the fingerprint key of the service is missing", advice));
    };
    let wrong = || Failure::usage("that is no fingerprint key: 32 bytes in base64", advice);
    fingerprint_key(&text).ok_or_else(wrong)
}

fn fingerprint_key(text: &Secret) -> Option<FingerprintKey> {
    // As much as the decoder may need for 44 letters.
    let mut decoded = Zeroizing::new([0; 33]);
    let length = STANDARD.decode_slice(text.expose(), decoded.as_mut_slice());
    let key = decoded.first_chunk().filter(|_| length == Ok(32))?;
    Some(FingerprintKey::new(*key))
}

/// Makes a file with a random key for its owner only; one that is there is left as it is, also when
/// another process makes it at the same time.
fn make(path: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::io(format!("{} cannot be made", path.display()), &error);
    if path.try_exists().map_err(failed)? {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        make_folder(folder)?;
    }
    let random = Zeroizing::new(entropy()?);
    let (key, name) = random.split_at(32);
    let mut line = Zeroizing::new(String::with_capacity(45));
    STANDARD.encode_string(key, &mut line);
    line.push('\n');
    let suffix: String = name.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let temporary = path.with_extension(format!("{suffix}.tmp"));
    let named = write(&temporary, line.as_bytes()).and_then(|()| fs::hard_link(&temporary, path));
    let removed = fs::remove_file(&temporary);
    match named {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        named => named.and(removed).and_then(|()| sync_directory(path)).map_err(failed),
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
