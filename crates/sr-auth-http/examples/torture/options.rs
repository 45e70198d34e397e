//! The command line.

use std::str::FromStr;
use std::time::Duration;

use crate::place::Kind;
use crate::scale::Scale;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Options {
    /// The run ends here even if fewer processes were killed.
    pub(crate) at_most: Duration,
    pub(crate) grants: u32,
    pub(crate) kills: u32,
    pub(crate) processes: u32,
    pub(crate) scale: Scale,
    pub(crate) seed: u64,
    pub(crate) store: Kind,
    pub(crate) task: Task,
    /// The life of an access token, in seconds.
    pub(crate) token_life: u32,
}

/// What this process is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    Help,
    /// The supervisor.
    Run,
    /// A worker; the rest of what it needs comes through its standard input.
    Work,
}

impl Options {
    pub(crate) const HELP: &str = "\
Kills processes that share grants, and judges what became of each grant.

  --store NAME      where the grants rest: sqlite, postgres or redis; a server is killed, too
  --kills N         at least how many processes are killed, 500; until half as many tokens rotated
  --processes N     how many there are at a time, 4
  --grants N        how many authorization-code grants they share, 8
  --scale N         how much faster than in production all spans are: 100, and 25 for a server
  --token-life N    how long access tokens live, in seconds: by the scale, and 15 for a server
  --seed N          decides who is killed when; what that hits is up to the machine
  --minutes N       the run ends then at the latest, 15";

    pub(crate) fn read() -> Result<Self, String> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        Self::parse(&arguments)
    }

    fn parse(arguments: &[String]) -> Result<Self, String> {
        let (mut scale, mut token_life) = (None, None);
        let mut options = Self {
            at_most: Duration::from_secs(15 * 60),
            grants: 8,
            kills: 500,
            processes: 4,
            scale: Scale(100),
            seed: 1,
            store: Kind::Sqlite,
            task: Task::Run,
            token_life: 0,
        };
        let mut rest = arguments.iter().map(String::as_str);
        while let Some(name) = rest.next() {
            match name {
                "--grants" => options.grants = number(name, rest.next(), 1, 1_000)?,
                "--help" | "-h" => options.task = Task::Help,
                "--kills" => options.kills = number(name, rest.next(), 0, 1_000_000)?,
                "--minutes" => {
                    let minutes: u64 = number(name, rest.next(), 1, 1_440)?;
                    options.at_most = Duration::from_secs(minutes * 60);
                }
                "--processes" => options.processes = number(name, rest.next(), 1, 64)?,
                "--scale" => scale = Some(number(name, rest.next(), 1, 200)?),
                "--seed" => options.seed = number(name, rest.next(), 0, u64::MAX)?,
                "--store" => {
                    let kind = rest.next().and_then(Kind::parse);
                    options.store = kind.ok_or("--store takes sqlite, postgres or redis")?;
                }
                "--token-life" => token_life = Some(number(name, rest.next(), 1, 1_799)?),
                "--worker" => options.task = Task::Work,
                other => return Err(format!("there is no option {other}")),
            }
        }
        // A server takes longer for an answer, and the fence is a fraction as well. Its tokens live
        // as shortly as margins allow, so that there is something to kill.
        let is_remote = options.store.is_remote();
        options.scale = Scale(scale.unwrap_or(if is_remote { 25 } else { 100 }));
        let by_scale = options.scale.token_life();
        options.token_life = token_life.unwrap_or(if is_remote { 15 } else { by_scale });
        Ok(options)
    }
}

fn number<T>(name: &str, text: Option<&str>, least: T, most: T) -> Result<T, String>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    let read = text.and_then(|it| it.parse().ok()).filter(|it| *it >= least && *it <= most);
    read.ok_or_else(|| format!("{name} takes a number from {least} to {most}"))
}
