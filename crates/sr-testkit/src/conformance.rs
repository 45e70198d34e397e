//! Checks that any store backend can run against itself.
//!
//! A [`Backend`](sr_auth_store::Backend) answers exactly as the
//! [`Model`](sr_auth_core::store::Model) would, whoever else talks to the same store at the same
//! time, and still does after a restart. The suite compares the two: in scenes in which each
//! [`Rule`] has its turn, in generated sequences of operations, which are shrunk when one goes
//! wrong, and in rounds of many clients at once, whose answers have to be those of some order. The
//! model is given the time of each answer, so that any clock will do, and nothing depends on how
//! fast the machine is. A broken rule is named.
//!
//! What a backend promises is told in `docs/guide/custom-backend.md`.
//!
//! # Examples
//!
//! A test of a backend says how a store is made, opened, restarted and looked into:
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use sr_auth_store::{Backend, MemoryBackend};
//! use sr_testkit::conformance::{Subject, Suite, TrialError};
//!
//! struct Memory(Arc<MemoryBackend>);
//!
//! #[async_trait]
//! impl Subject for Memory {
//!     async fn connect(&self) -> Result<Arc<dyn Backend>, TrialError> {
//!         Ok(self.0.clone())
//!     }
//!
//!     async fn restart(&self) -> Result<(), TrialError> {
//!         Err("it is gone with its process, and promises nothing else".into())
//!     }
//!
//!     async fn raw_bytes(&self) -> Result<Vec<u8>, TrialError> {
//!         Ok(format!("{:?}", self.0).into_bytes())
//!     }
//! }
//!
//! # fn main() -> Result<(), TrialError> {
//! let report = Suite::new().check(async || Ok(Memory(Arc::new(MemoryBackend::new()?))))?;
//! assert!(report.conforms(), "{report}");
//! # Ok(())
//! # }
//! ```

mod bench;
mod canaries;
mod concurrency;
mod judge;
mod kind;
mod linearize;
mod outcomes;
mod partner;
mod report;
mod rule;
mod scenes;
mod sequences;
mod stage;
mod step;
mod subject;
mod values;

pub use report::{Report, Violation};
pub use rule::Rule;
pub use subject::{Subject, TrialError};

use std::time::Duration;

use kind::Grants;
use sr_auth_core::wire::token_answer::BODY_LIMIT;
use sr_auth_store::{SealingKey, SealingKeys};
use stage::Stage;

/// More than sealing adds to a value, in bytes.
const SEALING: usize = 64;

/// How much is tried, and how long is waited.
///
/// As it is made, a run takes some seconds on a store that syncs its files. More sequences and
/// rounds, with other seeds, find more.
#[derive(Clone, Debug)]
pub struct Suite {
    cases: u32,
    connections: usize,
    largest: usize,
    longest: usize,
    patience: Duration,
    quiet: Duration,
    rounds: u32,
    sealing_keys: SealingKeys,
    seed: u64,
}

impl Suite {
    /// Makes a suite for every day.
    #[must_use]
    pub fn new() -> Self {
        Self {
            cases: 24,
            connections: 3,
            largest: BODY_LIMIT + SEALING,
            longest: 40,
            patience: Duration::from_secs(30),
            quiet: Duration::from_millis(20),
            rounds: 6,
            sealing_keys: SealingKeys::new(SealingKey::from_bytes([0x5a; 32])),
            seed: 1,
        }
    }

    /// Sets how many generated sequences are run.
    #[must_use]
    pub const fn with_cases(mut self, cases: u32) -> Self {
        self.cases = cases;
        self
    }

    /// Sets how many connections there are to a store; at least two.
    #[must_use]
    pub fn with_connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(2);
        self
    }

    /// Sets the length of the longest sealed value that is stored, in bytes.
    ///
    /// The default is the longest answer of a token endpoint that is read, with what sealing adds.
    /// With less, a backend may refuse a token that was received, and its grant is lost.
    #[must_use]
    pub const fn with_largest_value(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    /// Sets the greatest number of steps of a generated sequence; at least one.
    #[must_use]
    pub fn with_longest_sequence(mut self, steps: usize) -> Self {
        self.longest = steps.max(1);
        self
    }

    /// Sets how long an answer may take before the store counts as one that does not answer.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets the quiet periods that are waited for, some dozens of times.
    ///
    /// On a machine that is too slow for them, longer ones are tried.
    #[must_use]
    pub const fn with_quiet(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    /// Sets how many rounds of clients at once there are.
    #[must_use]
    pub const fn with_rounds(mut self, rounds: u32) -> Self {
        self.rounds = rounds;
        self
    }

    /// Sets the keys under which made-up secrets are sealed that must not be found in the store.
    #[must_use]
    pub fn with_sealing_keys(self, sealing_keys: SealingKeys) -> Self {
        Self { sealing_keys, ..self }
    }

    /// Sets the seed of all that is drawn: the same seed, the same sequences.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Runs all checks, each in a store of its own that `make` makes, which has to be empty.
    ///
    /// A tokio runtime with several threads, I/O and timers is started for the run, so this is
    /// called outside of any other: from a plain `#[test]`.
    ///
    /// # Errors
    ///
    /// When the caller's own code fails, or the runtime does not start, nothing can be said about
    /// the backend.
    pub fn check<S, M>(&self, make: M) -> Result<Report, TrialError>
    where
        S: Subject,
        M: AsyncFn() -> Result<S, TrialError>,
    {
        let runtime = self.runtime()?;
        let mut stage = Stage::new(self, &make);
        runtime.block_on(scenes::play(&mut stage))?;
        runtime.block_on(concurrency::run::<Grants, _, _>(&mut stage))?;
        if stage.report().conforms() {
            sequences::run::<Grants, _, _>(&mut stage, &runtime)?;
        } else {
            stage.report().leave_out(sequences::LEFT_OUT);
        }
        outcomes::demand_of_grants(stage.report());
        Ok(stage.into_report())
    }

    /// Runs the same checks for operations on integrations, which a backend keeps that writes
    /// [`Backend::apply_partner`](sr_auth_store::Backend::apply_partner).
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use async_trait::async_trait;
    /// # use sr_auth_store::{Backend, MemoryBackend};
    /// # use sr_testkit::conformance::{Subject, Suite, TrialError};
    /// # struct Memory(Arc<MemoryBackend>);
    /// # #[async_trait]
    /// # impl Subject for Memory {
    /// #     async fn connect(&self) -> Result<Arc<dyn Backend>, TrialError> { Ok(self.0.clone()) }
    /// #     async fn restart(&self) -> Result<(), TrialError> { Ok(()) }
    /// #     async fn raw_bytes(&self) -> Result<Vec<u8>, TrialError> {
    /// #         Ok(format!("{:?}", self.0).into_bytes())
    /// #     }
    /// # }
    /// # fn main() -> Result<(), TrialError> {
    /// let suite = Suite::new().with_cases(8);
    /// let report = suite.check_partner(async || Ok(Memory(Arc::new(MemoryBackend::new()?))))?;
    /// assert!(report.conforms(), "{report}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn check_partner<S, M>(&self, make: M) -> Result<Report, TrialError>
    where
        S: Subject,
        M: AsyncFn() -> Result<S, TrialError>,
    {
        let runtime = self.runtime()?;
        let mut stage = Stage::new(self, &make);
        partner::run(&mut stage, &runtime)?;
        Ok(stage.into_report())
    }

    fn runtime(&self) -> Result<tokio::runtime::Runtime, TrialError> {
        let threads = self.connections + 1;
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        Ok(builder.worker_threads(threads).enable_all().build()?)
    }
}

impl Default for Suite {
    fn default() -> Self {
        Self::new()
    }
}
