//! A lifecycle as a value without secrets: for status pages, snapshots and the explorer.

use std::time::Duration;

use super::attempt::{Attempt, Form};
use super::context::Rotation;
use super::doubt::Doubt;
use super::held::{Held, fingerprint};
use super::{Access, Regions, Wanted};
use crate::store::{Generation, Health};
use crate::{Fingerprint, Timestamp};

/// What a lifecycle knows and does. Spans are relative to the moment of looking, so two lifecycles
/// that will behave alike look alike.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct View {
    /// What the access token is good for.
    pub access: Access,
    /// The access token.
    pub access_token: Option<Fingerprint>,
    /// How long the access token will still be served.
    pub ends_in: Option<Duration>,
    /// Failures in a row.
    pub failures: u8,
    /// The generation that is held.
    pub generation: Option<Generation>,
    /// Whether the grant can bring tokens.
    pub health: Health,
    /// The refresh token.
    pub refresh_token: Option<Fingerprint>,
    /// How long the refresh token lasts by its 28 days.
    pub refresh_ends_in: Option<Duration>,
    /// What the renewal is doing.
    pub stage: Stage,
    /// How long until the machine acts by itself.
    pub timeout_in: Option<Duration>,
    /// The refresh token that the store does not have yet.
    pub uncommitted: Option<Fingerprint>,
    /// How much a renewal is wanted.
    pub wanted: Option<Wanted>,
}

/// What a renewal is doing.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Stage {
    /// Offering a successor as a new grant, since the record is gone.
    Adopting,
    /// Writing an intent.
    Arming,
    /// Waiting after a failure.
    BackingOff,
    /// Writing a verdict.
    Burying,
    /// Making a successor durable.
    Committing,
    /// Removing an intent.
    Disarming,
    /// Putting a successor aside.
    Escrowing,
    /// Nothing.
    Idle,
    /// Waiting for the token endpoint.
    InFlight,
    /// Waiting until an intent may be armed over.
    Quiet,
    /// Reading the record.
    Reading,
    /// The quiet period is over.
    Ripe,
    /// Reading the record again before a verdict.
    Verifying,
}

impl Stage {
    pub(crate) const fn of(rotation: Rotation) -> Self {
        match rotation {
            Rotation::Attempt(Attempt::Arming { .. }) => Self::Arming,
            Rotation::Attempt(Attempt::Committing { form, .. }) => match form {
                Form::Adopt => Self::Adopting,
                Form::Commit => Self::Committing,
                Form::Escrow => Self::Escrowing,
            },
            Rotation::Attempt(Attempt::Disarming { .. }) => Self::Disarming,
            Rotation::Attempt(Attempt::InFlight { .. }) => Self::InFlight,
            Rotation::BackingOff { .. } => Self::BackingOff,
            Rotation::Doubt(Doubt::Burying { .. }) => Self::Burying,
            Rotation::Doubt(Doubt::Quiet { ripe: false, .. }) => Self::Quiet,
            Rotation::Doubt(Doubt::Quiet { ripe: true, .. }) => Self::Ripe,
            Rotation::Doubt(Doubt::Reading { .. }) => Self::Reading,
            Rotation::Doubt(Doubt::Verifying { .. }) => Self::Verifying,
            Rotation::Idle => Self::Idle,
        }
    }
}

impl Regions {
    pub(crate) fn view(&self, now: Timestamp) -> View {
        let known = &self.known;
        let held = known.held.as_ref();
        let ahead = |at: Timestamp| at.since(now);
        let refresh = held.and_then(Held::refresh);
        let access = held.and_then(|it| it.access.as_deref());
        let successor = known.affairs().successor.as_deref().and_then(|it| it.refresh.as_ref());
        View {
            access: Access::of(held, now),
            access_token: fingerprint(access),
            ends_in: access.map(|it| ahead(it.ends_at)),
            failures: known.affairs().failures,
            generation: held.map(|it| it.generation),
            health: known.health,
            refresh_token: fingerprint(refresh),
            refresh_ends_in: refresh.map(|it| ahead(it.ends_at)),
            stage: Stage::of(self.rotation()),
            timeout_in: self.poll_timeout().map(ahead),
            uncommitted: fingerprint(successor),
            wanted: known.wanted,
        }
    }
}
