//! The command line.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) all: bool,
    pub(crate) coverage: bool,
    /// The way in which the store is broken, for a hunt.
    pub(crate) defect: Option<String>,
    pub(crate) months: bool,
    pub(crate) partner: bool,
    pub(crate) scenarios: Option<u64>,
    pub(crate) seed: u64,
    pub(crate) task: Task,
    pub(crate) threads: usize,
    pub(crate) time: Duration,
}

/// What is done.
#[derive(Debug)]
pub(crate) enum Task {
    /// Names the ways to break the store.
    Defects,
    /// Looks for a short run that meets this, and keeps it.
    Find(String),
    Help,
    /// Looks for a run that breaks one of these promises.
    Hunt(Vec<String>),
    /// Repeats the run of a file, and tells its story.
    Replay(PathBuf),
    /// Runs one seed after the other.
    Run,
    /// Tells the story of a seed.
    Story,
}

impl Options {
    pub(crate) const HELP: &str = "\
Runs fleets of the real machines in simulated worlds, and judges every step.

  --seconds N       how long, 60 unless --scenarios is given
  --scenarios N     how many
  --seed N          the first seed, 0
  --threads N       1
  --all             go on after a failure, and count each kind
  --partner         worlds of partners: exchanges, tokens for SmartRecruiters, notifications
  --months          worlds of months instead of days, also of --replay and --story
  --coverage        tell what the runs have met; a long run has to meet all that is declared
  --defects         name the ways to break the store
  --find STORY      go on until a run meets what the coverage has under this name, and keep it, short
  --hunt NAME,...   go on until one of these promises breaks, and tell it in one line
  --defect NAME     break the store in this way, for --hunt
  --replay FILE     repeat the run of a file
  --story           tell what happens in the run of --seed";

    pub(crate) fn read() -> Result<Self, String> {
        #[expect(clippy::disallowed_methods, reason = "a program reads its own arguments")]
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        Self::parse(&arguments)
    }

    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self {
            all: false,
            coverage: false,
            defect: None,
            months: false,
            partner: false,
            scenarios: None,
            seed: 0,
            task: Task::Run,
            threads: 1,
            time: Duration::from_secs(60),
        };
        let mut has_time = false;
        let mut rest = arguments.iter().map(String::as_str);
        while let Some(name) = rest.next() {
            match name {
                "--all" => options.all = true,
                "--partner" => options.partner = true,
                "--coverage" => options.coverage = true,
                "--defect" => {
                    options.defect = Some(rest.next().ok_or("--defect NAME")?.to_owned());
                }
                "--defects" => options.task = Task::Defects,
                "--find" => {
                    options.task = Task::Find(rest.next().ok_or("--find STORY")?.to_owned());
                }
                "--hunt" => {
                    let names = rest.next().ok_or("--hunt NAME,...")?;
                    options.task = Task::Hunt(names.split(',').map(str::to_owned).collect());
                }
                "--help" | "-h" => options.task = Task::Help,
                "--months" => options.months = true,
                "--replay" => {
                    options.task = Task::Replay(rest.next().ok_or("--replay FILE")?.into());
                }
                "--scenarios" => options.scenarios = Some(number(name, rest.next())?),
                "--seconds" => {
                    options.time = Duration::from_secs(number(name, rest.next())?);
                    has_time = true;
                }
                "--seed" => options.seed = number(name, rest.next())?,
                "--story" => options.task = Task::Story,
                "--threads" => options.threads = number::<usize>(name, rest.next())?.max(1),
                other => return Err(format!("there is no option {other}")),
            }
        }
        if options.scenarios.is_some() && !has_time {
            options.time = Duration::MAX;
        }
        Ok(options)
    }
}

fn number<T: FromStr>(name: &str, text: Option<&str>) -> Result<T, String> {
    text.and_then(|it| it.parse().ok()).ok_or_else(|| format!("{name} takes a number"))
}
