//! The copy of the tree that holds all faults, each behind its switch.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::change::{self, Change};
use super::faults::{Crate, Fault, Place};
use crate::workspace::{Workspace, texts_in};

/// The variable that says, by its number, which fault is alive.
pub(super) const SWITCH: &str = "SR_AUTH_PLANTED";

/// What the copy has and the tree has not: read once, as it is asked at every step.
const SWITCH_SOURCE: &str = r#"
mod planted {
    use std::sync::OnceLock;

    static ALIVE: OnceLock<Option<u32>> = OnceLock::new();

    pub(crate) fn is(number: u32) -> bool {
        let read = || std::env::var("SR_AUTH_PLANTED").ok()?.parse().ok();
        *ALIVE.get_or_init(read) == Some(number)
    }
}
"#;

/// Where the copy and all that is built from it lie.
pub(super) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("target/planted")
}

/// Where the copy lies.
pub(super) fn tree(workspace: &Workspace) -> PathBuf {
    folder(workspace).join("tree")
}

/// Copies what the simulation is built from, and makes the changes. Files that stay as they were
/// are not written again, so that little is built anew.
///
/// # Errors
///
/// Fails when a change does not fit, and names its fault.
pub(super) fn make(workspace: &Workspace, faults: &[Fault]) -> anyhow::Result<()> {
    let tree = tree(workspace);
    let is_built_from = |path: &str| {
        ["crates/", "xtask/"].iter().any(|it| path.starts_with(it)) || path == "Cargo.toml"
    };
    let texts = workspace.texts()?;
    let mut paths: BTreeSet<String> =
        texts.into_iter().map(|it| it.path).filter(|it| is_built_from(it)).collect();
    paths.insert("Cargo.lock".to_owned());
    for fault in faults {
        for Change { file, .. } in fault.changes {
            let path = format!("{}{file}", fault.krate.folder());
            ensure!(paths.contains(&path), "{}: there is no {path}", fault.name);
        }
    }
    let old = if tree.is_dir() { texts_in(&tree)? } else { Vec::new() };
    for text in old.iter().filter(|it| !paths.contains(&it.path)) {
        std::fs::remove_file(tree.join(&text.path))?;
    }
    for path in &paths {
        let source = workspace.root.join(path);
        let bytes = std::fs::read(&source).with_context(|| source.display().to_string())?;
        let place =
            Crate::ALL.into_iter().find_map(|it| Some((it, path.strip_prefix(it.folder())?)));
        let bytes = match place {
            Some((krate, file)) => {
                planted(krate, file, String::from_utf8(bytes)?, faults)?.into_bytes()
            }
            None => bytes,
        };
        write(&tree.join(path), &bytes)?;
    }
    Ok(())
}

/// Makes the changes of one file.
fn planted(krate: Crate, file: &str, text: String, faults: &[Fault]) -> anyhow::Result<String> {
    let mut changes = Vec::new();
    for fault in faults.iter().filter(|it| it.krate == krate) {
        let Place::Machine { number } = fault.place else { continue };
        let of_file = fault.changes.iter().filter(|it| it.file == file);
        let switch = format!("crate::planted::is({number})");
        changes.extend(of_file.map(|it| (fault.name, it, switch.clone())));
    }
    let text = change::apply(&text, &changes)?;
    Ok(if file == "lib.rs" { text + SWITCH_SOURCE } else { text })
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let folder = path.parent().context("a file lies in a folder")?;
    std::fs::create_dir_all(folder)?;
    std::fs::write(path, bytes).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::super::faults;
    use super::*;

    #[test]
    fn every_change_fits_the_source() {
        let workspace = Workspace::open(false).expect("cargo names the checkout");
        let all = faults::all();
        let mut wrong = Vec::new();
        for krate in Crate::ALL {
            let of_crate = all.iter().filter(|it| it.krate == krate);
            let files = of_crate.flat_map(|it| it.changes).map(|it| it.file);
            for file in files.collect::<BTreeSet<_>>() {
                let path = workspace.root.join(krate.folder()).join(file);
                let text = std::fs::read_to_string(&path).expect(file);
                match planted(krate, file, text, &all) {
                    Ok(changed) => assert!(changed.contains("crate::planted::is("), "{file}"),
                    Err(error) => wrong.push(error.to_string()),
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(SWITCH_SOURCE.contains(SWITCH));
    }
}
