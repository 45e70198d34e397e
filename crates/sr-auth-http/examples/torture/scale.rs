//! Every span of a run, as one fraction of what it is in production.

use std::time::Duration;

use sr_auth_core::lifecycle::{self, Margins};
use sr_auth_core::{ConfigError, fleet};

/// How much faster than in production everything goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale(pub(crate) u32);

impl Scale {
    pub(crate) fn margins(self) -> Margins {
        Margins::default().scaled_down(self.0)
    }

    /// The rules of a worker: those of production, all spans divided alike.
    pub(crate) fn settings(self) -> Result<fleet::Settings, ConfigError> {
        let lifecycle = lifecycle::Settings::default().with_margins(self.margins());
        let whole = fleet::Settings::default();
        let shortest = Duration::from_millis(10);
        whole
            .with_lifecycle(lifecycle)
            .with_pulse_every((whole.pulse_every() / self.0).max(shortest))?
            .with_scan_every((whole.scan_every() / self.0).max(shortest))
    }

    /// The life of an access token, in seconds: at least one.
    pub(crate) fn token_life(self) -> u32 {
        (1_799 / self.0).max(1)
    }

    /// Two presentations of one token that are less than this apart break the second rule: the quiet
    /// period without what the fence and the network may take from it.
    pub(crate) fn least_gap(self) -> Duration {
        let margins = self.margins();
        margins.quiet().saturating_sub(margins.fence()).saturating_sub(margins.network())
    }
}
