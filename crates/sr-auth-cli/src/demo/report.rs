//! What the demo shows, and its count of what went as said.

use crate::console::{BOLD, Console, DIM, GREEN, RED};
use crate::exit::{Exit, Failure};

use super::wire_log::{Exchange, WireLog};

/// Prints the steps, and remembers what did not go as said.
#[derive(Debug)]
pub(crate) struct Report {
    console: Console,
    failed: Vec<String>,
    passed: usize,
    step: usize,
    steps: usize,
}

impl Report {
    pub(crate) const fn new(console: Console, steps: usize) -> Self {
        Self { console, failed: Vec::new(), passed: 0, step: 0, steps }
    }

    pub(crate) fn open(&self, title: &str, origin: &str) -> Result<(), Failure> {
        self.console.line(&format!("{BOLD}{title}{BOLD:#}"))?;
        self.console.line(&format!(
            "{DIM}Each request below is a real one, to a sandbox at {origin} inside this process. \
             Secrets are shown as {}.{DIM:#}",
            self.dots()
        ))
    }

    /// Begins the next step.
    pub(crate) fn step(&mut self, title: &str) -> Result<(), Failure> {
        self.step += 1;
        self.console.line("")?;
        self.console.line(&format!("{BOLD}[{:>2}/{}] {title}{BOLD:#}", self.step, self.steps))
    }

    /// Explains what comes next.
    pub(crate) fn say(&self, text: &str) -> Result<(), Failure> {
        self.console.line(&format!("        {text}"))
    }

    /// Shows the requests since the last time.
    pub(crate) fn show(&self, log: &WireLog) -> Result<(), Failure> {
        log.take().iter().try_for_each(|exchange| self.exchange(exchange))
    }

    fn exchange(&self, exchange: &Exchange) -> Result<(), Failure> {
        let dots = self.dots();
        let url = exchange.url.replace(WireLog::HIDDEN, dots);
        let carried = exchange.carried.as_ref().map(|it| it.replace(WireLog::HIDDEN, dots));
        self.sent(exchange.who, &exchange.method, &url, exchange.status, carried.as_deref())
    }

    /// Shows a request that holds no secret.
    pub(crate) fn sent(
        &self,
        who: &str,
        method: &str,
        url: &str,
        status: Option<u16>,
        carried: Option<&str>,
    ) -> Result<(), Failure> {
        let arrow = self.console.glyph("→", "->");
        let status = match status {
            Some(status) if status < 400 => format!("{GREEN}{status}{GREEN:#}"),
            Some(status) => format!("{RED}{status}{RED:#}"),
            None => format!("{RED}no answer{RED:#}"),
        };
        self.console.line(&format!("        {arrow} {who:<11} {method} {url}  {status}"))?;
        match carried {
            Some(carried) => {
                self.console.line(&format!("          {DIM}{:<11} {carried}{DIM:#}", ""))
            }
            None => Ok(()),
        }
    }

    /// Says something that must be so, and whether it is.
    pub(crate) fn check(&mut self, holds: bool, sentence: &str) -> Result<bool, Failure> {
        if holds {
            self.passed += 1;
            let tick = self.console.glyph("✓", "ok");
            self.console.line(&format!("        {GREEN}{tick}{GREEN:#} {sentence}"))?;
        } else {
            self.failed.push(format!("step {}: {sentence}", self.step));
            let cross = self.console.glyph("✗", "NOT SO:");
            self.console.line(&format!("        {RED}{cross} {sentence}{RED:#}"))?;
        }
        Ok(holds)
    }

    /// Says something that must have come about; without it, what stood in the way.
    pub(crate) fn obtained<T>(
        &mut self,
        outcome: Result<T, impl Into<Failure>>,
        sentence: &str,
    ) -> Result<Option<T>, Failure> {
        match outcome {
            Ok(value) => {
                self.check(true, sentence)?;
                Ok(Some(value))
            }
            Err(error) => {
                self.check(false, sentence)?;
                self.say(error.into().what())?;
                Ok(None)
            }
        }
    }

    /// Shows a failure as the program tells it.
    pub(crate) fn told(&self, failure: &Failure) -> Result<(), Failure> {
        self.say(&format!("{RED}error:{RED:#} {}", failure.what()))?;
        self.say(&format!("  {DIM}code:{DIM:#} {}", failure.code()))?;
        self.say(&format!("  {DIM}do:{DIM:#}   {}", failure.advice()))
    }

    /// Sums up, and says what to do next.
    pub(crate) fn close(&self, next: &str) -> Result<Exit, Failure> {
        let total = self.passed + self.failed.len();
        self.console.line("")?;
        if self.failed.is_empty() && self.step == self.steps {
            let line = format!(
                "{GREEN}{BOLD}All {} steps went as said ({total} checks).{BOLD:#}{GREEN:#}",
                self.steps
            );
            self.console.line(&line)?;
            self.console.line(&format!("Next: {next}"))?;
            return Ok(Exit::Done);
        }
        let line = format!("{RED}{} of {total} checks failed:{RED:#}", self.failed.len());
        self.console.line(&line)?;
        for sentence in &self.failed {
            self.console.line(&format!("  {sentence}"))?;
        }
        Ok(Exit::Failed)
    }

    fn dots(&self) -> &'static str {
        self.console.glyph("••••", "****")
    }
}
