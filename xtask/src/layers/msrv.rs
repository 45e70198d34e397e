//! The oldest Rust that we promise: no package of the tree may ask for a newer one.
//!
//! This compares manifests. Whether the code itself fits is clippy's `incompatible_msrv`.

use cargo_metadata::Metadata;
use cargo_metadata::semver::Version;

use crate::report::Finding;

/// Returns the promise: the same in each member, for each inherits it.
pub(super) fn of_members(metadata: &Metadata) -> Option<Version> {
    metadata.workspace_packages().into_iter().filter_map(|it| it.rust_version.clone()).min()
}

/// Judges what each package asks for.
pub(super) fn findings(
    promise: &Version,
    asked: impl Iterator<Item = (String, Version)>,
) -> Vec<Finding> {
    let newer = asked.filter(|(_, asked)| asked > promise);
    let way_out = "take an older version of it, or raise rust-version with a decision";
    newer
        .map(|(place, asked)| Finding {
            place,
            rule: "msrv",
            what: format!("asks for Rust {asked}, and we promise {promise}"),
            way_out,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_asks_for_more_is_found() {
        let promise = Version::new(1, 90, 0);
        let cases = [
            ("older", Version::new(1, 63, 0), 0),
            ("the same", Version::new(1, 90, 0), 0),
            ("a patch newer", Version::new(1, 90, 1), 1),
            ("newer", Version::new(1, 95, 0), 1),
        ];
        for (name, asked, expected) in cases {
            let found = findings(&promise, [("a 1.0.0".to_owned(), asked)].into_iter());
            assert_eq!(found.len(), expected, "{name}: {found:?}");
        }
    }
}
