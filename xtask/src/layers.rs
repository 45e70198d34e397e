//! `cargo xtask layers`: protects the architecture; the table of edges is a test, not a promise.
//!
//! The table names crates that do not exist yet: an edge is judged when both of its ends exist.

mod graph;
mod msrv;
mod purity;
pub(crate) mod table;

use std::collections::BTreeMap;

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, Metadata};

use crate::report::{Finding, say, verdict};
use crate::workspace::Workspace;
use graph::{Edge, Krate};

/// Compares the workspace with the table.
///
/// # Errors
///
/// Fails when a rule is broken, or when cargo cannot describe the workspace.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let metadata = workspace.metadata()?;
    let crates = crates(&metadata)?;
    verdict("layers", findings(workspace, &metadata, &crates)?)?;
    let edges: usize = crates.iter().map(|krate| krate.edges.len()).sum();
    say(format_args!("{} crates, {edges} edges between them, as in the table", crates.len()));
    Ok(())
}

fn findings(
    workspace: &Workspace,
    metadata: &Metadata,
    crates: &[Krate],
) -> anyhow::Result<Vec<Finding>> {
    let mut findings = graph::findings(crates);
    findings.extend(graph::cycles(crates));
    for krate in crates.iter().filter(|krate| table::PURE.contains(&krate.name.as_str())) {
        findings.extend(purity::of_manifest(krate));
        let whole = tree(workspace, &krate.name, &[])?;
        let without_oauth2 = tree(workspace, &krate.name, &["--prune", "oauth2"])?;
        findings.extend(purity::of_tree(&krate.name, &whole, &without_oauth2));
    }
    let workspace_msrv = msrv::of_members(metadata).context("no member says its rust-version")?;
    let asked = metadata.packages.iter().filter_map(|package| {
        Some((format!("{} {}", package.name, package.version), package.rust_version.clone()?))
    });
    findings.extend(msrv::findings(&workspace_msrv, asked));
    Ok(findings)
}

/// Returns what the rules need to know of each member, with edges between members apart.
fn crates(metadata: &Metadata) -> anyhow::Result<Vec<Krate>> {
    let members = metadata.workspace_packages();
    let is_member = |name: &str| members.iter().any(|member| *member.name == name);
    let crates = members.iter().map(|package| {
        let mut edges = Vec::new();
        let mut foreign = Vec::new();
        for dependency in &package.dependencies {
            let is_dev = dependency.kind == DependencyKind::Development;
            if is_member(&dependency.name) {
                edges.push(Edge {
                    to: dependency.name.clone(),
                    is_dev,
                    is_optional: dependency.optional,
                    features: dependency.features.clone(),
                });
            } else {
                foreign.push((dependency.name.clone(), is_dev));
            }
        }
        let features: BTreeMap<String, Vec<String>> = package.features.clone();
        Krate { name: package.name.to_string(), edges, foreign, features }
    });
    Ok(crates.collect())
}

/// Returns the packages that a crate reaches with all features, one a line.
///
/// `cargo tree` and not the graph of the metadata, for that one mixes in the features that other
/// members ask for.
fn tree(workspace: &Workspace, krate: &str, cut: &[&str]) -> anyhow::Result<String> {
    let of = |platform: &[&str]| {
        let command = workspace.cargo(&["tree", "--locked", "--package", krate, "--all-features"]);
        let command = command.args(["--edges", "normal,build"]).args(platform);
        let command = command.args(["--prefix", "none", "--format", "{p}"]).args(cut);
        workspace.read(command.into())
    };
    // As with the metadata: packages of other platforms may be out of reach.
    of(&["--target", "all"]).or_else(|_| of(&[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_keeps_its_layers() {
        let workspace = Workspace::open(false).unwrap();
        let metadata = workspace.metadata().unwrap();
        let crates = crates(&metadata).unwrap();
        let broken: Vec<String> = findings(&workspace, &metadata, &crates)
            .unwrap()
            .iter()
            .map(Finding::to_string)
            .collect();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
        assert!(crates.iter().any(|krate| krate.name == "sr-auth-core"), "no core: {crates:?}");
    }
}
