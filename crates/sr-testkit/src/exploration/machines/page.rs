//! The page of the machines: a diagram and tables for each region, written from what was met.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug, Display};

use super::{Cells, Course, Machines};
use crate::exploration::occurrence::{Occurrence, PRESENTS};

/// What stands before the regions.
const HEAD: &str = "\
# The machines

Written by `cargo xtask explore` from what its explorations met: every state of each region with every input, and what came
of it. `cargo xtask explore --check` fails when it is out of date. What the regions are for, and why they do what they do, is
in [the life of a grant](lifecycle.md).

How to read it: a row holds the inputs that lead to the same. *stays* means that nothing changes and nothing is asked for; a
row with several lines depends on what is held, on the time, or on whether the answer is one that is waited for. A store
operation and its outcome are written `Arm`: Armed. A `TokenLifecycle` admits itself, so that what a caller wants may begin in
the same step.
";

/// One part of the page: some states, and what stands above them.
struct Part<'a> {
    intro: &'a str,
    states: &'a [&'a str],
    title: &'a str,
}

const ROTATION: [Part<'static>; 3] = [
    Part {
        intro: "Where a renewal stands. `Attempt` and `Doubt` are regions of their own.",
        states: &["Idle", "BackingOff"],
        title: "Rotation",
    },
    Part {
        intro: "The presentation that this process owns, from its intent to its successor.",
        states: &["Arming", "InFlight", "Committing", "Adopting", "Escrowing", "Disarming"],
        title: "Attempt",
    },
    Part {
        intro: "What to do when a presentation, ours or somebody else's, may have happened. A `Quiet` whose \
                time is over is `Ripe` until\na fleet admits it; here that is one step.",
        states: &["Quiet", "Reading", "Verifying", "Burying"],
        title: "Doubt",
    },
];
const ACCESS: Part<'static> = Part {
    intro: "What the access token is good for. It is computed from what is held and the time.",
    states: &["Absent", "Fresh", "Due", "Expired", "Rejected"],
    title: "Access",
};
const HEALTH: Part<'static> = Part {
    intro: "Whether the grant can bring tokens.",
    states: &["Live", "LastLeg", "Suspect", "Dead", "Revoked", "Disabled"],
    title: "Health",
};

impl Machines {
    /// Writes the page, in Markdown.
    #[must_use]
    pub fn page(&self) -> String {
        let rotation = named(&self.rotation);
        let parts = ROTATION.iter().map(|part| section(part, &rotation));
        let data = [(&ACCESS, named(&self.access)), (&HEALTH, named(&self.health))];
        let data = data.iter().map(|(part, cells)| section(part, cells));
        let sections: Vec<_> = parts.chain(data).collect();
        format!("{HEAD}\n{}", sections.join("\n"))
    }

    /// Returns the states that no exploration has met.
    #[must_use]
    pub fn unmet(&self) -> Vec<&'static str> {
        let met: BTreeSet<_> = [named(&self.rotation), named(&self.access), named(&self.health)]
            .iter()
            .flat_map(BTreeMap::keys)
            .map(|(state, _)| state.clone())
            .collect();
        let all = ROTATION.iter().chain([&ACCESS, &HEALTH]).flat_map(|part| part.states);
        all.filter(|it| !met.contains(**it)).copied().collect()
    }
}

fn named<S: Copy + Debug>(cells: &Cells<S>) -> Cells<String> {
    let name = |state: S| format!("{state:?}").trim_matches('"').to_owned();
    let course = |it: &Course<S>| Course { next: name(it.next), outputs: it.outputs.clone() };
    let cells = cells.iter().map(|((state, what), courses)| {
        ((name(*state), *what), courses.iter().map(course).collect())
    });
    cells.collect()
}

fn section(part: &Part<'_>, cells: &Cells<String>) -> String {
    let mut text = format!("## {}\n\n{}\n\n{}", part.title, part.intro, diagram(part, cells));
    for state in part.states {
        let table = table(state, cells);
        if !table.is_empty() {
            text.push_str(&format!("\n### {state}\n\n{table}"));
        }
    }
    text
}

/// Returns the region that a state belongs to, as far as a diagram of another one shows.
fn region(state: &str) -> &str {
    ROTATION.iter().skip(1).find(|part| part.states.contains(&state)).map_or(state, |it| it.title)
}

fn diagram(part: &Part<'_>, cells: &Cells<String>) -> String {
    let mut edges = BTreeMap::<(usize, &str), BTreeSet<String>>::new();
    for ((state, what), courses) in cells {
        let Some(place) = part.states.iter().position(|it| it == state) else { continue };
        for course in courses.iter().filter(|it| it.next != *state) {
            let is_inside = part.states.contains(&course.next.as_str());
            let next = if is_inside { course.next.as_str() } else { region(&course.next) };
            edges.entry((place, next)).or_default().insert(label(*what));
        }
    }
    let mut text = "```mermaid\nstateDiagram-v2\n".to_owned();
    for ((place, next), labels) in &edges {
        let state = part.states.get(*place).copied().unwrap_or_default();
        let labels: Vec<_> = labels.iter().map(String::as_str).collect();
        text.push_str(&format!("    {state} --> {next} : {}\n", labels.join("<br/>")));
    }
    text.push_str("```\n");
    text
}

/// What a diagram says of an input: marks of code mean nothing there.
fn label(what: Occurrence) -> String {
    let Occurrence { how, what } = what;
    match (what, how) {
        ("the server", how) => how.replace('`', ""),
        (what, "") => what.replace('`', ""),
        (what, how) => format!("{what} {how}"),
    }
}

fn table(state: &str, cells: &Cells<String>) -> String {
    let mut rows = Vec::<(Vec<Occurrence>, &BTreeSet<Course<String>>)>::new();
    for ((_, what), courses) in cells.iter().filter(|((from, _), _)| from == state) {
        match rows.iter_mut().find(|(_, known)| *known == courses) {
            Some((inputs, _)) => inputs.push(*what),
            None => rows.push((vec![*what], courses)),
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    // What changes nothing comes last.
    let stays = |courses: &BTreeSet<Course<String>>| {
        courses.iter().all(|it| it.next == state && it.outputs.is_empty())
    };
    rows.sort_by_key(|(inputs, courses)| (stays(courses), inputs.clone()));
    let mut text = "| input | what comes of it |\n|---|---|\n".to_owned();
    for (inputs, courses) in rows {
        let separator = if stays(courses) { ", " } else { "<br>" };
        let inputs = joined(inputs.iter(), separator);
        let courses: Vec<_> = courses.iter().map(|course| told(state, course)).collect();
        text.push_str(&format!("| {inputs} | {} |\n", courses.join("<br>")));
    }
    text
}

fn told(state: &str, course: &Course<String>) -> String {
    if course.next == state && course.outputs.is_empty() {
        return "stays".to_owned();
    }
    let mut words = match course.next == state {
        true => Vec::new(),
        false => vec![format!("→ **{}**", course.next)],
    };
    words.extend(course.outputs.iter().map(|output| match *output {
        PRESENTS => PRESENTS.to_owned(),
        event if event.starts_with('`') => format!("tells {event}"),
        op => format!("asks to `{op}`"),
    }));
    words.join(", ")
}

fn joined(items: impl Iterator<Item = impl Display>, separator: &str) -> String {
    let items: Vec<_> = items.map(|it| it.to_string()).collect();
    items.join(separator)
}

impl Display for Occurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.what, self.how) {
            (what, "") => f.write_str(what),
            ("the server", how) => write!(f, "the server: {how}"),
            (what, how) => write!(f, "`{what}`: {how}"),
        }
    }
}
