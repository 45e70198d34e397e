//! What a person reads at the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sr_auth_core::Timestamp;

use crate::Failure;
use crate::facts::Facts;
use crate::judge::Verdict;
use crate::options::Options;
use crate::worker::{REFUSED, REPLAYED, SERVED, UNAVAILABLE};

/// From so many kills on, a late commit that saves its grant must have been seen.
const KILLS_WITH_A_LATE_COMMIT: u32 = 200;

/// Tells whether so many were killed, and so many tokens rotated, that the run can show something:
/// where nothing rotates, nothing is shown.
pub(crate) fn is_enough(options: &Options, facts: &Facts, kills: u32) -> bool {
    kills >= options.kills && rotations(facts) * 2 >= options.kills as usize
}

/// Tells whether the run shows what it must.
pub(crate) fn is_good(options: &Options, facts: &Facts, verdict: &Verdict, kills: u32) -> bool {
    let is_long = options.kills >= KILLS_WITH_A_LATE_COMMIT;
    verdict.violations.is_empty()
        && is_enough(options, facts, kills)
        && !(is_long && verdict.late_commits == 0)
}

/// Prints what was done and what was found.
pub(crate) fn print(
    options: &Options,
    facts: &Facts,
    verdict: &Verdict,
    tally: &BTreeMap<String, u64>,
    (kills, stops, crashes): (u32, u32, u32),
) {
    let counted = |name: &str| tally.get(name).copied().unwrap_or_default();
    let rotations = rotations(facts);
    let margins = options.scale.margins();
    println!(
        "{}: {} processes, {} grants, all spans a {}th of production's: tokens live {} s, quiet period \
         {} ms, seed {}",
        options.store.name(),
        options.processes,
        options.grants,
        options.scale.0,
        options.token_life,
        margins.quiet().as_millis(),
        options.seed,
    );
    let replayed = usize::try_from(counted(REPLAYED)).unwrap_or(usize::MAX);
    let rows = [
        ("processes killed", kills as usize),
        ("processes stopped past the quiet period, and continued", stops as usize),
        ("times the server of the store was killed, and started again", crashes as usize),
        ("presentations that reached the server", facts.presentations.len()),
        ("of these successful", rotations),
        ("of a token that had been presented before", verdict.second_presentations),
        ("late commits that saved their grant", verdict.late_commits),
        ("successors saved by the spool of a process that was killed", replayed),
        ("presentations held up by a stop after the last look at the clock", verdict.residues),
        ("grants lost between answer and durable successor, by a kill", verdict.losses.len()),
        ("presentations or losses against the rules", verdict.violations.len()),
    ];
    for (what, count) in rows {
        println!("{count:>7}  {what}");
    }
    println!(
        "{:>7}  calls of the API served, {} refused, {} callers without a token in time",
        counted(SERVED),
        counted(REFUSED),
        counted(UNAVAILABLE),
    );
    let events = tally.iter().map(|(name, count)| format!("{name} {count}"));
    println!("told by the workers: {}", events.collect::<Vec<_>>().join(", "));
    print_findings(verdict);
    if !is_enough(options, facts, kills) {
        let (least_kills, least) = (options.kills, options.kills.div_ceil(2));
        println!(
            "{kills} kills and {rotations} rotations in the time given, of {least_kills} and {least}"
        );
    }
}

fn print_findings(verdict: &Verdict) {
    for loss in &verdict.losses {
        println!(
            "lost: grant {} in process {}, killed {} ms after the server had answered",
            loss.grant,
            loss.instance,
            loss.killed_at.since(loss.answered_at).as_millis(),
        );
    }
    verdict.violations.iter().for_each(|it| println!("against the rules: {it}"));
}

fn rotations(facts: &Facts) -> usize {
    facts.presentations.iter().filter(|it| it.issued.is_some()).count()
}

/// Keeps what happened to every grant, in order, for whoever asks why.
pub(crate) fn keep(
    options: &Options,
    facts: &Facts,
    said: &[(Timestamp, u64, String)],
) -> Result<(), Failure> {
    let mut story: Vec<(Timestamp, String)> = Vec::new();
    for it in &facts.presentations {
        let outcome = match it.issued {
            Some((grant, next)) => format!("grant {grant} goes on with {next}"),
            None => "refused".to_owned(),
        };
        story.push((
            it.at,
            format!("server: process {} presents {}: {outcome}", it.instance, it.token),
        ));
    }
    story.extend(facts.durable.iter().map(|(name, at)| (*at, format!("store: {name} is durable"))));
    for (begun, ended) in &facts.closed {
        story.push((
            *begun,
            format!("store: takes nothing for {} ms", ended.since(*begun).as_millis()),
        ));
    }
    for (number, it) in &facts.instances {
        story.extend(it.killed_at.map(|at| (at, format!("killed: process {number}"))));
        for (begun, ended) in &it.stops {
            story.push((*begun, format!("stopped: process {number}")));
            story.extend(ended.map(|at| (at, format!("continued: process {number}"))));
        }
    }
    story.extend(said.iter().map(|(at, number, line)| (*at, format!("process {number}: {line}"))));
    story.sort();
    let mut text = String::new();
    for (at, line) in story {
        writeln!(text, "{} {line}", at.as_unix_millis())?;
    }
    let folder = std::path::Path::new("target/torture");
    std::fs::create_dir_all(folder)?;
    let file = folder.join(format!("{}-{}.log", options.store.name(), options.seed));
    std::fs::write(&file, text)?;
    println!("what happened when: {}", file.display());
    Ok(())
}
