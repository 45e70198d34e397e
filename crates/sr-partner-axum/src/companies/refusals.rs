//! Listens to the fleet: credentials that are refused for good are of an integration that ended.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use sr_auth_core::lifecycle::Event;
use sr_auth_core::store::GrantKey;
use sr_auth_core::{ErrorCode, Timestamp};
use sr_auth_http::{Events, News};
use sr_partner::store::EndCause;
use tracing::{error, warn};

use super::ended::Gone;
use super::{CompanyTokens, Inner};

/// The span in which ends are counted.
const HOUR: Duration = Duration::from_secs(3_600);

/// Ends companies as long as anybody may ask for a source.
pub(super) async fn run(inner: Arc<Inner>, mut events: Events) {
    let mut refused = Refused::default();
    while let Some(news) = events.next().await {
        let News::Grant { event, key } = news else { continue };
        let now = inner.service.clock.now();
        if let Event::Rotated { .. } = event {
            refused.forget(&key);
        }
        let Event::ApplicationRefused { code } = event else { continue };
        let Some((company, attempt, generation)) = inner.company_of(&key) else {
            refused.forget(&key);
            continue;
        };
        if code != ErrorCode::InvalidClient || !refused.is_for_good(now, &key) {
            continue;
        }
        if !refused.may_end(now) {
            error!(
                target: "sr_partner", key = %company,
                "the credentials of many companies are refused: none more is ended by itself"
            );
            continue;
        }
        match inner.end(&company, Gone { attempt, cause: EndCause::Refused, generation }).await {
            Ok(()) => {
                refused.ended(now);
                refused.forget(&key);
            }
            Err(failure) => warn!(target: "sr_partner", key = %company, ?failure, "not ended yet"),
        }
    }
}

/// Refusals in a row, and what was ended because of them.
#[derive(Debug, Default)]
struct Refused {
    ended: VecDeque<Timestamp>,
    of: BTreeMap<GrantKey, Count>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    first_at: Timestamp,
    refusals: u32,
}

impl Refused {
    /// Counts a refusal, and tells whether it is for good.
    fn is_for_good(&mut self, now: Timestamp, key: &GrantKey) -> bool {
        let count = self.of.entry(key.clone()).or_insert(Count { first_at: now, refusals: 0 });
        count.refusals = count.refusals.saturating_add(1);
        count.refusals >= CompanyTokens::REFUSALS
            && now.since(count.first_at) >= CompanyTokens::REFUSED_FOR
    }

    fn forget(&mut self, key: &GrantKey) {
        self.of.remove(key);
    }

    /// Tells whether one more company may be ended by itself.
    fn may_end(&mut self, now: Timestamp) -> bool {
        while self.ended.front().is_some_and(|it| now.since(*it) >= HOUR) {
            self.ended.pop_front();
        }
        self.ended.len() < CompanyTokens::AT_ONCE
    }

    fn ended(&mut self, now: Timestamp) {
        self.ended.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_unix_secs(secs)
    }

    #[test]
    fn a_few_refusals_or_a_short_time_of_them_end_nothing() {
        let key = GrantKey::new("partner/planner/5f1b/1").expect("a key");
        // Moments of refusals, and whether the last of them is for good.
        let cases: [(&str, &[u64], bool); 5] = [
            ("one", &[0], false),
            ("two, long apart", &[0, 900], false),
            ("many in a moment", &[0, 30, 60, 90, 120, 299], false),
            ("three in five minutes", &[0, 30, 300], true),
            ("as the pauses of a fleet go", &[0, 30, 90, 210, 450], true),
        ];
        for (name, moments, expected) in cases {
            let mut refused = Refused::default();
            let last = moments.iter().map(|it| refused.is_for_good(at(*it), &key)).last();
            assert_eq!(last, Some(expected), "{name}");
            refused.forget(&key);
            assert!(!refused.is_for_good(at(9_000), &key), "{name}: a success begins anew");
        }
    }

    #[test]
    fn many_at_once_are_somebody_elses_mistake() {
        let mut refused = Refused::default();
        for number in 0..CompanyTokens::AT_ONCE {
            let now = at(u64::try_from(number).unwrap_or(0));
            assert!(refused.may_end(now));
            refused.ended(now);
        }
        let span = u64::try_from(CompanyTokens::AT_ONCE).unwrap_or(0);
        assert!(!refused.may_end(at(span)));
        assert!(!refused.may_end(at(3_599)));
        assert!(refused.may_end(at(3_600)), "one an hour old makes room for one");
    }
}
