//! The command line.

use clap::{Args, Parser, Subcommand};

/// Every check of the workspace.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measures what things cost, beside the limits and the peers
    Bench(Bench),
    /// Walks through a partner integration in a real browser, headless
    Browser,
    /// Runs the fast checks: fmt, tidy, layers, lint, test
    Check,
    /// Runs all checks, cheapest first, and says what each took
    Ci(Ci),
    /// Checks licences, sources and bans, and advisories if their database can be reached
    Deny(Offline),
    /// Builds the documentation, private items included, without a warning
    Doc,
    /// Tries every order of events in small worlds, and writes docs/machines.md
    Explore(Explore),
    /// Lints each feature of each crate alone, none and all
    Features,
    /// Formats the code
    Fmt(Fmt),
    /// Runs foreign OAuth clients against the sandbox, and our client against a foreign server
    Interop,
    /// Compares the crates with the table of edges, features and homes
    Layers,
    /// Runs clippy over all targets, with all features and with the default ones
    Lint,
    /// Loads the token endpoint of a partner, alone and beside slow peers
    Load,
    /// Packages each crate as for the registry
    Package,
    /// Plants each known fault in a copy of the tree, and has the simulation find it
    Planted(Planted),
    /// Runs the tests that need PostgreSQL, PgBouncer and Redis, or a command beside those servers
    Servers(Servers),
    /// Runs fleets in simulated time, with faults; `--help` after `--` lists what it takes
    Sim(Sim),
    /// Runs all tests, then the documentation tests
    Test(Test),
    /// Checks names, sizes, doors and facts
    Tidy(Tidy),
    /// Kills real processes over a real store; `--help` after `--` lists what it takes
    Torture(Torture),
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Bench {
    /// Leave out other libraries, which take longer to build, as `ci` does
    #[arg(long)]
    pub(crate) without_peers: bool,
    /// Only the stores on servers, which are started for it
    #[arg(long)]
    pub(crate) servers: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Ci {
    #[command(flatten)]
    pub(crate) offline: Offline,
    /// Set by a CI service; nothing may then be left out
    #[arg(long, env = "CI", hide = true, value_name = "BOOL", default_value = "false")]
    pub(crate) ci: String,
}

impl Ci {
    /// Says whether a CI service runs this, going by the variable that all of them set.
    pub(crate) fn is_service(&self) -> bool {
        !matches!(self.ci.as_str(), "" | "0" | "false")
    }
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Offline {
    /// Leave out what needs a network or an absent tool, and list it
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Explore {
    /// Compare docs/machines.md instead of writing it
    #[arg(long)]
    pub(crate) check: bool,
    /// `small`, `large` (minutes), `all`, or one scope of the list; small without this
    #[arg(long)]
    pub(crate) scope: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Fmt {
    /// Only say what is not formatted
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Planted {
    /// Only this fault
    pub(crate) name: Option<String>,
    /// So many faults, chosen by the last commit
    #[arg(long, value_name = "N", conflicts_with = "name")]
    pub(crate) rotate: Option<usize>,
}

#[derive(Args, Debug)]
pub(crate) struct Servers {
    /// A command that is told the addresses in `SR_AUTH_TEST_*`; without one, the tests are run
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Sim {
    /// What the simulation takes, such as `--seconds 60` or `--replay FILE`; `--planted` is the
    /// command of that name; or `--compare-profiles [SEED]`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Test {
    /// Only tests whose name contains this
    pub(crate) filter: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Tidy {
    /// List the rows of docs/security.md that have no test
    #[arg(long)]
    pub(crate) rows: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Torture {
    /// What the torture takes, such as `--store sqlite --kills 500`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Flags::command().debug_assert();
    }

    #[test]
    fn a_ci_service_is_known_by_its_variable() {
        for (value, expected) in [("true", true), ("1", true), ("false", false), ("", false)] {
            let ci = Ci { offline: Offline { offline: false }, ci: value.to_owned() };
            assert_eq!(ci.is_service(), expected, "CI={value}");
        }
    }
}
