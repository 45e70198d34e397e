//! What a process learns of a record.

use sr_auth_core::Timestamp;

use super::record::{is_ended, kept};
use super::{Invariant, Oracle};
use crate::simulation::storage::Row;

/// How a process comes to see a row.
#[derive(Clone, Copy, Debug)]
pub(in crate::simulation) struct Lesson {
    /// It is told that what it asked for is done: then it takes the row whatever it held.
    pub(in crate::simulation) is_done: bool,
    /// An older record in it shows the process that the store has gone back.
    pub(in crate::simulation) is_heeded: bool,
    /// It asked to see the record, and for nothing else.
    pub(in crate::simulation) is_read: bool,
    /// The answer comes after its time, or is not awaited any more: the machine takes it or does not.
    pub(in crate::simulation) late: bool,
    /// When the row was as it is shown.
    pub(in crate::simulation) shown_at: Timestamp,
}

impl Oracle {
    /// Is told that a process gets an answer of the store that shows `row`.
    pub(in crate::simulation) fn learned(
        &mut self,
        at: Timestamp,
        process: usize,
        grant: usize,
        row: &Row,
        answer: Lesson,
    ) {
        let Lesson { is_done, is_heeded, is_read, late, shown_at } = answer;
        for name in kept(Some(*row)).into_iter().flatten() {
            if self.chain.refresh(name).is_some_and(|token| token.grant != grant) {
                let detail = "a process is shown another grant's token";
                self.break_promise(at, Invariant::NoCrossTalk, detail, Some(process), Some(grant));
            }
            self.chain.held(Some(name), process);
        }
        if let Some(it) = self.grants.get(grant).filter(|_| is_ended(row.health)) {
            // Who is told of an end keeps nothing, so that a backup from before it finds nothing.
            self.chain.forget(process, it.live.iter().copied());
        }
        // What was shown before a backup was put back belongs to a future that is gone.
        let outdated = self.restored_at.is_some_and(|restored_at| shown_at < restored_at);
        let has_gone_back = self.restored_at.is_some();
        let newest = self.grants.get(grant).and_then(|it| it.row).map(|it| it.generation);
        let newest = newest.unwrap_or_default();
        let Some(seen) = self.seen_mut(process, grant) else { return };
        seen.outdated = is_read && row.generation < newest;
        seen.told_end.take_if(|it| row.generation > *it);
        if is_read {
            seen.read_at = seen.read_at.max(shown_at);
            seen.sibling = row.sibling;
        }
        if late || outdated || seen.told_lost_end > 0 {
            (seen.access, seen.ended) = (None, false);
            seen.held = seen.held.max(row.generation);
            return;
        }
        seen.generation = seen.generation.max(row.generation);
        if row.generation < seen.held && !is_done {
            // A replica that lags is not listened to; a store that has gone back is, unless what is
            // held is newer than all that it has.
            if is_heeded {
                seen.held = row.generation;
            }
            if is_heeded || has_gone_back {
                (seen.access, seen.ended) = (None, false);
            }
            return;
        }
        seen.held = row.generation;
        seen.ended = is_ended(row.health);
        let access = row.access.filter(|_| !seen.ended);
        if seen.access.map(|(name, _)| name) != access {
            seen.access_at = at;
        }
        seen.access = access.map(|name| (name, row.access_ends_at));
    }
}
