//! Secrets that are shown once: the page after the form takes them away.

use std::collections::VecDeque;

use sr_auth_core::Secret;

use crate::simulator::page::escape;
use crate::simulator::{Lookup, lookup};

/// What waits to be shown, each under a ticket that only the redirect after the form names.
#[derive(Debug, Default)]
pub(in crate::simulator) struct ShownOnce(VecDeque<(Lookup, Shown)>);

/// A new credential.
#[derive(Debug)]
pub(super) struct Shown {
    /// What it is called.
    pub(super) name: String,
    /// Names and values: ids as they are, secrets as such.
    pub(super) values: Vec<(&'static str, Secret)>,
}

impl ShownOnce {
    /// How many can wait.
    const CAPACITY: usize = 64;

    pub(super) fn add(&mut self, ticket: &str, shown: Shown) {
        if self.0.len() >= Self::CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back((lookup(ticket), shown));
    }

    pub(super) fn take(&mut self, ticket: &str) -> Option<Shown> {
        let ticket = lookup(ticket);
        let at = self.0.iter().position(|(it, _)| *it == ticket)?;
        self.0.remove(at).map(|(_, shown)| shown)
    }
}

/// Writes what a ticket stands for, or that it was shown; nothing without a ticket.
pub(super) fn panel(once: &mut ShownOnce, ticket: Option<&str>) -> String {
    let Some(ticket) = ticket else { return String::new() };
    let Some(shown) = once.take(ticket) else {
        return "<p class=\"note\" role=\"status\">This credential was shown before. Its secret \
                cannot be seen again.</p>\n"
            .to_owned();
    };
    let row = |(name, value): &(&str, Secret)| {
        let id = name.to_lowercase().replace(' ', "-");
        format!("<dt>{name}</dt><dd><code id=\"{id}\">{}</code></dd>\n", escape(value.expose()))
    };
    let rows: String = shown.values.iter().map(row).collect();
    format!(
        "<section class=\"note success\" role=\"status\" aria-labelledby=\"shown\">\n\
         <h2 id=\"shown\">{}</h2>\n<dl>\n{rows}</dl>\n\
         <p>Copy it now: this is the only time that the secret is shown.</p>\n</section>\n",
        escape(&shown.name)
    )
}
