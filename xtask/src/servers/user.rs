//! Whom the servers run as.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::install;
use crate::program::output;

const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// An ordinary user: we ourselves, or one that the system has for such things.
#[derive(Clone, Debug)]
pub(super) struct User {
    /// `None` when we are an ordinary user.
    identity: Option<Identity>,
}

/// Numbers of a user and a group.
#[derive(Clone, Debug)]
struct Identity {
    group: String,
    user: String,
}

impl User {
    /// Chooses whom to run the servers as.
    ///
    /// # Errors
    ///
    /// Fails when we are the administrator and the system has nobody else.
    pub(super) fn choose(folder: &Path) -> anyhow::Result<Self> {
        if id(&["-u"], folder).as_deref() != Some("0") {
            return Ok(Self { identity: None });
        }
        let mut known = ["postgres", "nobody"].into_iter().filter_map(|name| {
            Some(Identity { group: id(&["-g", name], folder)?, user: id(&["-u", name], folder)? })
        });
        let identity = known.next();
        let identity =
            identity.context("PostgreSQL refuses to run as root; no other user is here")?;
        Ok(Self { identity: Some(identity) })
    }

    /// Returns a command that is run as this user.
    pub(super) fn command(&self, program: &str) -> anyhow::Result<Command> {
        let path = install::find(program).with_context(|| format!("{program} is missing"))?;
        let setpriv = install::find("setpriv").context("setpriv is missing")?;
        let mut command = Command::new(setpriv);
        // Should we be killed, it ends by itself.
        command.args(["--pdeathsig", "INT"]);
        if let Some(Identity { group, user }) = &self.identity {
            command.args(["--reuid", user, "--regid", group, "--clear-groups"]);
        }
        command.arg(path);
        Ok(command)
    }

    /// Makes a folder that belongs to this user.
    ///
    /// # Errors
    ///
    /// Fails when the file system does not let us.
    pub(super) fn own(&self, folder: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(folder)?;
        self.give(folder)
    }

    /// Gives a file or folder to this user.
    ///
    /// # Errors
    ///
    /// As [`own`](Self::own).
    pub(super) fn give(&self, path: &Path) -> anyhow::Result<()> {
        let Some(Identity { user, .. }) = &self.identity else { return Ok(()) };
        let status = Command::new("chown").arg(user).arg(path).status()?;
        ensure!(status.success(), "chown {user} {} failed", path.display());
        Ok(())
    }
}

fn id(arguments: &[&str], folder: &Path) -> Option<String> {
    let mut id = Command::new("id");
    id.args(arguments);
    output("id", id, ANSWER_WITHIN, folder).ok()?.into_iter().next()
}
