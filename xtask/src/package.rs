//! `cargo xtask package`: protects a release from missing files and from edges that only work here.

use crate::workspace::Workspace;

/// Packages each crate that will be published.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let common = ["package", "--locked", "--workspace", "--exclude", "xtask", "--quiet"];
    // `lint` and `test` have built it; files that are not committed yet are no fault here.
    workspace.run(workspace.cargo(&common).args(["--no-verify", "--allow-dirty"]))
}
