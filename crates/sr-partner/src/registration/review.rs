//! The principle of least privilege, as the Partner & API Team will apply it.

use std::fmt;

use sr_auth_core::{Evidence, Scope, ScopeSet};

use super::AppRegistration;

/// What a reviewer would ask about.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Finding {
    /// The scope allows more than reading: its reason has to name what is changed.
    Changes(Scope),
    /// The application needs it and does not ask for it.
    Missing(Scope),
    /// The name is an older spelling.
    Obsolete(Scope),
    /// No list of the service is known to have the name: a typing error, or a newer scope.
    Unlisted(Scope),
    /// The application asks for it and does not need it.
    Unneeded(Scope),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changes(scope) => write!(f, "{scope} allows changes: say which are made"),
            Self::Missing(scope) => write!(f, "{scope} is needed and not asked for"),
            Self::Obsolete(scope) => write!(f, "{scope} is an older spelling"),
            Self::Unlisted(scope) => write!(f, "{scope} is on no known list of scopes"),
            Self::Unneeded(scope) => write!(f, "{scope} is asked for and not needed"),
        }
    }
}

impl AppRegistration {
    /// Compares what is asked for with what the application's calls need.
    ///
    /// The table of known names may warn and never refuse: the service's own lists disagree.
    #[must_use]
    pub fn review(&self, needed: &ScopeSet) -> Vec<Finding> {
        let asked: ScopeSet = self.scopes().map(|it| it.scope().clone()).collect();
        let mut findings = Vec::new();
        for scope in asked.iter() {
            if !needed.contains(scope) {
                findings.push(Finding::Unneeded(scope.clone()));
            } else if !scope.as_str().ends_with("_read") {
                findings.push(Finding::Changes(scope.clone()));
            }
            match scope.known().map(|known| known.evidence) {
                None => findings.push(Finding::Unlisted(scope.clone())),
                Some(Evidence::Obsolete) => findings.push(Finding::Obsolete(scope.clone())),
                Some(_) => {}
            }
        }
        let missing = needed.iter().filter(|it| !asked.contains(it));
        findings.extend(missing.map(|it| Finding::Missing(it.clone())));
        findings
    }
}
