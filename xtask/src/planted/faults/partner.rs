//! Faults of the partner's machines, and of the store of integrations.

use super::Planted;
use crate::planted::change::Change;

const ADMISSION: &str = "inbound/admission.rs";
const EXCHANGE: &str = "exchange.rs";
const ISSUER: &str = "inbound/issuer.rs";
const NOTIFICATION: &str = "inbound/notification.rs";
const OUTBOUND: &str = "outbound.rs";
const RECORD: &str = "store/record.rs";

pub(super) const FAULTS: [Planted; 12] = [
    // The request leaves without having been announced.
    Planted {
        name: "PostsUnannounced",
        breaks: &["InventedFirst"],
        changes: &[Change {
            file: EXCHANGE,
            old: "self.held.master = Some(token);",
            new: "self.held.master = Some(token);
                if PLANTED {
                    self.held.armed_at = now;
                    return self.post(now);
                }",
        }],
    },
    Planted {
        name: "RepeatsBlindly",
        breaks: &["NoBlindRepeat"],
        changes: &[Change {
            file: EXCHANGE,
            old: "(TransportFailure::AfterSend, None) => self.unsettled(now, id),",
            new: "(TransportFailure::AfterSend, None) if PLANTED => self.not_sent(now),
            (TransportFailure::AfterSend, None) => self.unsettled(now, id),",
        }],
    },
    // The browser goes back before the credentials are kept.
    Planted {
        name: "TellsBeforeKept",
        breaks: &["AcknowledgedWhenDurable"],
        changes: &[Change {
            file: EXCHANGE,
            old: "self.held.integrated = Some(integrated);",
            new: "self.held.integrated = Some(integrated);
                if PLANTED {
                    return self.await_owner(Unverified::NoProbe);
                }",
        }],
    },
    // The same request once more, without waiting until the first is certainly over.
    Planted {
        name: "RequestNeverOver",
        breaks: &["NoBlindRepeat"],
        changes: &[Change {
            file: EXCHANGE,
            old: "let until = self.held.armed_at.after(self.held.settings.spans.quiet).max(now);",
            new: "let quiet = self.held.armed_at.after(self.held.settings.spans.quiet);
        let until = if PLANTED { now } else { quiet.max(now) };",
        }],
    },
    Planted {
        name: "RepostsForEver",
        breaks: &["NoBlindRepeat"],
        changes: &[Change {
            file: EXCHANGE,
            old: "if again && !self.held.reposted {",
            new: "if again && (PLANTED || !self.held.reposted) {",
        }],
    },
    Planted {
        name: "TellsTwice",
        breaks: &["OneOutcome"],
        changes: &[Change {
            file: EXCHANGE,
            old: "self.held.tell(event);",
            new: "if PLANTED {
            self.held.tell(event.clone());
        }
        self.held.tell(event);",
        }],
    },
    Planted {
        name: "WaitsForEver",
        breaks: &["Bounded", "OneOutcome"],
        changes: &[Change {
            file: EXCHANGE,
            old: "Input::Timeout) if now >= until => self.settle(now),",
            new: "Input::Timeout) if now >= until && !PLANTED => self.settle(now),",
        }],
    },
    // All companies get the same name for SmartRecruiters.
    Planted {
        name: "ClientIdOfTheApp",
        breaks: &["ClientsAreUnique"],
        changes: &[Change {
            file: OUTBOUND,
            old: "let (id, secret) = entropy.split_at(32);",
            new: "let (id, secret) = entropy.split_at(32);
        let id = if PLANTED { id.get(..0).unwrap_or_default() } else { id };",
        }],
    },
    Planted {
        name: "HandsOutUnkept",
        breaks: &["AcknowledgedWhenDurable"],
        changes: &[Change {
            file: ISSUER,
            old: "Ok(answer) => self.issued(now, answer.outcome),
                    Err(_) => self.unavailable(),",
            new: "Ok(answer) => self.issued(now, answer.outcome),
                    Err(_) if PLANTED => {
                        let expires_at = now.after(self.issuer.life);
                        self.issued(now, PartnerOutcome::Issued { expires_at })
                    }
                    Err(_) => self.unavailable(),",
        }],
    },
    Planted {
        name: "AcknowledgesUnkept",
        breaks: &["AcknowledgedWhenDurable"],
        changes: &[Change {
            file: NOTIFICATION,
            old: "fn unavailable(&mut self) -> State {",
            new: "fn unavailable(&mut self) -> State {
        if PLANTED {
            self.task.respond(answer::empty(StatusCode::OK));
            return State::Done;
        }",
        }],
    },
    Planted {
        name: "AdmitsWhatHasEnded",
        breaks: &["EndIsHeard"],
        changes: &[Change {
            file: ADMISSION,
            old: "(false, _) => self.task.refuse(Refusal::Retired, invalid()),",
            new: "(false, _) if PLANTED => self.task.admit(principal),
            (false, _) => self.task.refuse(Refusal::Retired, invalid()),",
        }],
    },
    Planted {
        name: "ProvisionalWithoutEnd",
        breaks: &["EndIsHeard"],
        changes: &[Change {
            file: RECORD,
            old: "Phase::Posting { until, .. } => now < until,",
            new: "Phase::Posting { until, .. } => PLANTED || now < until,",
        }],
    },
];

/// Ways to break the store of integrations. The testkit has them; here stands what they break.
pub(super) const STORE: [(&str, &[&str]); 11] = [
    ("ArmForgets", &["InventedFirst"]),
    ("BeginOverAnyTenant", &["BoundByConsent"]),
    ("BeginTakesTwice", &["NoBlindRepeat"]),
    ("CommitBinds", &["BoundByConsent"]),
    ("CommitForgets", &["AcknowledgedWhenDurable"]),
    ("DisableEndsTheNewest", &["DisablesItsOwn"]),
    ("DisableForgets", &["AcknowledgedWhenDurable"]),
    ("EndKeepsClients", &["EndIsHeard"]),
    ("EndKeepsTokens", &["EndIsHeard"]),
    ("IssueForgets", &["AcknowledgedWhenDurable"]),
    ("ProvisionalForEver", &["EndIsHeard"]),
];
