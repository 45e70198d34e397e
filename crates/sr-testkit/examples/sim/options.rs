//! The command line.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) all: bool,
    pub(crate) coverage: bool,
    pub(crate) scenarios: Option<u64>,
    pub(crate) seed: u64,
    pub(crate) task: Task,
    pub(crate) threads: usize,
    pub(crate) time: Duration,
}

/// What is done.
#[derive(Debug)]
pub(crate) enum Task {
    Help,
    /// Looks for each planted fault, or for one.
    Planted(Option<String>),
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
  --coverage        tell what the runs have met; a long run has to meet all that is declared
  --planted [NAME]  break the store in each known way, or in one, and see whether it is found
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
            scenarios: None,
            seed: 0,
            task: Task::Run,
            threads: 1,
            time: Duration::from_secs(60),
        };
        let mut has_time = false;
        let mut rest = arguments.iter().map(String::as_str).peekable();
        while let Some(name) = rest.next() {
            match name {
                "--all" => options.all = true,
                "--coverage" => options.coverage = true,
                "--help" | "-h" => options.task = Task::Help,
                "--planted" => {
                    let fault = rest.next_if(|it| !it.starts_with("--"));
                    options.task = Task::Planted(fault.map(str::to_owned));
                }
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
