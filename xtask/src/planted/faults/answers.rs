//! Faults in what an answer is taken to mean: scenarios of the transient, the permanent and the odd.

use super::Planted;
use crate::planted::change::Change;

const JUDGE: &str = "lifecycle/attempt/judge.rs";
const SUCCESS: &str = "wire/token_answer/success.rs";

pub(super) const FAULTS: [Planted; 6] = [
    Planted {
        name: "InvalidClientTerminal",
        breaks: &["DeathIsVerified"],
        changes: &[Change {
            file: JUDGE,
            old: "TokenAnswer::ClientRefused(response) => {",
            new: "TokenAnswer::ClientRefused(response) if PLANTED => refused(now, &response, claim, cx),
            TokenAnswer::ClientRefused(response) => {",
        }],
    },
    // A 5xx is taken for a refusal that spends nothing.
    Planted {
        name: "ServerFaultUnspent",
        breaks: &["TakeOverIsQuiet", "NoAvoidableLoss"],
        changes: &[Change {
            file: JUDGE,
            old: "TokenAnswer::ServerFault { retry_after } => {",
            new: "TokenAnswer::ServerFault { .. } if PLANTED => {
                disarm(now, claim, Blame::Endpoint, Timestamp::EPOCH, cx)
            }
            TokenAnswer::ServerFault { retry_after } => {",
        }],
    },
    // Silence is taken for a request that never arrived.
    Planted {
        name: "SilenceUnspent",
        breaks: &["TakeOverIsQuiet", "NoAvoidableLoss"],
        changes: &[Change {
            file: JUDGE,
            old: "if !cx.is_single_use() {
        // A token more or less",
            new: "if PLANTED || !cx.is_single_use() {
        // A token more or less",
        }],
    },
    Planted {
        name: "OddRefusalBelieved",
        breaks: &["DeathIsVerified"],
        changes: &[Change {
            file: JUDGE,
            old: "let (times, over) = BELIEVED_AFTER;",
            new: "let (times, over) = if PLANTED { (1, Duration::ZERO) } else { BELIEVED_AFTER };",
        }],
    },
    Planted {
        name: "TokenTypeDemanded",
        breaks: &["CallersAreAnswered"],
        changes: &[Change {
            file: SUCCESS,
            old: "token_type.is_none_or(|it|",
            new: "token_type.map_or(!PLANTED, |it|",
        }],
    },
    Planted {
        name: "AnyLifeBelieved",
        breaks: &["NoStaleToken"],
        changes: &[Change {
            file: SUCCESS,
            old: "match expires_in.and_then(Member::number) {",
            new: "match expires_in.and_then(Member::number) {
                Some(seconds) if PLANTED => Duration::from_secs_f64(seconds.clamp(0.0, 1e12)),",
        }],
    },
];
