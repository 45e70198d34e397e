//! What a run of the checks found.

use std::fmt;

/// What a run of the checks found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    violations: Vec<Violation>,
}

impl Report {
    /// Tells whether no rule was broken.
    #[must_use]
    pub const fn conforms(&self) -> bool {
        self.violations.is_empty()
    }

    /// Tells whether a rule was broken.
    #[must_use]
    pub fn breaks(&self, rule: Rule) -> bool {
        self.violations.iter().any(|it| it.rule == rule)
    }

    /// Returns what was broken, in the order in which it was found.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    pub(super) fn add(&mut self, rule: Rule, scene: &'static str, saw: String) {
        self.violations.push(Violation { rule, saw, scene });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.conforms() {
            return f.write_str("the transport keeps to its contract");
        }
        for violation in &self.violations {
            writeln!(f, "{violation}")?;
        }
        Ok(())
    }
}

/// One broken rule, and the scene in which it was broken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{rule}; {scene}: {saw}")]
pub struct Violation {
    rule: Rule,
    saw: String,
    scene: &'static str,
}

impl Violation {
    /// Returns the rule.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// Returns what was seen instead.
    #[must_use]
    pub fn saw(&self) -> &str {
        &self.saw
    }

    /// Returns what the peer did.
    #[must_use]
    pub const fn scene(&self) -> &'static str {
        self.scene
    }
}

/// A rule of the contract of [`Transport`](crate::Transport).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// Status, headers and body of an answer are those that the peer sent.
    #[error("an answer is handed over as it came")]
    AnswerUnchanged,
    /// A body is cut at the limit, and the rest of it is not read.
    #[error("a body is cut at its limit")]
    BodyCut,
    /// A request that is too late is not written.
    #[error("a request is not written past its fence")]
    Fenced,
    /// Once bytes may have left, a failure says so.
    #[error("a request of which bytes have left counts as sent")]
    MaybeSent,
    /// A request that cannot have been sent is not called sent.
    #[error("a request that found no peer counts as not sent")]
    NotSent,
    /// A request is sent once.
    #[error("nothing is sent twice")]
    Once,
    /// A redirect is an answer.
    #[error("a redirect is not followed")]
    RedirectNotFollowed,
    /// Method, path, headers and body arrive as they were given, with a `Content-Length`.
    #[error("a request arrives as it was given")]
    RequestUnchanged,
    /// Secrets of a request stand in no error and in no `Debug`.
    #[error("secrets are not shown")]
    SecretsHidden,
    /// Every call ends within its time.
    #[error("a call ends within its time")]
    Timely,
}
