//! `cargo xtask doc`: protects the documentation from broken links, private items included.
//!
//! Its examples are compiled by `cargo xtask test`; `tidy` sees to it that each Markdown file with
//! Rust in it is included by the documentation tests of a crate.

use crate::workspace::Workspace;

/// Builds the documentation of our own crates without a warning.
///
/// One build is enough: where private items are shown, rustdoc still warns of a public item that
/// links to a private one.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let common = ["doc", "--locked", "--workspace", "--no-deps", "--all-features"];
    let command = workspace.cargo(&common).arg("--document-private-items");
    workspace.run(command.env("RUSTDOCFLAGS", "-D warnings"))
}
