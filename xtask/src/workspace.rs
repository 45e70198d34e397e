//! The workspace under check: its root, its cargo, its files.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cargo_metadata::{CargoOpt, Metadata, MetadataCommand};
use xshell::{Cmd, Shell};

/// Where the checks run.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) shell: Shell,
    /// Whether cargo must do without a network.
    pub(crate) offline: bool,
}

impl Workspace {
    /// Opens the workspace that this program was built from.
    pub(crate) fn open(offline: bool) -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask stands in the root of the workspace")?
            .to_path_buf();
        let shell = Shell::new()?;
        shell.change_dir(&root);
        if offline {
            shell.set_var("CARGO_NET_OFFLINE", "true");
        }
        Ok(Self { root, shell, offline })
    }

    /// Returns a cargo command in the root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Cmd<'_> {
        self.shell.cmd("cargo").args(arguments)
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
            command.other_options(options).exec()
        };
        // The first error is the one to tell: it names a lock file that is out of date.
        of(&[])
            .or_else(|error| of(&["--filter-platform", "host-tuple"]).map_err(|_| error))
            .context("cargo metadata failed; is Cargo.lock up to date?")
    }

    /// Returns every file of the project, in order, by its path from the root.
    pub(crate) fn texts(&self) -> anyhow::Result<Vec<Text>> {
        let mut texts = Vec::new();
        collect(&self.root, "", &mut texts)?;
        texts.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(texts)
    }
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
