//! Instructions of an operation, counted by callgrind: the difference of two runs leaves out what
//! begins and ends.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::program::output;
use crate::report::say;

/// How long one run below callgrind may take.
const COUNTED_WITHIN: Duration = Duration::from_secs(300);

/// Something that the bench does so many times.
#[derive(Clone, Copy, Debug)]
struct Work {
    bound: Bound,
    name: &'static str,
    operations: [u64; 2],
}

/// What an operation may take. Bounds leave a little room for another compiler, and those of requests
/// for another layout of the heap, which moves either side by up to 1.5 %; where a bound is not what
/// is wanted, the figure that is stands beside it.
#[derive(Clone, Copy, Debug)]
enum Bound {
    /// So many instructions more than `less` takes.
    AtMost { instructions: u64, less: &'static str, wanted: u64 },
    /// So many times what another work takes.
    Beside { other: &'static str, times: f64, wanted: f64 },
    /// At least so many times what another work takes: one of ours, and this is a peer's.
    Beyond { other: &'static str, times: f64 },
    /// Counted for others.
    None,
}

const FEW: [u64; 2] = [300, 1_300];
const FEW_HEADERS: [u64; 2] = [2_000, 12_000];
const MANY: [u64; 2] = [100_000, 300_000];

/// The works, each after those that it is compared with.
const WORKS: [Work; 16] = [
    work("nothing", MANY, Bound::None),
    work("wheel", MANY, Bound::AtMost { instructions: 150, less: "nothing", wanted: 150 }),
    work("b-tree", MANY, Bound::None),
    work("delay-queue", MANY, Bound::None),
    work("header-limit", MANY, Bound::None),
    work("header", MANY, beside("header-limit", 1.1, 1.1)),
    work("header-awaited", MANY, beside("header-limit", 1.22, 1.1)),
    work("fetch-reqwest", FEW, Bound::None),
    work("fetch", FEW, beside("fetch-reqwest", 1.06, 1.03)),
    work("sign-hyper-constant", FEW, Bound::None),
    work("sign-tower", FEW, beside("sign-hyper-constant", 1.035, 1.01)),
    work("sign-reqwest-constant", FEW, Bound::None),
    work("sign-reqwest-layer", FEW, beside("sign-reqwest-constant", 1.025, 1.02)),
    work("sign-reqwest-chain", FEW, Bound::None),
    work("sign-reqwest", FEW, beside("sign-reqwest-constant", 1.075, 1.02)),
    work("sign-reqwest", FEW, beside("sign-reqwest-chain", 1.055, 1.02)),
];

/// What peers take from their cache to the header.
const PEERS: [Work; 4] = [
    work("header-aws-smithy", FEW_HEADERS, BEYOND),
    work("header-azure-identity", FEW_HEADERS, BEYOND),
    work("header-tame-oauth", FEW_HEADERS, BEYOND),
    work("header-yup-oauth2", FEW_HEADERS, BEYOND),
];

/// What is wanted of all of them.
const BEYOND: Bound = Bound::Beyond { other: "header", times: 15.0 };

/// What the store's own work is on a server, beside the same statement by hand.
const WORKS_ON_SERVERS: [Work; 4] = [
    work("postgres-load-by-hand", FEW, Bound::None),
    work("postgres-load", FEW, beside("postgres-load-by-hand", 2.65, 2.65)),
    work("redis-load-by-hand", FEW, Bound::None),
    work("redis-load", FEW, beside("redis-load-by-hand", 1.95, 1.95)),
];

const fn work(name: &'static str, operations: [u64; 2], bound: Bound) -> Work {
    Work { bound, name, operations }
}

const fn beside(other: &'static str, times: f64, wanted: f64) -> Bound {
    Bound::Beside { other, times, wanted }
}

/// What counts the works of a program.
pub(super) struct Counter<'a> {
    /// What the program is told beside its arguments.
    pub(super) environment: &'a [(String, String)],
    pub(super) folder: &'a Path,
    pub(super) program: &'a Path,
}

impl Counter<'_> {
    /// Counts the instructions of each work, those of the peers if they were built, and judges those
    /// that are ours.
    ///
    /// # Errors
    ///
    /// Fails when a work is beyond its bound, after all were counted.
    pub(super) fn count(&self, peers: bool) -> anyhow::Result<()> {
        self.count_each(WORKS.iter().chain(PEERS.iter().filter(|_| peers)))
    }

    /// The same of what asks servers.
    ///
    /// # Errors
    ///
    /// As [`count`](Self::count).
    pub(super) fn count_on_servers(&self) -> anyhow::Result<()> {
        self.count_each(WORKS_ON_SERVERS.iter())
    }

    fn count_each<'w>(&self, works: impl Iterator<Item = &'w Work>) -> anyhow::Result<()> {
        say("instructions for each operation, counted by callgrind");
        let mut counts = BTreeMap::new();
        let mut beyond = Vec::new();
        for work in works {
            let each = self.of_work(*work)?;
            counts.insert(work.name, each);
            let (said, kept) = judge(work.bound, each, &counts);
            say(format_args!("{:<24} {each:>8}{said}", work.name));
            beyond.extend((!kept).then_some(work.name));
        }
        ensure!(beyond.is_empty(), "not the instructions that are allowed: {}", beyond.join(", "));
        Ok(())
    }

    fn of_work(&self, work: Work) -> anyhow::Result<u64> {
        let name = work.name;
        let [few, many] = work.operations.map(|operations| {
            let mut command = Command::new("valgrind");
            command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--log-fd=1"]);
            command.arg(self.program).args(["work", name, &operations.to_string()]);
            command.envs(self.environment.iter().cloned());
            let said = output("valgrind", command, COUNTED_WITHIN, self.folder)?;
            collected(&said).with_context(|| format!("callgrind said nothing of {name}"))
        });
        let [first, last] = work.operations;
        Ok(many?.saturating_sub(few?) / (last - first))
    }
}

/// Says how a count stands to its bound, and whether it is kept.
fn judge(bound: Bound, each: u64, counts: &BTreeMap<&str, u64>) -> (String, bool) {
    let of = |name| counts.get(name).copied().unwrap_or_default();
    match bound {
        Bound::AtMost { instructions, less, wanted } => {
            let own = each.saturating_sub(of(less));
            let rest = if own > wanted { format!(", wanted {wanted}") } else { String::new() };
            let said = format!(", of its own {own}, at most {instructions}{rest}");
            (said, own <= instructions)
        }
        Bound::Beside { other, times, wanted } => {
            let ratio = each as f64 / of(other) as f64;
            let rest = if ratio > wanted { format!(", wanted {wanted}") } else { String::new() };
            (format!(", {ratio:.3} of {other}, at most {times}{rest}"), ratio <= times)
        }
        Bound::Beyond { other, times } => {
            let ratio = each as f64 / of(other) as f64;
            (format!(", {ratio:.1} times {other}, at least {times}"), ratio >= times)
        }
        Bound::None => (String::new(), true),
    }
}

/// Finds the total in what callgrind says.
fn collected(said: &[String]) -> Option<u64> {
    let total = said.iter().find_map(|line| line.split_once("Collected : "))?.1;
    total.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_found_in_what_callgrind_says() {
        let said = ["==7== Events    : Ir", "==7== Collected : 25014203", "==7=="];
        assert_eq!(collected(&said.map(str::to_owned)), Some(25_014_203));
        assert_eq!(collected(&["==7== nothing".to_owned()]), None);
    }

    #[test]
    fn a_count_is_judged_by_its_bound_and_says_what_is_wanted() {
        let counts = BTreeMap::from([("nothing", 50), ("bare", 1_000)]);
        let at_most = Bound::AtMost { instructions: 150, less: "nothing", wanted: 120 };
        let beyond = Bound::Beyond { other: "bare", times: 15.0 };
        let cases = [
            (at_most, 170, ", of its own 120, at most 150", true),
            (at_most, 200, ", of its own 150, at most 150, wanted 120", true),
            (at_most, 201, ", of its own 151, at most 150, wanted 120", false),
            (beside("bare", 1.03, 1.01), 1_010, ", 1.010 of bare, at most 1.03", true),
            (beside("bare", 1.03, 1.01), 1_030, ", 1.030 of bare, at most 1.03, wanted 1.01", true),
            (
                beside("bare", 1.03, 1.01),
                1_031,
                ", 1.031 of bare, at most 1.03, wanted 1.01",
                false,
            ),
            (beside("absent", 1.03, 1.01), 1, ", inf of absent, at most 1.03, wanted 1.01", false),
            (beyond, 15_000, ", 15.0 times bare, at least 15", true),
            (beyond, 14_900, ", 14.9 times bare, at least 15", false),
            (Bound::None, 7, "", true),
        ];
        for (bound, each, said, kept) in cases {
            assert_eq!(judge(bound, each, &counts), (said.to_owned(), kept), "{bound:?} {each}");
        }
    }

    #[test]
    fn what_a_work_is_compared_with_is_counted_before() {
        let works: Vec<_> = WORKS.iter().chain(&PEERS).chain(&WORKS_ON_SERVERS).collect();
        for (place, work) in works.iter().enumerate() {
            let other = match work.bound {
                Bound::None => continue,
                Bound::AtMost { less, .. } => less,
                Bound::Beside { other, .. } | Bound::Beyond { other, .. } => other,
            };
            assert!(works[..place].iter().any(|it| it.name == other), "{}", work.name);
        }
    }
}
