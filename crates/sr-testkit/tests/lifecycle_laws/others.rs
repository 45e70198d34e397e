//! What others do in the store of a stage, and the tokens that all of them bring.

use std::time::Duration;

use sr_auth_core::Secret;
use sr_auth_core::store::{
    CauseOfDeath, Health, IntentId, NewGrant, NewIntent, OwnerId, Record, Refusals, Renewal,
    Sequence, Sibling, StoreOp, StoredToken, Successor, TakeOver,
};

use crate::chaos::Peer;
use crate::endpoint::LIFE;
use crate::stage::{Stage, key, named};

const DAY: Duration = Duration::from_secs(86_400);
const PEER: OwnerId = OwnerId::new(0xb);

impl Stage {
    /// The texts of the newest tokens.
    pub(crate) fn texts(&self) -> (String, String) {
        let number = self.number;
        (format!("canary-access-{number:06}-e7c5"), format!("canary-refresh-{number:06}-b259"))
    }

    fn token(&self, text: String, life: Duration) -> StoredToken<Secret> {
        let fingerprint = named(&text);
        let (ends_at, renew_at) = (self.clock.after(life), self.clock.after(life * 2 / 3));
        StoredToken { ends_at, fingerprint, renew_at, value: Secret::new(text) }
    }

    pub(crate) fn grant(&mut self) -> NewGrant<Secret> {
        let Successor { access, refresh } = self.successor();
        let refresh = refresh.filter(|_| self.keeps_refresh_tokens);
        let renewal =
            if self.keeps_refresh_tokens { Renewal::SingleUse } else { Renewal::Repeatable };
        NewGrant { access, refresh, renewal }
    }

    fn successor(&mut self) -> Successor<Secret> {
        self.number += 1;
        let (access, refresh) = self.texts();
        let access = Some(self.token(access, LIFE));
        Successor { access, refresh: Some(self.token(refresh, DAY * 28)) }
    }

    pub(crate) fn peer(&mut self, peer: Peer) {
        let Some(record) = self.store.record(&key()).cloned() else { return };
        let Record { generation, health, intent, refresh, .. } = record;
        let successor = self.successor();
        let (key, owner) = (key(), PEER);
        let new = || {
            let id = IntentId { number: u64::from(self.number), owner };
            let fingerprint = refresh.as_ref().map(|it| it.fingerprint);
            NewIntent { fingerprint, id, quiet: Duration::from_secs(135) }
        };
        let over = intent.as_ref().map(|it| TakeOver { even_if_alive: false, intent: it.id });
        let theirs = intent.as_ref().map(|it| it.id).filter(|it| it.owner == PEER);
        let op = match peer {
            Peer::Adopts => StoreOp::Adopt { grant: self.grant(), key, only_if_missing: false },
            Peer::Arms => StoreOp::Arm { generation, intent: new(), key, over: None },
            Peer::ArmsOver => StoreOp::Arm { generation, intent: new(), key, over },
            Peer::Buries => {
                let refused = refresh.as_ref().map(|it| it.fingerprint);
                let cause = CauseOfDeath::RefusedByServer;
                StoreOp::Bury { cause, generation, key, owner, refused }
            }
            Peer::Commits => {
                // Only what was presented has a successor.
                let is_ended = matches!(health, Health::Disabled | Health::Revoked);
                if is_ended || (refresh.is_none() && self.keeps_refresh_tokens) {
                    return;
                }
                let refresh = successor.refresh.filter(|_| self.keeps_refresh_tokens);
                let successor = Successor { refresh, ..successor };
                StoreOp::Commit { generation, key, owner, successor }
            }
            Peer::Disarms => {
                let Some(intent) = theirs else { return };
                let not_before = self.clock.after(Duration::from_secs(30));
                let refusals = Refusals { count: 1, first_at: self.clock, status: 403 };
                StoreOp::Disarm { intent, key, not_before, refusals }
            }
            Peer::Ends(end) => StoreOp::End { end, generation: None, key },
            Peer::Escrows => {
                let Some(token) = successor.refresh else { return };
                StoreOp::Escrow { key, owner, sibling: Sibling { from: generation, token } }
            }
            Peer::Lives => StoreOp::Pulse { alive: true, owner, since: Sequence(0) },
        };
        self.apply(op);
    }
}
