//! How many consents of one account are carried out, in a table of bounded size.

use std::collections::BTreeMap;
use std::time::Duration;

use sr_auth_core::Timestamp;
use sr_partner::TenantId;

/// Counts the consents of accounts. Each costs SmartRecruiters requests, and makes the open pages of
/// others stale.
#[derive(Debug, Default)]
pub(crate) struct Consents(BTreeMap<TenantId, Window>);

#[derive(Clone, Copy, Debug)]
struct Window {
    count: u32,
    ends_at: Timestamp,
}

impl Consents {
    /// How many consents of an account are carried out in a [`WINDOW`](Self::WINDOW).
    pub(crate) const PER_ACCOUNT: u32 = 10;
    /// In which span they are counted.
    pub(crate) const WINDOW: Duration = Duration::from_secs(600);
    const LIMIT: usize = 4_096;

    /// Counts one; `false` when there have been too many.
    pub(crate) fn take(&mut self, now: Timestamp, tenant: &TenantId) -> bool {
        if let Some(window) = self.0.get_mut(tenant).filter(|it| now < it.ends_at) {
            if window.count >= Self::PER_ACCOUNT {
                return false;
            }
            window.count += 1;
            return true;
        }
        if self.0.len() >= Self::LIMIT {
            self.0.retain(|_, it| now < it.ends_at);
        }
        if self.0.len() >= Self::LIMIT {
            // The one that is over first counts least.
            let first = self.0.iter().min_by_key(|(_, it)| it.ends_at).map(|(it, _)| it.clone());
            if let Some(first) = first {
                self.0.remove(&first);
            }
        }
        self.0.insert(tenant.clone(), Window { count: 1, ends_at: now.after(Self::WINDOW) });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_so_many_consents_in_a_window_and_the_table_does_not_grow() {
        let mut consents = Consents::default();
        let now = Timestamp::from_unix_secs(1_000);
        let acme = TenantId::new("acme").unwrap();
        for _ in 0..Consents::PER_ACCOUNT {
            assert!(consents.take(now, &acme));
        }
        assert!(!consents.take(now, &acme));
        assert!(consents.take(now, &TenantId::new("globex").unwrap()));
        let later = now.after(Consents::WINDOW);
        assert!(consents.take(later, &acme));
        for number in 0..Consents::LIMIT + 9 {
            let tenant = TenantId::new(&format!("tenant {number}")).unwrap();
            consents.take(later, &tenant);
        }
        assert_eq!(consents.0.len(), Consents::LIMIT);
        assert!(consents.take(later.after(Consents::WINDOW), &acme));
        assert_eq!(consents.0.len(), 1);
    }
}
