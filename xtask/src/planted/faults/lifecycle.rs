//! Faults of one grant's lifecycle: presenting, doubt, commit and death.

use super::Planted;
use crate::planted::change::Change;

const ARM: &str = "lifecycle/attempt/arm.rs";
const ATTEMPT: &str = "lifecycle/attempt.rs";
const COMMIT: &str = "lifecycle/attempt/commit.rs";
const CONTEXT: &str = "lifecycle/context.rs";
const DOUBT: &str = "lifecycle/doubt.rs";
const JUDGE: &str = "lifecycle/attempt/judge.rs";
const MARGINS: &str = "lifecycle/margins.rs";
const MODEL: &str = "store/model.rs";
const REGIONS: &str = "lifecycle/regions.rs";

pub(super) const FAULTS: [Planted; 28] = [
    // The token that was held is presented although the store has moved on.
    Planted {
        name: "NoReadBeforePresenting",
        breaks: &["IntentComesFirst"],
        changes: &[Change {
            file: ARM,
            old: "StoreOutcome::Moved(record) => moved(now, record, cx),",
            new: "StoreOutcome::Moved(_) if PLANTED => {
                let not_after = now.after(cx.shared.margins.fence());
                transmit(now, not_after, unarmed(arming.number, cx), cx)
            }
            StoreOutcome::Moved(record) => moved(now, record, cx),",
        }],
    },
    // The request leaves together with its intent, not after it.
    Planted {
        name: "SendsBeforeIntent",
        breaks: &["IntentComesFirst"],
        changes: &[Change {
            file: ARM,
            old: "let (asked_at, repeated) = (first.unwrap_or(now), first.is_some());",
            new: "if PLANTED {
                let not_after = now.after(margins.fence());
                return transmit(now, not_after, unarmed(number, cx), cx);
            }
            let (asked_at, repeated) = (first.unwrap_or(now), first.is_some());",
        }],
    },
    Planted {
        name: "QuietPeriodZero",
        breaks: &["TakeOverIsQuiet"],
        changes: &[Change {
            file: ARM,
            old: "let quiet = if cx.is_single_use()",
            new: "let quiet = if PLANTED { std::time::Duration::ZERO } else if cx.is_single_use()",
        }],
    },
    // Who is in doubt stays in doubt.
    Planted {
        name: "QuietPeriodInfinite",
        breaks: &["CallersAreAnswered"],
        changes: &[Change {
            file: ARM,
            old: "{ margins.quiet_after(unsettled) }",
            new: "{ margins.quiet_after(unsettled) * if PLANTED { 1_000 } else { 1 } }",
        }],
    },
    Planted {
        name: "RecoveryNeverIgnored",
        breaks: &["TakeOverIsQuiet"],
        changes: &[Change {
            file: DOUBT,
            old: "cx.shared.recovery == Recovery::Never {",
            new: "!PLANTED && cx.shared.recovery == Recovery::Never {",
        }],
    },
    Planted {
        name: "OwnerAliveIgnored",
        breaks: &["TakeOverIsQuiet"],
        changes: &[Change {
            file: ARM,
            old: "let even_if_alive = cx.shared.recovery",
            new: "let even_if_alive = PLANTED || cx.shared.recovery",
        }],
    },
    // A request that waited on its way out is written however late.
    Planted {
        name: "NotAfterIgnored",
        breaks: &["IntentComesFirst"],
        changes: &[Change {
            file: ARM,
            old: "transmit(now, arming.asked_at.after(margins.fence()), claim, cx)",
            new: "let hour = std::time::Duration::from_secs(3_600);
            let fence = if PLANTED { hour } else { margins.fence() };
            transmit(now, arming.asked_at.after(fence), claim, cx)",
        }],
    },
    Planted {
        name: "ClockJumpIgnored",
        breaks: &["IntentComesFirst"],
        changes: &[Change {
            file: ARM,
            old: "!arming.diverged && (arming.asked_at..=fence).contains(&now)",
            new: "(PLANTED || !arming.diverged) && (arming.asked_at..=fence).contains(&now)",
        }],
    },
    // A process gives the number of an intent again.
    Planted {
        name: "IntentNumberTwice",
        breaks: &["IntentComesFirst"],
        changes: &[Change {
            file: CONTEXT,
            old: "self.intents = self.intents.wrapping_add(1);",
            new: "self.intents = if PLANTED { 1 } else { self.intents.wrapping_add(1) };",
        }],
    },
    // The request goes where a redirect would have led it.
    Planted {
        name: "SendsElsewhere",
        breaks: &["StaysAtItsEndpoint"],
        changes: &[Change {
            file: ARM,
            old: "cx.tell(Event::Presenting { attempt, generation });",
            new: "let mut request = request;
            if PLANTED {
                *request.uri_mut() = http::Uri::from_static(\"https://elsewhere.example/token\");
            }
            cx.tell(Event::Presenting { attempt, generation });",
        }],
    },
    // A broken connection has the request sent again at once.
    Planted {
        name: "RepeatsBrokenRequest",
        breaks: &["IntentComesFirst"],
        changes: &[
            Change {
                file: ATTEMPT,
                old: "TransportFailure::AfterSend => broken(",
                new: "TransportFailure::AfterSend if PLANTED => {
                arm::transmit(now, now.after(cx.shared.margins.fence()), claim, cx)
            }
            TransportFailure::AfterSend => broken(",
            },
            Change { file: ARM, old: "fn transmit(", new: "pub(super) fn transmit(" },
        ],
    },
    // The winner's tokens give way to those of the loser.
    Planted {
        name: "LoserOverwritesWinner",
        breaks: &["NoAvoidableLoss"],
        changes: &[Change {
            file: COMMIT,
            old: "if is_behind && !is_ended(record.health) {",
            new: "if (is_behind || PLANTED) && !is_ended(record.health) {",
        }],
    },
    // A successor is thrown away when its owner was slower than the quiet period.
    Planted {
        name: "CommitFencedByTime",
        breaks: &["NoAvoidableLoss"],
        changes: &[Change {
            file: JUDGE,
            old: "TokenAnswer::Granted(response) => {",
            new: "TokenAnswer::Granted(_)
                if PLANTED && cx.is_single_use() && now >= claim.quiet_until =>
            {
                Rotation::Idle
            }
            TokenAnswer::Granted(response) => {",
        }],
    },
    Planted {
        name: "CommitGivenUp",
        breaks: &["NoAvoidableLoss", "SuccessorIsKept"],
        changes: &[Change {
            file: COMMIT,
            old: "let failures = it.failures.saturating_add(1);",
            new: "let failures = it.failures.saturating_add(1);
            if PLANTED && failures > 2 {
                cx.known.affairs_mut().successor = None;
                return Rotation::Idle;
            }",
        }],
    },
    Planted {
        name: "ToldBeforeDurable",
        breaks: &["AcknowledgedWhenDurable"],
        changes: &[Change {
            file: COMMIT,
            old: "offer(now, claim, Form::Commit, 0, cx)",
            new: "if PLANTED {
                let generation = claim.generation.next();
                cx.tell(Event::Rotated { generation, refresh: None });
            }
            offer(now, claim, Form::Commit, 0, cx)",
        }],
    },
    // The generation that is refused does not matter, the newest one dies.
    Planted {
        name: "DeathUnconditional",
        breaks: &["DeathIsVerified"],
        changes: &[
            Change {
                file: DOUBT,
                old: "let moved = record.generation >= claim.generation && !is_same;",
                new: "let moved = !PLANTED && record.generation >= claim.generation && !is_same;",
            },
            Change {
                file: DOUBT,
                old: "let Claim { generation, presented: refused, .. } = claim;",
                new: "let Claim { generation, presented: refused, .. } = claim;
            let held = cx.known.held.as_ref().and_then(|it| fingerprint(it.refresh()));
            let (generation, refused) =
                if PLANTED { (cx.generation(), held) } else { (generation, refused) };",
            },
        ],
    },
    Planted {
        name: "DeathWithoutSecondLook",
        breaks: &["DeathIsVerified"],
        changes: &[Change {
            file: DOUBT,
            old: "let call = Call::Asked(cx.load(now));
        Self::Verifying { call, cause, claim, failures: 0 }",
            new: "if PLANTED {
                let cause = cause.unwrap_or(CauseOfDeath::RefusedByServer);
                return Self::bury(now, claim, cause, 0, cx);
            }
            let call = Call::Asked(cx.load(now));
            Self::Verifying { call, cause, claim, failures: 0 }",
        }],
    },
    Planted {
        name: "CauseOfDeathGuessed",
        breaks: &["CauseIsRight"],
        changes: &[Change {
            file: DOUBT,
            old: "if claim.attempt > 1 {",
            new: "if !PLANTED && claim.attempt > 1 {",
        }],
    },
    Planted {
        name: "TransportErrorTerminal",
        breaks: &["DeathIsVerified"],
        changes: &[Change {
            file: ATTEMPT,
            old: "TransportFailure::BeforeSend => disarm::unsent(",
            new: "TransportFailure::BeforeSend if PLANTED => {
                let cause = Some(crate::store::CauseOfDeath::RefusedByServer);
                Rotation::Doubt(Doubt::verify(now, claim, cause, cx))
            }
            TransportFailure::BeforeSend => disarm::unsent(",
        }],
    },
    // A renewal that fails early is told to those whose token is good.
    Planted {
        name: "EarlyFailureTold",
        breaks: &["GoodTokenIsServed"],
        changes: &[Change {
            file: REGIONS,
            old: "let held = held.filter(|it| Access::of(Some(it), now).is_good());",
            new: "let is_told = PLANTED && matches!(self.rotation(), Rotation::BackingOff { .. });
            let held = held.filter(|it| !is_told && Access::of(Some(it), now).is_good());",
        }],
    },
    // What is good is not served any more when the grant has died.
    Planted {
        name: "DeadGrantServesNothing",
        breaks: &["GoodTokenIsServed"],
        changes: &[Change {
            file: REGIONS,
            old: ".filter(|_| !is_ended(known.health))",
            new: ".filter(|_| !is_ended(known.health))
                .filter(|_| !(PLANTED && matches!(known.health, Health::Dead(_))))",
        }],
    },
    Planted {
        name: "ReplicaBelieved",
        breaks: &["PresentsTheNewest", "GoodTokenIsServed"],
        changes: &[Change {
            file: CONTEXT,
            old: "Some(std::cmp::Ordering::Less) => return Taken::Older,",
            new: "Some(std::cmp::Ordering::Less) if PLANTED => Taken::Newer,
            Some(std::cmp::Ordering::Less) => return Taken::Older,",
        }],
    },
    // Nobody who holds newer tokens writes them into a store that has gone back.
    Planted {
        name: "HealingSkipped",
        breaks: &["NoAvoidableLoss"],
        changes: &[Change {
            file: ARM,
            old: "let is_good = cx.known.health.may_present() && !is_ended(record.health);",
            new: "let is_good = !PLANTED && cx.known.health.may_present() && !is_ended(record.health);",
        }],
    },
    Planted {
        name: "MissingSuccessorErases",
        breaks: &["NoAvoidableLoss"],
        changes: &[Change {
            file: MODEL,
            old: "if has_successor { Health::Live } else { Health::LastLeg };",
            new: "if has_successor { Health::Live } else { Health::LastLeg };
            record.refresh.take_if(|_| PLANTED && successor.refresh.is_none());",
        }],
    },
    Planted {
        name: "MissingSuccessorKept",
        breaks: &["TokensBelongTogether"],
        changes: &[Change {
            file: JUDGE,
            old: "if !cx.is_single_use() {
                successor.refresh = None;
            }",
            new: "if !cx.is_single_use() {
                successor.refresh = None;
            } else if PLANTED && successor.refresh.is_none() {
                let held = cx.known.held.as_ref();
                successor.refresh = held.and_then(|it| it.refresh_token());
            }",
        }],
    },
    Planted {
        name: "PauseZero",
        breaks: &["NoStorm"],
        changes: &[Change {
            file: MARGINS,
            old: "let doublings = u32::from(failures.saturating_sub(1)).min(16);",
            new: "if PLANTED {
                return Duration::ZERO;
            }
            let doublings = u32::from(failures.saturating_sub(1)).min(16);",
        }],
    },
    Planted {
        name: "SkewSignFlipped",
        breaks: &["NoStaleToken"],
        changes: &[Change {
            file: MARGINS,
            old: "let ends_at = expires_at.before(self.last_moments.min(life / 10));",
            new: "let skew = self.last_moments.min(life / 10);
            let ends_at = if PLANTED { expires_at.after(skew) } else { expires_at.before(skew) };",
        }],
    },
    Planted {
        name: "ExpiryFromReceipt",
        breaks: &["NoStaleToken"],
        changes: &[Change {
            file: ATTEMPT,
            old: "let answer = token_answer::classify(&response, sent_at, now);",
            new: "let sent_at = if PLANTED { now } else { sent_at };
            let answer = token_answer::classify(&response, sent_at, now);",
        }],
    },
];
