//! Integrations: their script (partner.lua), and what it returns.

use std::sync::LazyLock;

use ::redis::{Script, Value};
use sr_partner::store::{PartnerAnswer, PartnerOp};

use super::answer::Reader;
use super::connect::Program;
use crate::Sealed;
use crate::stored::Nonsense;
use crate::stored::partner::answer;
use crate::stored::partner::record::PartnerFields;
use crate::stored::record::Fields as _;

pub(super) static INTEGRATIONS: Program = Program {
    keys: &[
        "store",
        "partner",
        "partner-open",
        "partner-attempts",
        "partner-clients",
        "partner-tokens",
        "partner-token-ends",
        "partner-issued",
        "partner-refusals",
        "partner-refusal-ends",
        "partner-changes",
    ],
    script: LazyLock::new(|| Script::new(INTEGRATIONS.text)),
    text: concat!(include_str!("common.lua"), include_str!("partner.lua")),
};

/// Reads the answer to an operation.
pub(super) fn read(
    op: &PartnerOp<Sealed>,
    value: Value,
) -> Result<PartnerAnswer<Sealed>, Nonsense> {
    answer::read(op, &mut Reader::of(value)?)
}

impl PartnerFields for Reader {
    fn list(&mut self) -> Result<Vec<Vec<u8>>, Nonsense> {
        let mut values = self.sublist()?;
        let mut list = Vec::new();
        while values.has_more() {
            list.push(values.bytes()?.ok_or(Nonsense)?);
        }
        Ok(list)
    }

    fn numbers(&mut self) -> Result<Vec<Option<i64>>, Nonsense> {
        let mut values = self.sublist()?;
        let mut list = Vec::new();
        while values.has_more() {
            list.push(values.number()?);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use crate::stored::partner::record::COLUMNS;

    /// The names in a list of the script.
    fn list(name: &str) -> Vec<&'static str> {
        let script = include_str!("partner.lua");
        let (_, list) = script.split_once(&format!("local {name} = {{")).unwrap();
        let (list, _) = list.split_once('}').unwrap();
        let names = list.split(',').map(|it| it.trim().trim_matches('\''));
        names.filter(|it| !it.is_empty()).collect()
    }

    #[test]
    fn the_script_returns_the_columns_that_are_read() {
        let of = |prefix: &'static str, names: &[&str]| {
            names.iter().map(|it| format!("{prefix}{it}")).collect::<Vec<_>>()
        };
        let names = [
            vec!["generation".to_owned()],
            of("attempt_", &list("SHARED")),
            of("attempt_", &list("OF_ATTEMPT")),
            of("live_", &list("SHARED")),
            of("live_", &list("OF_LIVE")),
            of("", &list("OF_COMPANY")),
        ];
        assert_eq!(names.concat(), COLUMNS);
    }
}
