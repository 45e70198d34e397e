//! What was allowed, and what was lost that could have been saved.

use std::collections::BTreeMap;
use std::time::Duration;

use sr_auth_core::Timestamp;
use sr_testkit::{Fingerprint, GrantId};

use crate::facts::{Facts, Fate, Presentation};
use crate::scale::Scale;

/// What is found in the facts of a run.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Refused presentations of a token whose successor came to the store later all the same: the
    /// grant was given up, or was about to be, and its owner saved it.
    pub(crate) late_commits: usize,
    pub(crate) losses: Vec<Loss>,
    /// Late first bytes of a process that stood still between its last look at the clock and its
    /// write: the rest of a danger that no client can take away.
    pub(crate) residues: usize,
    /// Presentations of a token that had been presented before.
    pub(crate) second_presentations: usize,
    pub(crate) violations: Vec<String>,
}

/// A grant whose process was killed after the server had answered and before the store had the
/// answer: nobody holds its refresh token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Loss {
    pub(crate) answered_at: Timestamp,
    pub(crate) grant: GrantId,
    pub(crate) instance: u64,
    pub(crate) killed_at: Timestamp,
}

/// How long a process that runs may take from an answer to its successor being durable.
const SAVES_WITHIN: Duration = Duration::from_secs(3);

/// Judges a run that has ended at `now`.
pub(crate) fn judge(facts: &Facts, scale: Scale, now: Timestamp) -> Verdict {
    let mut verdict = Verdict::default();
    let mut by_token: BTreeMap<Fingerprint, Vec<&Presentation>> = BTreeMap::new();
    for it in &facts.presentations {
        by_token.entry(it.token).or_default().push(it);
    }
    for presentations in by_token.values() {
        judge_token(facts, scale, presentations, &mut verdict);
    }
    for it in &facts.presentations {
        judge_answer(facts, it, now, &mut verdict);
    }
    judge_ends(facts, &mut verdict);
    verdict
}

/// Judges when one token was presented.
fn judge_token(
    facts: &Facts,
    scale: Scale,
    presentations: &[&Presentation],
    verdict: &mut Verdict,
) {
    verdict.second_presentations += presentations.len().saturating_sub(1);
    let moment = scale.margins().fence() + scale.margins().network();
    for pair in presentations.windows(2) {
        let [first, second] = pair else { continue };
        let gap = second.at.since(first.at);
        if gap < scale.least_gap() {
            breach(facts, second, verdict, || {
                format!("{} was presented twice within {} ms", second.token, gap.as_millis())
            });
        }
    }
    let answered = presentations.iter().find_map(|it| it.issued.map(|(_, next)| (it.at, next)));
    let Some((answered_at, next)) = answered else { return };
    let durable_at = facts.durable.get(&next).copied();
    let later = presentations.iter().filter(|it| it.at > answered_at);
    let mut refused_before = false;
    for it in later {
        match durable_at {
            Some(durable_at) if durable_at.after(moment) < it.at => {
                breach(facts, it, verdict, || {
                    let late = it.at.since(durable_at).as_millis();
                    format!("{} was presented {late} ms after its successor was durable", it.token)
                });
            }
            Some(durable_at) if durable_at > it.at => {
                refused_before |= it.at.since(answered_at) >= scale.least_gap();
            }
            Some(_) | None => {}
        }
    }
    verdict.late_commits += usize::from(refused_before);
}

/// Notes a presentation against the rules, or the residue of one that was held up by a stop.
fn breach(facts: &Facts, by: &Presentation, verdict: &mut Verdict, what: impl FnOnce() -> String) {
    let held_up = facts
        .instances
        .get(&by.instance)
        .is_some_and(|it| it.stood_still(by.at.before(Duration::from_secs(2)), by.at));
    if held_up {
        verdict.residues += 1;
    } else {
        verdict.violations.push(format!("process {}: {}", by.instance, what()));
    }
}

/// Judges what became of the successor in an answer.
fn judge_answer(facts: &Facts, it: &Presentation, now: Timestamp, verdict: &mut Verdict) {
    let Some((grant, next)) = it.issued else { return };
    if facts.durable.contains_key(&next) {
        return;
    }
    let Some(instance) = facts.instances.get(&it.instance) else {
        verdict.violations.push(format!("nobody knows process {}", it.instance));
        return;
    };
    let closed: &[_] = if facts.keeps_spools { &[] } else { &facts.closed };
    let ran = instance.ran(it.at, now, closed);
    match instance.killed_at {
        Some(killed_at) if killed_at >= it.at && ran <= SAVES_WITHIN => verdict.losses.push(Loss {
            answered_at: it.at,
            grant,
            instance: it.instance,
            killed_at,
        }),
        _ => verdict.violations.push(format!(
            "process {} ran for {} ms with the successor of {} and did not save it, though it could",
            it.instance,
            ran.as_millis(),
            it.token
        )),
    }
}

/// Judges whether exactly the losses are lost.
fn judge_ends(facts: &Facts, verdict: &mut Verdict) {
    for consent in &facts.consents {
        let is_excused = verdict.losses.iter().any(|it| it.grant == consent.grant);
        let grant = consent.grant;
        match consent.end {
            Fate::Lives if is_excused => {
                verdict.violations.push(format!("grant {grant} lives without its last token"));
            }
            Fate::Dead | Fate::Useless if !is_excused => verdict.violations.push(format!(
                "grant {grant} of key {} is {:?}, and no kill excuses it",
                consent.key, consent.end
            )),
            Fate::Dead | Fate::Lives | Fate::Useless => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use sr_auth_core::Secret;

    use super::*;
    use crate::facts::{Consent, Instance};

    const SCALE: Scale = Scale(100);

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_unix_millis(1_000_000 + millis)
    }

    fn token(name: &str) -> Fingerprint {
        Fingerprint::of(&Secret::new(name.to_owned()))
    }

    /// A grant that exists, since nothing else makes its name.
    fn grant() -> GrantId {
        let (world, credentials) = sr_testkit::World::demo(7);
        let mut simulator = sr_testkit::Simulator::new(world, 7);
        let client = credentials.application().id().to_string();
        let user = sr_testkit::DemoCredentials::ADMINISTRATOR;
        simulator.consent(at(0), &client, user).and_then(|it| it.grant).expect("a grant")
    }

    /// A run: who presented what when and what it brought, what became durable when, who was killed
    /// when, and what became of the grant.
    struct Case {
        name: &'static str,
        presented: &'static [(u64, u64, &'static str, Option<&'static str>)],
        durable: &'static [(&'static str, u64)],
        killed: &'static [(u64, u64)],
        stopped: &'static [(u64, u64, u64)],
        closed: &'static [(u64, u64)],
        keeps_spools: bool,
        fate: Fate,
        /// Losses, violations, residues, late commits.
        expected: (usize, usize, usize, usize),
    }

    const FINE: Case = Case {
        name: "a rotation",
        presented: &[(100, 1, "a", Some("b"))],
        durable: &[("b", 110)],
        killed: &[],
        stopped: &[],
        closed: &[],
        keeps_spools: false,
        fate: Fate::Lives,
        expected: (0, 0, 0, 0),
    };

    #[test]
    fn what_is_against_the_rules_is_found_and_what_is_not_is_not() {
        let cases = [
            FINE,
            Case {
                name: "killed before the successor was durable",
                durable: &[],
                killed: &[(1, 150)],
                fate: Fate::Dead,
                expected: (1, 0, 0, 0),
                ..FINE
            },
            Case {
                name: "killed after it was durable, and lost all the same",
                killed: &[(1, 150)],
                fate: Fate::Dead,
                expected: (0, 1, 0, 0),
                ..FINE
            },
            Case {
                name: "never saved by a process that ran on",
                durable: &[],
                fate: Fate::Dead,
                expected: (0, 2, 0, 0),
                ..FINE
            },
            Case {
                name: "killed long after it should have saved it",
                durable: &[],
                killed: &[(1, 9_000)],
                fate: Fate::Dead,
                expected: (0, 2, 0, 0),
                ..FINE
            },
            Case {
                name: "killed while it stood still",
                durable: &[],
                killed: &[(1, 9_000)],
                stopped: &[(1, 120, 9_000)],
                fate: Fate::Dead,
                expected: (1, 0, 0, 0),
                ..FINE
            },
            Case {
                name: "killed while the store took nothing",
                durable: &[],
                killed: &[(1, 9_000)],
                closed: &[(110, 8_900)],
                fate: Fate::Dead,
                expected: (1, 0, 0, 0),
                ..FINE
            },
            Case {
                name: "the same with a spool, which would have kept it",
                durable: &[],
                killed: &[(1, 9_000)],
                closed: &[(110, 8_900)],
                keeps_spools: true,
                fate: Fate::Dead,
                expected: (0, 2, 0, 0),
                ..FINE
            },
            Case {
                name: "presented twice at once",
                presented: &[(100, 1, "a", Some("b")), (105, 2, "a", None)],
                expected: (0, 1, 0, 0),
                ..FINE
            },
            Case {
                name: "presented again after its successor was durable",
                presented: &[(100, 1, "a", Some("b")), (3_000, 2, "a", None)],
                expected: (0, 1, 0, 0),
                ..FINE
            },
            Case {
                name: "the same by a process that had stood still just before",
                presented: &[(100, 1, "a", Some("b")), (3_000, 2, "a", None)],
                stopped: &[(2, 1_000, 2_990)],
                expected: (0, 0, 1, 0),
                ..FINE
            },
            Case {
                name: "a late commit",
                presented: &[(100, 1, "a", Some("b")), (3_000, 2, "a", None)],
                durable: &[("b", 4_000)],
                stopped: &[(1, 110, 3_900)],
                expected: (0, 0, 0, 1),
                ..FINE
            },
            Case {
                name: "killed, and its successor was seen only when it was presented",
                presented: &[(100, 1, "a", Some("b")), (5_000, 2, "b", Some("c"))],
                durable: &[("c", 5_010)],
                killed: &[(1, 150)],
                ..FINE
            },
            Case {
                name: "useless, though saved",
                fate: Fate::Useless,
                expected: (0, 1, 0, 0),
                ..FINE
            },
        ];
        for case in cases {
            let grant = grant();
            let mut facts = Facts::default();
            for (at_ms, instance, spent, next) in case.presented {
                facts.instances.entry(*instance).or_default();
                facts.presentations.push(Presentation {
                    at: at(*at_ms),
                    instance: *instance,
                    issued: next.map(|next| (grant, token(next))),
                    token: token(spent),
                });
            }
            facts.durable = case.durable.iter().map(|(name, ms)| (token(name), at(*ms))).collect();
            for (instance, ms) in case.killed {
                facts.instances.entry(*instance).or_insert_with(Instance::default).killed_at =
                    Some(at(*ms));
            }
            for (instance, from, until) in case.stopped {
                let stop = (at(*from), Some(at(*until)));
                facts.instances.entry(*instance).or_default().stops.push(stop);
            }
            facts.closed =
                case.closed.iter().map(|(from, until)| (at(*from), at(*until))).collect();
            facts.keeps_spools = case.keeps_spools;
            facts.consents.push(Consent { end: case.fate, grant, key: 0 });
            facts.conclude();
            let verdict = judge(&facts, SCALE, at(20_000));
            let counts = (
                verdict.losses.len(),
                verdict.violations.len(),
                verdict.residues,
                verdict.late_commits,
            );
            assert_eq!(counts, case.expected, "{}: {:?}", case.name, verdict.violations);
        }
    }
}
