//! What was measured, and what the machine did meanwhile.

use std::fmt;

use anyhow::Context as _;

/// What wrk saw, and what it cost.
#[derive(Debug)]
pub(super) struct Figures {
    /// How many requests had no good answer.
    pub(super) failed: u64,
    /// Of a hundred answers one took longer, in microseconds.
    p99: u64,
    p50: u64,
    /// Requests in a second.
    pub(super) rate: u64,
    /// How much of the time of all cores went to the server, in percent.
    server: u64,
}

impl Figures {
    /// Reads what the script says at its end.
    ///
    /// # Errors
    ///
    /// Fails when a figure is missing.
    pub(super) fn read(said: &[String], machine: &Machine) -> anyhow::Result<Self> {
        let figure = |name: &str| {
            let mut lines = said.iter().filter_map(|it| it.strip_prefix(name)?.strip_prefix(' '));
            let line = lines.next().with_context(|| format!("wrk does not say {name}"))?;
            line.parse::<u64>().with_context(|| format!("wrk says {name} {line}"))
        };
        let server = machine.server * 100 / machine.all.max(1);
        let (failed, rate) = (figure("failed")?, figure("rate")?);
        Ok(Self { failed, p99: figure("p99")?, p50: figure("p50")?, rate, server })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { failed, p99, p50, rate, server } = self;
        write!(f, "{rate} requests/s, p50 {p50} µs, p99 {p99} µs, {failed} failed, ")?;
        write!(f, "with {server} % of the cores for the server")
    }
}

/// What a process and the machine have used up so far.
#[derive(Debug)]
pub(super) struct Machine {
    /// Ticks of all cores, idle ones included.
    all: u64,
    /// The most that the process had resident, in KiB.
    pub(super) resident: u64,
    /// Ticks that the process ran.
    server: u64,
}

impl Machine {
    /// Reads the counters of the kernel.
    ///
    /// # Errors
    ///
    /// Fails where there is no `/proc`, and when the process has ended.
    pub(super) fn read(process: u32) -> anyhow::Result<Self> {
        let read = |path: &str| std::fs::read_to_string(path).with_context(|| path.to_owned());
        let status = read(&format!("/proc/{process}/status"))?;
        let resident = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
        let resident = resident.and_then(|it| it.split_whitespace().next());
        let stat = read(&format!("/proc/{process}/stat"))?;
        // Behind the name, which may hold anything, the fields begin with the third.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let ticks = fields.split_whitespace().skip(11).take(2);
        let all = read("/proc/stat")?;
        let all = all.lines().next().unwrap_or_default().split_whitespace().skip(1).take(8);
        Ok(Self {
            all: all.filter_map(|it| it.parse::<u64>().ok()).sum(),
            resident: resident.context("no word of memory")?.parse()?,
            server: ticks.filter_map(|it| it.parse::<u64>().ok()).sum(),
        })
    }

    /// Returns what was used up since an earlier look.
    pub(super) const fn since(&self, before: &Self) -> Self {
        Self {
            all: self.all.saturating_sub(before.all),
            resident: self.resident,
            server: self.server.saturating_sub(before.server),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {} KiB resident", self.resident)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_what_the_script_says_and_a_missing_one_is_told() {
        let said = ["Running 10s test", "rate 20500", "p50 900", "p99 4100", "failed 3"];
        let said = said.map(str::to_owned);
        let machine = Machine { all: 2_000, resident: 1, server: 500 };
        let figures = Figures::read(&said, &machine).unwrap().to_string();
        let expected = "20500 requests/s, p50 900 µs, p99 4100 µs, 3 failed, with 25 % of the cores \
                        for the server";
        assert_eq!(figures, expected);
        let error = Figures::read(&said[..2], &machine).unwrap_err().to_string();
        assert_eq!(error, "wrk does not say failed");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernel_counts_this_process() {
        let machine = Machine::read(std::process::id()).unwrap();
        assert!(machine.all > 0 && machine.resident > 0);
        assert_eq!(machine.since(&machine).all, 0);
    }
}
