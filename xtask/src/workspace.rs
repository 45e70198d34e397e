//! The workspace under check: its root, its cargo, its files.

use std::cell::Cell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use cargo_metadata::{CargoOpt, Metadata, MetadataCommand};
use xshell::{Cmd, Shell};

use crate::program;
use crate::report::say;

/// How long a command that only looks may take; it may fetch packages first.
const LOOKS_WITHIN: Duration = Duration::from_secs(300);

/// Where the checks run.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) shell: Shell,
    /// Whether cargo must do without a network.
    pub(crate) offline: bool,
    /// When the stage that runs must be over.
    ends_at: Cell<Option<Instant>>,
}

impl Workspace {
    /// Opens the workspace that cargo runs this program for.
    pub(crate) fn open(offline: bool) -> anyhow::Result<Self> {
        let root = own_folder()
            .parent()
            .context("xtask stands in the root of the workspace")?
            .to_path_buf();
        let shell = Shell::new()?;
        shell.change_dir(&root);
        if offline {
            shell.set_var("CARGO_NET_OFFLINE", "true");
        }
        Ok(Self { root, shell, offline, ends_at: Cell::new(None) })
    }

    /// Returns a cargo command in the root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Cmd<'_> {
        self.shell.cmd("cargo").args(arguments)
    }

    /// Ends every command that still runs after this time.
    pub(crate) fn limit(&self, time: Duration) {
        self.ends_at.set(Some(program::now() + time));
    }

    /// Runs a command that speaks where we speak.
    ///
    /// # Errors
    ///
    /// Fails when the command does, and when the time of its stage is over.
    pub(crate) fn run(&self, command: Cmd<'_>) -> anyhow::Result<()> {
        let name = command.to_string();
        say(format_args!("$ {name}"));
        program::run(&name, command.into(), self.ends_at.get())
    }

    /// Runs a command that only looks, and returns what it says.
    ///
    /// # Errors
    ///
    /// Fails when the command does, and when its time is over.
    pub(crate) fn read(&self, command: Command) -> anyhow::Result<String> {
        let folder = self.shell.create_temp_dir()?;
        let left = self.ends_at.get().map(|it| it.saturating_duration_since(program::now()));
        let within = left.unwrap_or(LOOKS_WITHIN).min(LOOKS_WITHIN);
        let name = command.get_program().to_string_lossy().into_owned();
        Ok(program::output(&name, command, within, folder.path())?.join("\n"))
    }

    /// Returns what cargo knows of the workspace, with every feature on.
    ///
    /// All platforms are judged if their packages are here or can be fetched, else this one.
    pub(crate) fn metadata(&self) -> anyhow::Result<Metadata> {
        let of = |platform: &[&str]| {
            let mut options = vec!["--locked".to_owned()];
            options.extend(platform.iter().copied().map(str::to_owned));
            let mut command = MetadataCommand::new();
            command.current_dir(&self.root).features(CargoOpt::AllFeatures);
            if self.offline {
                options.push("--offline".to_owned());
            }
            let command = command.other_options(options).cargo_command();
            Ok::<_, anyhow::Error>(MetadataCommand::parse(self.read(command)?)?)
        };
        // The first error is the one to tell: it names a lock file that is out of date.
        of(&[])
            .or_else(|error| of(&["--filter-platform", "host-tuple"]).map_err(|_| error))
            .context("cargo metadata failed; is Cargo.lock up to date?")
    }

    /// Returns every file of the project, in order, by its path from the root.
    pub(crate) fn texts(&self) -> anyhow::Result<Vec<Text>> {
        texts_in(&self.root)
    }
}

/// Returns every file below a folder that is not a tool's, in order, by its path from there.
pub(crate) fn texts_in(folder: &Path) -> anyhow::Result<Vec<Text>> {
    let mut texts = Vec::new();
    collect(folder, "", &mut texts)?;
    texts.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(texts)
}

/// Returns the folder of this package in the checkout under check.
#[expect(clippy::disallowed_methods, reason = "cargo says in the environment what it runs")]
pub(crate) fn own_folder() -> PathBuf {
    folder_of(std::env::var_os("CARGO_MANIFEST_DIR"))
}

/// The variable of now goes before that of the build: two checkouts may share one target folder,
/// and a program that was built in one would judge that one when it is run for the other.
fn folder_of(said_by_cargo: Option<OsString>) -> PathBuf {
    let said = said_by_cargo.map(PathBuf::from);
    // That of another package says who started us, not what to judge.
    let said = said.filter(|it| it.is_absolute() && it.ends_with(env!("CARGO_PKG_NAME")));
    said.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")))
}

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Folders whose name starts with a dot and that are ours.
const DOT_FOLDERS: [&str; 4] = [".cargo", ".ci", ".config", ".github"];
/// Folders that tools fill.
const FOREIGN_FOLDERS: [&str; 2] = ["node_modules", "target"];
/// Files whose lines are a tool's.
const FOREIGN_FILES: [&str; 2] = ["Cargo.lock", "package-lock.json"];

fn collect(folder: &Path, prefix: &str, texts: &mut Vec<Text>) -> anyhow::Result<()> {
    let entries = folder.read_dir().with_context(|| format!("{}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            let hidden = name.starts_with('.') && !DOT_FOLDERS.contains(&name.as_str());
            if !hidden && !FOREIGN_FOLDERS.contains(&name.as_str()) {
                collect(&entry.path(), &format!("{path}/"), texts)?;
            }
        } else if !FOREIGN_FILES.contains(&name.as_str()) {
            // What is not UTF-8 is no text; it is kept as empty, for a link may lead to it.
            let bytes = std::fs::read(entry.path()).with_context(|| path.clone())?;
            texts.push(Text { path, text: String::from_utf8(bytes).unwrap_or_default() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkout_that_cargo_names_now_is_judged() {
        let built = env!("CARGO_MANIFEST_DIR");
        let cases = [
            ("another checkout", Some("/srv/other/xtask"), "/srv/other/xtask"),
            ("without cargo", None, built),
            ("another package started it", Some("/srv/other/crates/a"), built),
            ("a folder that depends on where we are", Some("xtask"), built),
        ];
        for (name, said, expected) in cases {
            assert_eq!(folder_of(said.map(OsString::from)), Path::new(expected), "{name}");
        }
    }
}
