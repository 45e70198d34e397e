//! Certificates of the servers, of an authority that nobody else trusts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::user::User;
use crate::program::output;

const MADE_WITHIN: Duration = Duration::from_secs(60);

/// What every certificate here is made with: a key of its own, on a curve that all know.
const NEW_KEY: [&str; 9] = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "2",
];

/// Files in PEM form.
#[derive(Clone, Debug)]
pub(super) struct Certificates {
    pub(super) authority: PathBuf,
    /// For `localhost`, and not for its address.
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    /// An authority that has nothing to do with the servers.
    stranger: PathBuf,
}

impl Certificates {
    /// Makes two authorities, and a certificate of the first.
    ///
    /// # Errors
    ///
    /// Fails when `openssl` does.
    pub(super) fn make(user: &User, folder: &Path) -> anyhow::Result<Self> {
        let folder = folder.join("certificates");
        user.own(&folder)?;
        let file = |name: &str| folder.join(name);
        let made = Self {
            authority: file("authority.pem"),
            certificate: file("server.pem"),
            key: file("server.key"),
            stranger: file("stranger.pem"),
        };
        let authority_key = file("authority.key");
        let authority = ["-addext", "basicConstraints=critical,CA:TRUE", "-subj", "/CN=authority"];
        let server = ["-addext", "basicConstraints=CA:FALSE", "-subj", "/CN=server"];
        let mut of_server = server.map(str::to_owned).to_vec();
        of_server.extend(["-addext", "subjectAltName=DNS:localhost"].map(str::to_owned));
        of_server.extend(["-CA".to_owned(), made.authority.display().to_string()]);
        of_server.extend(["-CAkey".to_owned(), authority_key.display().to_string()]);
        let of_authority = authority.map(str::to_owned);
        for (extra, certificate, key) in [
            (of_authority.as_slice(), &made.authority, &authority_key),
            (of_authority.as_slice(), &made.stranger, &file("stranger.key")),
            (of_server.as_slice(), &made.certificate, &made.key),
        ] {
            let mut openssl = user.command("openssl")?;
            openssl.args(NEW_KEY).args(extra);
            openssl.arg("-out").arg(certificate).arg("-keyout").arg(key).current_dir(&folder);
            output("openssl", openssl, MADE_WITHIN, &folder)?;
        }
        Ok(made)
    }

    /// Returns the variables that name the authorities to tests.
    pub(super) fn variables(&self) -> Vec<(String, String)> {
        let named = [("AUTHORITY", &self.authority), ("STRANGER", &self.stranger)];
        let named = named.into_iter();
        named.map(|(it, path)| (format!("SR_AUTH_TEST_{it}"), path.display().to_string())).collect()
    }
}
