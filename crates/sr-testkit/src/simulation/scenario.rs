//! What kind of world a run takes place in, and what befalls it: decoded from its choices.

mod months;

pub(super) use months::MIX as MIX_OF_MONTHS;

use std::time::Duration;

use sr_auth_core::lifecycle::Recovery;

use super::choices::{Choices, Rate};
use super::network::{NetworkWeather, Trouble};
use super::storage::StoreWeather;
use crate::simulator::{
    ExpiresIn, InvalidClientStatus, OldAccessToken, RefreshTokenType, SpentRefreshToken, Successor,
    Switches, TokenErrors, TokenShape,
};

/// The worlds in words.
pub(super) const MIX: &str = "\
each scenario is 24 virtual hours, the last two without faults:
  1 to 6 processes (2.1 on average), 1 to 9 grants (2.4) of users, one scenario in eight with one of
  client credentials; a caller for each grant in each process, every few minutes up to four hours
  pulse every 60 s (one in 32: 10 s), keep-alive scan every 30 min, room for all grants or, one in
  eight, for one
  network: 3 in 8 calm, 2 in 8 each trouble once in 600 requests, 1 in 8 once in 150, 2 in 8 one
  trouble once in 16; up to 50 ms, 500 ms, 5 s or 60 s each way
  store: 4 in 8 calm, else each or one trouble once in 300, 60 or 12 operations; up to 10 ms, 200 ms,
  2 s or 6 s each way; two in five with replicas that lag 20 s or 5 min
  mishaps: none, or one of 17 kinds on average every 15 min, 30 min, 1 h or 2 h
  server: strict 2 in 5, revokes on reuse 1 in 5, grace 2 in 5; old access tokens die 1 in 4; odd
  answers and errors now and then";

/// The parameters of one run.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    /// How long a caller pauses at most before it asks again.
    pub(super) call_gap: Duration,
    /// Whether callers try what they get at the API now and then.
    pub(super) callers_use_tokens: bool,
    /// How many grants a process keeps in memory.
    pub(super) capacity: u32,
    pub(super) grants: usize,
    /// How far replicas of the store lag behind, if there are any.
    pub(super) lag: Option<Duration>,
    pub(super) length: Duration,
    /// The time between two mishaps at most; none happen without it.
    pub(super) mishap_gap: Option<Duration>,
    /// What befalls the world, each as likely as it is often here.
    pub(super) mishaps: &'static [Mishap],
    pub(super) network: NetworkWeather,
    /// How many times as long as in a world of a day a mishap lasts.
    pub(super) pace: u32,
    pub(super) processes: usize,
    /// How often a process asks what has changed.
    pub(super) pulse_every: Duration,
    pub(super) recovery: Recovery,
    /// How many of the grants are client credentials.
    pub(super) repeatable: usize,
    pub(super) store: StoreWeather,
    pub(super) switches: Switches,
}

/// Something that happens to the world as a whole, now and then.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "each is counted in a table")]
pub enum Mishap {
    /// Nothing.
    None,
    /// The process's clocks part, as after a step of the wall clock.
    ClockStep,
    /// The user gives consent again while the old grant lives.
    Consent,
    /// A process dies at once; another starts in its place later.
    Crash,
    /// A process dies at one of its next steps, before or after it acts.
    CrashAtStep,
    /// A person ends a grant; consent is given again later.
    End,
    /// Many callers come at once.
    Herd,
    /// A consent, an end, a rejection or a caller comes while a grant is at work.
    Interrupt,
    /// One process cannot reach the store.
    Partition,
    /// A process stands still.
    Pause,
    /// A process stands still at one of its next steps.
    PauseAtStep,
    /// A backup of the store is taken, or one of an empty store, and put back later.
    Restore,
    /// The application's secret is refused for a while.
    SecretRefused,
    /// The token endpoint refuses connections, loses requests, or breaks before or after it acts.
    ServerOutage,
    /// The server ends a grant: the user revoked it. Or all of them at once, if they are many.
    ServerRevokes,
    /// A process is told to shut down; another starts in its place later.
    Shutdown,
    /// The store answers nobody.
    StoreOutage,
    /// A process's machine sleeps: its clocks go on, and part.
    Suspend,
}

impl Mishap {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::None,
        Self::ClockStep,
        Self::Consent,
        Self::Crash,
        Self::CrashAtStep,
        Self::End,
        Self::Herd,
        Self::Interrupt,
        Self::Partition,
        Self::Pause,
        Self::PauseAtStep,
        Self::Restore,
        Self::SecretRefused,
        Self::ServerOutage,
        Self::ServerRevokes,
        Self::Shutdown,
        Self::StoreOutage,
        Self::Suspend,
    ];
}

impl Scenario {
    /// How long everybody has at the end, when the faults are over.
    pub(super) const REST: Duration = Duration::from_secs(2 * 60 * 60);

    /// Decodes the parameters of a run of a day.
    pub(super) fn decode(choices: &mut Choices) -> Self {
        let secs = Duration::from_secs;
        let grants = choices.pick(&[1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 3, 3, 4, 9]);
        Self {
            call_gap: choices.pick(&[secs(3_600), secs(1_200), secs(7_200), secs(14_400)]),
            capacity: choices.pick(&[100, 100, 100, 100, 100, 100, 100, 1]),
            callers_use_tokens: choices.below(4) == 3,
            grants,
            lag: choices.pick(&[None, None, None, Some(secs(20)), Some(secs(300))]),
            length: secs(24 * 60 * 60),
            mishap_gap: choices.pick(&[
                None,
                Some(secs(28_800)),
                Some(secs(14_400)),
                Some(secs(7_200)),
                Some(secs(3_600)),
            ]),
            mishaps: &Mishap::ALL,
            network: network(choices),
            pace: 1,
            processes: choices.pick(&[1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 6]),
            pulse_every: if choices.below(32) == 31 { secs(10) } else { secs(60) },
            recovery: choices.pick(&[
                Recovery::OwnerGone,
                Recovery::OwnerGone,
                Recovery::OwnerGone,
                Recovery::QuietOver,
                Recovery::Never,
            ]),
            repeatable: usize::from(choices.below(8) == 7).min(grants - 1),
            store: store(choices),
            switches: switches(choices),
        }
    }
}

fn network(choices: &mut Choices) -> NetworkWeather {
    let slowness = choices.pick(&[50, 50, 50, 500, 500, 5_000, 60_000]);
    let each = |rate| Trouble::ALL.iter().skip(1).map(|it| (rate, *it)).collect();
    let rates = match choices.below(8) {
        0..=2 => Vec::new(),
        3 | 4 => each(Rate::once_in(600)),
        5 => each(Rate::once_in(150)),
        _ => {
            let trouble = Trouble::ALL.get(1 + choices.below(13) as usize);
            vec![(Rate::once_in(16), trouble.copied().unwrap_or_default())]
        }
    };
    NetworkWeather { rates, slowness: Duration::from_millis(slowness) }
}

fn store(choices: &mut Choices) -> StoreWeather {
    let slowness = Duration::from_millis(choices.pick(&[10, 10, 10, 200, 200, 2_000, 6_000]));
    let calm = StoreWeather { slowness, stale: Rate::once_in(4), ..StoreWeather::default() };
    let rate = match choices.below(8) {
        0..=3 => return calm,
        4 | 5 => Rate::once_in(300),
        6 => Rate::once_in(60),
        _ => Rate::once_in(12),
    };
    let all = StoreWeather {
        answer_lost: rate,
        carried_out_late: rate,
        lost: rate,
        refused: rate,
        ..calm
    };
    match choices.below(5) {
        0 => all,
        1 => StoreWeather { answer_lost: rate, ..calm },
        2 => StoreWeather { carried_out_late: rate, ..calm },
        3 => StoreWeather { lost: rate, ..calm },
        _ => StoreWeather { refused: rate, ..calm },
    }
}

fn switches(choices: &mut Choices) -> Switches {
    let spent = choices.pick(&[
        SpentRefreshToken::Refused,
        SpentRefreshToken::Refused,
        SpentRefreshToken::RevokesFamily,
        SpentRefreshToken::Grace { seconds: 30 },
        SpentRefreshToken::Grace { seconds: 300 },
    ]);
    let mut switches = Switches { spent_refresh_token: spent, ..Switches::default() };
    if choices.below(4) == 3 {
        switches.old_access_token = OldAccessToken::Dies;
    }
    if choices.below(32) == 31 {
        switches.successor = choices.pick(&[Successor::Kept, Successor::Omitted]);
    }
    if choices.below(16) == 15 {
        switches.expires_in = choices.pick(&[
            ExpiresIn::Text,
            ExpiresIn::Float,
            ExpiresIn::Negative,
            ExpiresIn::Huge,
            ExpiresIn::Absent,
        ]);
    }
    if choices.below(16) == 15 {
        switches.token_errors = choices.pick(&[TokenErrors::SmartRecruiters, TokenErrors::Empty]);
        switches.invalid_client_status = InvalidClientStatus::BadRequest;
    }
    if choices.below(16) == 15 {
        switches.token_shape = choices.pick(&[TokenShape::Dcra1, TokenShape::Uuid]);
        switches.refresh_token_type = RefreshTokenType::Present;
    }
    switches
}
