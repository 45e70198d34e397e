//! Stops before what would fail for all: a refused application, an endpoint that is down.
//!
//! ```text
//!            faults enough                     pause over: one asks
//!  Passing ────────────────▶ Pausing ──────────────────────────────▶ Probing
//!     ▲                       ▲  │ ▲                                 │  │
//!     │        no fault       │  │ └──── fault: twice the pause ─────┘  │
//!     └───────────────────────┼──┘        lost: the first pause         │
//!     └───────────────────────┼──────────────── no fault ───────────────┘
//! ```

use std::time::Duration;

use super::pause::Pause;
use crate::Timestamp;
use crate::lifecycle::Margins;

/// Lets requests pass until too many have failed, then one at a time.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Breaker {
    pace: Pace,
    state: State,
}

/// How soon a breaker stops, and for how long.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Pace {
    /// How many faults in a row stop it.
    faults: u32,
    first_pause: Duration,
    longest_pause: Duration,
    /// How long the outcome of a probe is awaited before another one is sent.
    probe_within: Duration,
}

impl Pace {
    /// For a client secret that was refused (`invalid_client`), which stays so until a person acts:
    /// 30 s, doubling up to 10 minutes.
    pub(super) fn of_application(margins: &Margins) -> Self {
        Self {
            faults: 1,
            first_pause: margins.first_pause() * 30,
            longest_pause: margins.longest_pause() * 10,
            probe_within: margins.quiet() * 4 / 3,
        }
    }

    /// For a token endpoint that does not answer, or answers with 5xx: from 1 s to a minute.
    pub(super) fn of_endpoint(margins: &Margins) -> Self {
        Self {
            faults: 5,
            first_pause: margins.first_pause(),
            longest_pause: margins.longest_pause(),
            probe_within: margins.quiet() * 4 / 3,
        }
    }

    /// Returns the pause after `count` others in a row.
    fn pause(self, now: Timestamp, count: u32) -> Pause {
        let span = self.first_pause.saturating_mul(1 << count.min(31));
        Pause::new(now, span.min(self.longest_pause))
    }
}

/// What came of a request, in the eyes of one breaker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Finding {
    /// What the breaker waits for: the application was refused, the endpoint is down.
    Fault,
    /// The probe was not sent, or says nothing about the matter.
    Lost,
    /// An answer that is not a fault.
    Sound,
}

/// Whether a request may be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reply {
    Pass,
    /// It may, and all others wait for what comes of it.
    Probe,
    /// Not before this moment.
    Wait(Timestamp),
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum State {
    Passing { faults: u32 },
    Pausing { count: u32, pause: Pause },
    Probing { count: u32, pause: Pause },
}

#[derive(Clone, Copy)]
enum Signal {
    Ask,
    Found(Finding),
}

impl Breaker {
    pub(super) const fn new(pace: Pace) -> Self {
        Self { pace, state: State::Passing { faults: 0 } }
    }

    /// Says whether one who asks would be let through.
    pub(super) fn would_pass(&self, now: Timestamp) -> bool {
        match self.state {
            State::Passing { .. } => true,
            State::Pausing { pause, .. } | State::Probing { pause, .. } => {
                pause.seen_at(now).is_over(now)
            }
        }
    }

    /// Lets all pass again, whatever was found.
    pub(super) fn reset(&mut self) {
        self.state = State::Passing { faults: 0 };
    }

    /// Asks for one request. Who is told to probe must [report](Self::report) what came of it.
    pub(super) fn ask(&mut self, now: Timestamp) -> Reply {
        let (state, reply) = self.next(now, Signal::Ask);
        self.state = state;
        reply
    }

    /// Says what came of a request.
    pub(super) fn report(&mut self, now: Timestamp, finding: Finding) {
        (self.state, _) = self.next(now, Signal::Found(finding));
    }

    /// Says whether all may pass.
    pub(super) const fn is_passing(&self) -> bool {
        matches!(self.state, State::Passing { .. })
    }

    /// Returns when it is worth asking again; `None` when it is now.
    pub(super) const fn retry_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Passing { .. } => None,
            State::Pausing { pause, .. } | State::Probing { pause, .. } => Some(pause.until()),
        }
    }

    fn next(self, now: Timestamp, signal: Signal) -> (State, Reply) {
        use Finding::{Fault, Lost, Sound};
        use Signal::{Ask, Found};
        use State::{Passing, Pausing, Probing};
        let pausing = |count, pauses| {
            let pause = self.pace.pause(now, pauses);
            (Pausing { count, pause }, Reply::Wait(pause.until()))
        };
        match (self.state, signal) {
            (_, Found(Sound)) => (Passing { faults: 0 }, Reply::Pass),
            (Passing { faults }, Found(Fault)) if faults.saturating_add(1) >= self.pace.faults => {
                pausing(0, 0)
            }
            (Passing { faults }, Found(Fault)) => {
                (Passing { faults: faults.saturating_add(1) }, Reply::Pass)
            }
            (unchanged @ Passing { .. }, Ask | Found(Lost)) => (unchanged, Reply::Pass),
            (Pausing { count, pause } | Probing { count, pause }, Ask)
                if pause.seen_at(now).is_over(now) =>
            {
                let pause = Pause::new(now, self.pace.probe_within);
                (Probing { count, pause }, Reply::Probe)
            }
            // Answers to what was sent before the pause say nothing new.
            (Pausing { count, pause }, _) => {
                let pause = pause.seen_at(now);
                (Pausing { count, pause }, Reply::Wait(pause.until()))
            }
            (Probing { count, .. }, Found(Fault)) => {
                let count = count.saturating_add(1);
                pausing(count, count)
            }
            (Probing { count, .. }, Found(Lost)) => pausing(count, 0),
            (Probing { count, pause }, Ask) => {
                let pause = pause.seen_at(now);
                (Probing { count, pause }, Reply::Wait(pause.until()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Finding::{Fault, Lost, Sound};
    use super::*;

    #[test]
    fn a_breaker_stops_probes_and_passes_again() {
        let (ask, tell) = (Step::Ask, Step::Tell);
        let cases: [(&str, Pace, &[(u64, Step)], &str); 9] = [
            ("nothing happened", endpoint(), &[(0, ask)], "pass"),
            ("a refused application", application(), &[(0, tell(Fault)), (0, ask)], "30"),
            ("just before the end", application(), &[(0, tell(Fault)), (29, ask)], "30"),
            (
                "one probe, then all wait",
                application(),
                &[(0, tell(Fault)), (30, ask), (31, ask)],
                "probe 210",
            ),
            (
                "a probe that failed",
                application(),
                &[(0, tell(Fault)), (30, ask), (40, tell(Fault)), (40, ask)],
                "probe 100",
            ),
            (
                "a probe that succeeded",
                application(),
                &[(0, tell(Fault)), (30, ask), (40, tell(Sound)), (40, ask)],
                "probe pass",
            ),
            (
                "a probe that was lost, or never heard of again",
                application(),
                &[(0, tell(Fault)), (30, ask), (40, tell(Lost)), (70, ask), (250, ask)],
                "probe probe probe",
            ),
            (
                "late faults do not lengthen the pause, an answer ends it",
                application(),
                &[(0, tell(Fault)), (9, tell(Fault)), (9, ask), (9, tell(Sound)), (9, ask)],
                "30 pass",
            ),
            (
                "the clock was set back",
                application(),
                &[(9_000, tell(Fault)), (500, ask), (529, ask), (530, ask), (90, ask), (270, ask)],
                "530 530 probe 270 probe",
            ),
        ];
        for (name, pace, steps, expected) in cases {
            check(name, pace, steps, expected);
        }
    }

    #[test]
    fn an_endpoint_stops_after_five_faults_in_a_row() {
        let four = [(0, Step::Tell(Fault)); 4];
        let then = |more: &[(u64, Step)]| [&four[..], more].concat();
        let cases = [
            ("four", then(&[(0, Step::Ask)]), "pass"),
            ("five", then(&[(0, Step::Tell(Fault)), (0, Step::Ask)]), "1"),
            (
                "a pause",
                then(&[(0, Step::Tell(Sound)), (0, Step::Tell(Fault)), (0, Step::Ask)]),
                "pass",
            ),
        ];
        for (name, steps, expected) in cases {
            check(name, endpoint(), &steps, expected);
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        for (pace, expected) in [
            (application(), [30, 60, 120, 240, 480, 600, 600]),
            (endpoint(), [1, 2, 4, 8, 16, 32, 60]),
        ] {
            let (mut breaker, mut now) = (Breaker::new(pace), Timestamp::EPOCH);
            let pauses = expected.map(|_| {
                (0..pace.faults).for_each(|_| breaker.report(now, Fault));
                let until = breaker.retry_at().expect("a pause");
                let span = until.since(now).as_secs();
                now = until;
                assert_eq!(breaker.ask(now), Reply::Probe);
                span
            });
            assert_eq!(pauses, expected);
        }
    }

    proptest! {
        /// While it does not pass, each pause lets one request through, however many ask.
        #[test]
        fn a_probe_is_alone(steps in proptest::collection::vec((0_u8..6, 0_u64..400), 1..200)) {
            let mut breaker = Breaker::new(application());
            let (mut now, mut probe_at) = (Timestamp::from_unix_secs(1_000), None);
            for (action, secs) in steps {
                match action {
                    0 => now = now.after(Duration::from_secs(secs)),
                    1 => { breaker.report(now, Fault); probe_at = None; }
                    2 => { breaker.report(now, Sound); probe_at = None; }
                    3 => { breaker.report(now, Lost); probe_at = None; }
                    _ if !breaker.would_pass(now) => {
                        let waits = matches!(breaker.ask(now), Reply::Wait(until) if until > now);
                        prop_assert!(waits && !breaker.is_passing());
                    }
                    _ => match breaker.ask(now) {
                        Reply::Pass => prop_assert!(breaker.is_passing()),
                        Reply::Wait(until) => prop_assert!(false, "waits until {until:?}"),
                        Reply::Probe => {
                            let is_alone = probe_at.is_none_or(|at: Timestamp| {
                                now.since(at) >= application().probe_within
                            });
                            prop_assert!(is_alone, "a second probe");
                            probe_at = Some(now);
                        }
                    },
                }
            }
        }
    }

    fn application() -> Pace {
        Pace::of_application(&Margins::default())
    }

    fn endpoint() -> Pace {
        Pace::of_endpoint(&Margins::default())
    }

    #[derive(Clone, Copy)]
    enum Step {
        Ask,
        Tell(Finding),
    }

    #[track_caller]
    fn check(name: &str, pace: Pace, steps: &[(u64, Step)], expected: &str) {
        let mut breaker = Breaker::new(pace);
        let answers: Vec<_> = steps
            .iter()
            .filter_map(|(secs, step)| {
                let now = Timestamp::from_unix_secs(*secs);
                match step {
                    Step::Tell(finding) => {
                        breaker.report(now, *finding);
                        None
                    }
                    Step::Ask => Some(match breaker.ask(now) {
                        Reply::Pass => "pass".to_owned(),
                        Reply::Probe => "probe".to_owned(),
                        Reply::Wait(until) => until.since(Timestamp::EPOCH).as_secs().to_string(),
                    }),
                }
            })
            .collect();
        assert_eq!(answers.join(" "), expected, "{name}");
    }
}
