//! What a grant costs in memory: 100,000 in one fleet, counted by the allocator.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use sr_auth_core::fleet::{ApplicationId, Fleet, Input, Output, Settings};
use sr_auth_core::lifecycle::{self, Application, Availability, Process};
use sr_auth_core::store::{GrantKey, Model, NewGrant, OwnerId, Renewal, StoreIdentity, StoreOp};
use sr_auth_core::{
    ClientCredentials, Endpoints, FingerprintKey, Machine as _, RefreshToken, Secret, SecretBytes,
    Timestamp,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region};

use crate::timing::judge;

/// How many grants there are.
const GRANTS: u32 = 100_000;
/// What a grant may take that has rested for a week: its key, fingerprints and deadlines.
const RESTED: f64 = 192.0;
/// What an idle grant may take whose refresh token is younger: its text beside that.
const IDLE: f64 = 232.0;
/// What an active grant may take: an access token beside that. The header that is published comes
/// on top of it; with it the goal is the same 320 bytes, and is not met yet.
const ACTIVE: f64 = 320.0;

/// A fleet over a store that is a value, and a server that answers at once.
struct World {
    answers: u64,
    application: ApplicationId,
    fleet: Fleet,
    fingerprints: FingerprintKey,
    now: Timestamp,
    store: Model<Secret>,
}

impl World {
    fn new() -> Self {
        let client = ClientCredentials::new("82e4424135fe", Secret::new("9165228a82e4".to_owned()));
        let client = client.expect("a client");
        let application = Application::new(client, Endpoints::production().token().clone());
        let fingerprints = FingerprintKey::new([7; 32]);
        let process = Process::new(OwnerId::new(7), fingerprints.clone());
        let number = |it| NonZeroU32::new(it).expect("not zero");
        let settings = Settings::default()
            .with_budget(number(1_000_000), number(1_000_000))
            .with_in_flight(number(GRANTS))
            .with_capacity(number(GRANTS));
        let now = Timestamp::from_unix_secs(1_000);
        let mut fleet = Fleet::new(now, process, settings);
        let application = fleet.register(now, application, Renewal::SingleUse);
        let store = Model::new(StoreIdentity(1));
        Self { answers: 0, application, fleet, fingerprints, now, store }
    }

    fn key(number: u32) -> GrantKey {
        GrantKey::new(&format!("planner/company-{number:08}")).expect("a key")
    }

    /// Puts a grant into the store, as if another process had adopted it.
    fn adopt(&mut self, number: u32) {
        let secret = Secret::new(format!("{number:039x}"));
        let token = RefreshToken::new(secret, self.now).expect("a token");
        let grant = NewGrant::from_refresh_token(&token, &self.fingerprints);
        self.store.apply(
            self.now,
            StoreOp::Adopt { grant, key: Self::key(number), only_if_missing: false },
        );
    }

    /// Returns what the fleet holds on the heap: what comes back when it is dropped. What it shares
    /// with the store, the keys, is counted as its own.
    fn heap_of_fleet(self) -> usize {
        let Self { fleet, store, .. } = self;
        drop(store);
        let region = Region::new(&INSTRUMENTED_SYSTEM);
        drop(fleet);
        let change = region.change();
        change.bytes_deallocated - change.bytes_allocated
    }

    /// Does what the fleet asks for until it asks for nothing more.
    fn run(&mut self, input: Input) {
        self.fleet.handle_input(self.now, input);
        let mut inputs = VecDeque::new();
        loop {
            while let Some(output) = self.fleet.poll_output() {
                inputs.extend(self.answer(output));
            }
            let Some(input) = inputs.pop_front() else { return };
            self.fleet.handle_input(self.now, input);
        }
    }

    fn answer(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Store { grant, request } => {
                let kept = self.store.apply(self.now, request.op);
                let (id, result) = (request.id, Ok(kept));
                Some(match grant {
                    Some(grant) => {
                        Input::Grant { id: grant, input: lifecycle::Input::Stored { id, result } }
                    }
                    None => Input::Stored { id, result },
                })
            }
            Output::Transmit { grant, transmit } => {
                self.answers += 1;
                let body = format!(
                    r#"{{"access_token":"{:039x}","expires_in":1799,"refresh_token":"{:039x}"}}"#,
                    self.answers, self.answers
                );
                let response = http::Response::new(SecretBytes::new(body.into_bytes()));
                let input = lifecycle::Input::Response { id: transmit.id, response };
                Some(Input::Grant { id: grant, input })
            }
            Output::Availability(_)
            | Output::Drained
            | Output::Event { .. }
            | Output::Notice(_) => None,
        }
    }
}

/// A fleet in which every grant has been opened, and wanted if it is to be active.
fn world(is_active: bool) -> World {
    let mut world = World::new();
    world.run(Input::Timeout);
    for number in 0..GRANTS {
        world.adopt(number);
        let (application, key) = (world.application, World::key(number));
        if !is_active {
            world.run(Input::Open { application, key });
            continue;
        }
        world.run(Input::Want { application, key: key.clone() });
        let id = world.fleet.find(&key).expect("it is resident");
        let availability = world.fleet.availability(world.now, id);
        assert!(matches!(availability, Some(Availability::Ready(_))), "{number}: {availability:?}");
    }
    assert_eq!(world.fleet.len(), GRANTS as usize);
    world
}

/// A fleet in which every grant was used, and then rested for a week.
fn rested() -> World {
    let mut world = world(true);
    world.now = world.now.after(Duration::from_secs(8 * 24 * 60 * 60));
    // At each pulse some grants are read, since more has changed than a pulse tells; and then, at
    // each, some let go of what the store has.
    for _ in 0..500 {
        world.now = world.now.after(Duration::from_secs(2));
        world.run(Input::Timeout);
    }
    assert_eq!(world.fleet.len(), GRANTS as usize);
    world
}

/// Prints the table, and tells whether the goals are met.
pub(crate) fn table() -> bool {
    println!("memory of {GRANTS} grants in one fleet: keys of 24 characters, tokens of 39");
    let each = |world: World| world.heap_of_fleet() as f64 / f64::from(GRANTS);
    let rested = judge("heap bytes of a grant that has rested for a week", each(rested()), RESTED);
    let idle =
        judge("heap bytes of an idle grant: its refresh token, too", each(world(false)), IDLE);
    let active = judge("heap bytes of an active grant: both tokens", each(world(true)), ACTIVE);
    rested & idle & active
}
