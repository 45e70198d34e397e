//! What is true, whatever a lifecycle believes: what the store has held, what was presented and by
//! which right, and what was received.
//!
//! It knows nothing of states, pauses or margins: only rules.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sr_auth_core::lifecycle::{Availability, Event, View};
use sr_auth_core::store::{Generation, Health, IntentId, NewIntent, OwnerId, Record, StoredToken};
use sr_auth_core::{Fingerprint, Secret, Timestamp, Transmit};

/// How long after asking for an intent the first byte may leave.
const FENCE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Truth {
    /// What a caller may be given, by the text of the token, and until when at the latest.
    lives: BTreeMap<String, Timestamp>,
    /// The intent that this process asked for last.
    asked: Option<Asked>,
    closing: bool,
    /// Every refresh token that the store has held, as the token or as a sibling.
    durable: BTreeSet<Fingerprint>,
    /// The access token of each generation that the store has had.
    generations: BTreeMap<Generation, Option<StoredToken<Secret>>>,
    /// Every health that the store has had at some generation.
    healths: BTreeSet<(Generation, String)>,
    /// The newest generation that was made by an end or a new consent.
    interrupted: Generation,
    /// Whether the store has gone back: generations then name more than one thing.
    is_restored: bool,
    owed: Vec<Owed>,
    owner: OwnerId,
    presented: Vec<Presented>,
    rejected: BTreeSet<Fingerprint>,
}

#[derive(Debug)]
struct Asked {
    asked_at: Timestamp,
    /// The record that answered it, if one did.
    armed: Option<Record<Secret>>,
    diverged: bool,
    id: IntentId,
    named: Option<Fingerprint>,
}

/// A presentation of ours.
#[derive(Debug)]
struct Presented {
    armed_at: Timestamp,
    count: u32,
    quiet: Duration,
    /// Whether it is known that nothing of it can act any more: it was answered, or not sent.
    settled: bool,
    token: Option<Fingerprint>,
}

/// A successor that was received.
#[derive(Debug)]
struct Owed {
    from: Generation,
    token: Fingerprint,
}

impl Truth {
    pub(crate) const fn new(owner: OwnerId) -> Self {
        Self {
            asked: None,
            closing: false,
            durable: BTreeSet::new(),
            generations: BTreeMap::new(),
            healths: BTreeSet::new(),
            interrupted: Generation::from_number(0),
            is_restored: false,
            lives: BTreeMap::new(),
            owed: Vec::new(),
            owner,
            presented: Vec::new(),
            rejected: BTreeSet::new(),
        }
    }

    /// Notes what the store holds now, and whether it was made by an end or a new consent.
    pub(crate) fn see(&mut self, record: &Record<Secret>, interrupts: bool) {
        let generation = record.generation;
        if interrupts {
            self.interrupted = self.interrupted.max(generation);
        }
        self.durable.extend(record.refresh.iter().map(|it| it.fingerprint));
        self.durable.extend(record.sibling.iter().map(|it| it.token.fingerprint));
        self.generations.insert(generation, record.access.clone());
        self.healths.insert((generation, format!("{:?}", record.health)));
        // Paid, or without a grant since an end or a new consent, or behind another sibling.
        let (durable, interrupted) = (&self.durable, self.interrupted);
        let sibling = record.sibling.as_ref().map(|it| it.from);
        self.owed.retain(|it| {
            let is_behind = interrupted > it.from || sibling.is_some_and(|from| from >= it.from);
            !durable.contains(&it.token) && !is_behind
        });
        if let Some(token) = &record.access {
            self.issue(token.value.expose(), token.ends_at);
        }
    }

    /// The store goes back: intents, commits and ends may be gone.
    pub(crate) fn forget(&mut self) {
        self.is_restored = true;
        self.presented.clear();
        self.owed.clear();
    }

    /// Notes an access token that may be served.
    pub(crate) fn issue(&mut self, text: &str, ends_at: Timestamp) {
        self.lives.entry(text.to_owned()).or_insert(ends_at);
    }

    pub(crate) const fn is_closing(&self) -> bool {
        self.closing
    }

    pub(crate) fn close(&mut self) {
        self.closing = true;
    }

    pub(crate) fn diverge(&mut self) {
        if let Some(asked) = &mut self.asked {
            asked.diverged = true;
        }
    }

    pub(crate) fn reject(&mut self, token: Fingerprint) {
        self.rejected.insert(token);
    }

    /// The lifecycle asks for an intent.
    pub(crate) fn ask(&mut self, now: Timestamp, intent: &NewIntent) {
        let (id, named) = (intent.id, intent.fingerprint);
        match self.asked.as_mut().filter(|it| it.id == id) {
            // The answer to the first offer was lost; the fence counts from there.
            Some(asked) => asked.named = named,
            None => {
                self.asked = Some(Asked { asked_at: now, armed: None, diverged: false, id, named });
            }
        }
    }

    /// The lifecycle is told that an intent stands.
    pub(crate) fn arm(&mut self, record: &Record<Secret>) {
        let stands = record.intent.as_ref().map(|it| it.id);
        if let Some(asked) = self.asked.as_mut().filter(|it| Some(it.id) == stands) {
            asked.armed = Some(record.clone());
        }
    }

    /// A presentation: by right of a durable intent that names the token, inside the fence, and not
    /// while an earlier one of the same token may still act.
    pub(crate) fn present(
        &mut self,
        now: Timestamp,
        transmit: &Transmit,
        token: Option<Fingerprint>,
    ) -> Result<(), TestCaseError> {
        prop_assert!(!self.closing, "a presentation after the shutdown");
        let Some(asked) = &self.asked else {
            return Err(TestCaseError::fail("a presentation without an intent"));
        };
        let Some(record) = &asked.armed else {
            return Err(TestCaseError::fail("a presentation before its intent is durable"));
        };
        let Some(intent) = record.intent.clone().filter(|it| it.id == asked.id) else {
            return Err(TestCaseError::fail("a presentation by right of another intent"));
        };
        prop_assert_eq!(intent.id.owner, self.owner);
        prop_assert_eq!(intent.fingerprint, asked.named, "another token was named");
        prop_assert_eq!(token, asked.named, "another token than the one that was named");
        let read = record.refresh.as_ref().map(|it| it.fingerprint);
        prop_assert_eq!(token, read, "another token than the one that was read");
        prop_assert!(!asked.diverged, "a clock has moved since the intent was asked for");
        let fence = asked.asked_at.after(FENCE);
        prop_assert!((asked.asked_at..=fence).contains(&now), "outside of the fence");
        prop_assert!(transmit.not_after <= fence, "may be written outside of the fence");
        let same = |it: &&Presented| token.is_some() && it.token == token && !it.settled;
        for earlier in self.presented.iter().filter(same) {
            let quiet_until = earlier.armed_at.after(earlier.quiet);
            let armed_at = intent.armed_at;
            prop_assert!(
                armed_at >= quiet_until,
                "presentation {} may still act until {quiet_until:?}, and it is {armed_at:?}",
                earlier.count,
            );
        }
        if self.is_restored {
            return Ok(());
        }
        let (armed_at, quiet) = (intent.armed_at, intent.quiet);
        let count = transmit.id.count();
        self.presented.push(Presented { armed_at, count, quiet, settled: false, token });
        Ok(())
    }

    /// Nothing of a presentation can act any more.
    pub(crate) fn settle(&mut self, count: u32) {
        for presented in self.presented.iter_mut().filter(|it| it.count == count) {
            presented.settled = true;
        }
    }

    /// A successor of a generation was received.
    pub(crate) fn owe(&mut self, from: Generation, token: Fingerprint) {
        if self.interrupted <= from && !self.is_restored {
            self.owed.push(Owed { from, token });
        }
    }

    /// Returns the successors that were received, are not durable, and have not lost their grant.
    pub(crate) fn unpaid(&self) -> impl Iterator<Item = Fingerprint> + '_ {
        self.owed.iter().map(|it| it.token)
    }

    /// What is told has happened in the store before.
    pub(crate) fn hear(&self, event: Event) -> Result<(), TestCaseError> {
        let is_at = |generation| self.generations.contains_key(&generation);
        if let Event::Rotated { generation, refresh } = event {
            prop_assert!(is_at(generation), "{event:?}: not durable");
            let durable = refresh.is_none_or(|it| self.durable.contains(&it));
            prop_assert!(durable, "{event:?}: its token is not durable");
        }
        if let Event::Adopted { generation } = event {
            prop_assert!(is_at(generation), "{event:?}: not durable");
        }
        if let Event::Died { cause, generation } = event {
            let dead = format!("{:?}", Health::Dead(cause));
            prop_assert!(self.healths.contains(&(generation, dead)), "{event:?}: not durable");
        }
        if let Event::Ended { end } = event {
            let ended = format!("{end:?}");
            let is_durable = self.healths.iter().any(|(_, health)| *health == ended);
            prop_assert!(is_durable, "{event:?}: not durable");
        }
        Ok(())
    }

    /// A good token is always served, one past its end never, and never one of anybody else.
    pub(crate) fn judge(
        &self,
        now: Timestamp,
        view: &View,
        availability: Availability<'_>,
        is_ending: bool,
    ) -> Result<(), TestCaseError> {
        let is_ended = matches!(view.health, Health::Disabled | Health::Revoked);
        if let Availability::Ready(token) = availability {
            let until = self.lives.get(token.value.expose()).copied();
            let Some(until) = until else {
                return Err(TestCaseError::fail("a token that was never issued for this grant"));
            };
            prop_assert!(now < token.ends_at && now < until, "served past its end");
            prop_assert!(!is_ended, "served although the grant has ended");
            return Ok(());
        }
        if self.is_restored {
            return Ok(());
        }
        let held = view.generation.and_then(|it| self.generations.get(&it)).cloned().flatten();
        let good = held.filter(|it| now < it.ends_at && !self.rejected.contains(&it.fingerprint));
        if let Some(token) = good.filter(|_| !is_ended && !is_ending) {
            let fingerprint = token.fingerprint;
            return Err(TestCaseError::fail(format!("{fingerprint} is good and not served")));
        }
        Ok(())
    }
}
