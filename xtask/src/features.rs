//! `cargo xtask features`: protects those who switch a feature off; each alone, none, and all.
//!
//! A crate without features has one form, which `lint` has seen.

use cargo_metadata::{Metadata, Package};

use crate::tools;
use crate::workspace::Workspace;

/// Lints each crate in each form that a manifest can ask for, apart from combinations.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    tools::component(workspace, "clippy")?;
    for form in forms(&workspace.metadata()?) {
        let command = workspace.cargo(&["clippy", "--locked", "--package", &form.krate]);
        workspace.run(command.args(&form.flags).args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}

/// First what users build: what the tests use may switch on a feature that the code forgot to ask
/// for. Then the tests and examples, which must fit each form as well.
const TARGETS: [Option<&str>; 2] = [None, Some("--all-targets")];

/// A crate with some of its features.
#[derive(Debug, Eq, PartialEq)]
struct Form {
    krate: String,
    flags: Vec<String>,
}

fn forms(metadata: &Metadata) -> Vec<Form> {
    metadata.workspace_packages().into_iter().flat_map(forms_of).collect()
}

fn forms_of(package: &Package) -> Vec<Form> {
    let names = package.features.keys().filter(|name| *name != "default");
    let alone = names.map(|name| vec!["--no-default-features".to_owned(), format!("-F{name}")]);
    let mut flags: Vec<Vec<String>> = alone.collect();
    if flags.is_empty() {
        return Vec::new();
    }
    flags.insert(0, vec!["--no-default-features".to_owned()]);
    if flags.len() > 2 {
        flags.push(vec!["--all-features".to_owned()]);
    }
    let both = flags.into_iter().flat_map(|flags| {
        TARGETS.map(|targets| flags.iter().cloned().chain(targets.map(str::to_owned)).collect())
    });
    both.map(|flags| Form { krate: package.name.to_string(), flags }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feature_is_built_alone_none_and_all() {
        let metadata = Workspace::open(false).unwrap().metadata().unwrap();
        let forms = forms(&metadata);
        for package in metadata.workspace_packages() {
            let of: Vec<&Form> = forms.iter().filter(|it| it.krate == *package.name).collect();
            let named = package.features.keys().filter(|name| *name != "default").count();
            let expected = match named {
                0 => 0,
                1 => 2,
                _ => named + 2,
            };
            let with_tests = |form: &&&Form| form.flags.iter().any(|it| it == "--all-targets");
            assert_eq!(of.iter().filter(with_tests).count(), expected, "{}", package.name);
            assert_eq!(of.len(), 2 * expected, "{}: {of:?}", package.name);
        }
    }
}
