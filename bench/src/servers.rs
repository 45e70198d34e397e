//! Stores on servers, beside the same statements written by hand over the bare drivers.
//!
//! ```text
//!  step     the life of a grant, in both ways
//!  by_hand  the bare drivers
//!  line     what counts round trips
//! ```
//!
//! Round trips gate, and instructions where this runs below callgrind. Times are those of this
//! machine and this minute. `cargo xtask bench --servers` starts the servers and names them.

mod by_hand;
mod line;
mod step;

use std::time::Instant;

use sr_auth_core::Secret;
use sr_auth_store::{PostgresBackend, RedisBackend, SealingKeys, Store};
use tokio::runtime::{Builder, Runtime};

use crate::timing::median;
use by_hand::Bare;
use line::Line;
use step::{LOAD, NAMES, Step, life};

/// How many grants live through all operations, in each of both ways.
const LIVES: u64 = 400;
/// How many times the same statement by hand an operation in PostgreSQL may take.
const WANTED: f64 = 1.1;
/// How many times `PING` the reading of a token from Redis may take.
const WANTED_OF_READING: f64 = 1.3;

/// The variables that name the servers, and what they are called in the table.
const SERVERS: [(&str, &str); 3] = [
    ("SR_AUTH_TEST_POSTGRES", "PostgreSQL"),
    ("SR_AUTH_TEST_PGBOUNCER", "through PgBouncer"),
    ("SR_AUTH_TEST_REDIS", "Redis"),
];

/// Prints what each operation takes on each server, and tells whether each took one round trip.
pub(crate) fn table() -> bool {
    let runtime = runtime();
    let columns = SERVERS.map(|(variable, name)| runtime.block_on(Column::measure(variable, name)));
    println!(
        "stores on servers, {LIVES} grants; for each operation its round trips, microseconds of the \
         same by hand and of the store"
    );
    let names = columns.iter().map(|it| format!("  {:<30}", it.name));
    println!("  {:<14}{}", "", names.collect::<String>());
    for (at, what) in ["asks nothing", "reads a row", "writes a row"].iter().enumerate() {
        let cells = columns.iter().map(|it| format!("     {:>7.1}{:20}", it.limits[at], ""));
        println!("  {what:<14}{}", cells.collect::<String>());
    }
    for (at, what) in NAMES.iter().enumerate() {
        let cells = columns.iter().map(|it| {
            let ([hand, store], trips) = (it.times[at], it.trips[at]);
            format!("  {trips}  {hand:>7.1} {store:>8.1} {:>6.2}x    ", store / hand)
        });
        println!("  {what:<14}{}", cells.collect::<String>());
    }
    for column in &columns {
        column.compare();
    }
    let kept = columns.iter().all(|it| it.trips.iter().all(|trips| *trips == 1));
    println!("{} one round trip for each operation", if kept { "met    " } else { "NOT MET" });
    kept
}

/// Does a work, so that its instructions can be counted: those of the server are not.
pub(crate) fn work(name: &str, operations: u32) -> bool {
    let (variable, way) = match name.split_once("-load") {
        Some(("postgres", way)) => ("SR_AUTH_TEST_POSTGRES", way),
        Some(("redis", way)) => ("SR_AUTH_TEST_REDIS", way),
        _ => return false,
    };
    runtime().block_on(async {
        let both = Both::open(&address(variable)).await;
        let [adopt, load, ..] = life(0);
        both.of_store(&adopt).await;
        both.by_hand(&adopt).await;
        for _ in 0..operations {
            match way {
                "" => both.of_store(&load).await,
                "-by-hand" => both.by_hand(&load).await,
                _ => return false,
            }
        }
        true
    })
}

/// One thread, so that nothing of what is measured is the waking of another.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn address(variable: &str) -> String {
    std::env::var(variable).expect("`cargo xtask bench --servers` names the servers")
}

/// What one server takes.
struct Column {
    limits: [f64; 3],
    name: &'static str,
    /// Of each operation: by hand, and of the store.
    times: [[f64; 2]; NAMES.len()],
    trips: [u64; NAMES.len()],
}

impl Column {
    async fn measure(variable: &str, name: &'static str) -> Self {
        let address = address(variable);
        let both = Both::open(&address).await;
        let mut limits = [(); 3].map(|()| Vec::new());
        let mut times = [(); NAMES.len()].map(|()| [Vec::new(), Vec::new()]);
        for number in 0..LIVES {
            limits[0].push(micros(both.bare.ask_nothing()).await);
            limits[1].push(micros(both.bare.read_a_row()).await);
            limits[2].push(micros(both.bare.write_a_row()).await);
            for (step, [by_hand, of_store]) in life(number).iter().zip(&mut times) {
                // In turns: who comes second finds the server warm.
                if number % 2 == 0 {
                    by_hand.push(micros(both.by_hand(step)).await);
                    of_store.push(micros(both.of_store(step)).await);
                } else {
                    of_store.push(micros(both.of_store(step)).await);
                    by_hand.push(micros(both.by_hand(step)).await);
                }
            }
        }
        let trips = trips(&address).await;
        let times = times.map(|it| it.map(median));
        Self { limits: limits.map(median), name, times, trips }
    }

    /// Says how the times stand to what is wanted of them.
    fn compare(&self) {
        let ratios = self.times.map(|[by_hand, of_store]| of_store / by_hand);
        let name = self.name;
        if name == "Redis" {
            let ratio = self.times[LOAD][1] / self.limits[0];
            println!("  {name}: a token is read in {ratio:.2} PING, wanted {WANTED_OF_READING}");
        } else {
            let most = ratios.iter().copied().fold(0.0, f64::max);
            let middle = median(ratios.to_vec());
            println!("  {name}: {middle:.2} by hand, at most {most:.2}, wanted {WANTED}");
        }
    }
}

/// Returns the round trips of each operation of the store.
async fn trips(address: &str) -> [u64; NAMES.len()] {
    let (address, line) = Line::open(address).await;
    let store = open(&address).await;
    let mut trips = [0; NAMES.len()];
    for (step, trips) in life(LIVES).iter().zip(&mut trips) {
        let before = line.turns();
        apply(&store, step).await;
        *trips = line.turns() - before;
    }
    trips
}

async fn micros(work: impl Future<Output = ()>) -> f64 {
    let started = Instant::now();
    work.await;
    started.elapsed().as_nanos() as f64 / 1e3
}

/// A store, and the bare driver of its server.
struct Both {
    bare: Bare,
    store: Store,
}

impl Both {
    async fn open(address: &str) -> Self {
        // The store first: it makes what both ask.
        let store = open(address).await;
        let bare = Bare::connect(address, &name(address)).await;
        Self { bare, store }
    }

    async fn by_hand(&self, step: &Step) {
        let (name, values) = &step.by_hand;
        let outcome = self.bare.call(name, values).await;
        assert!(outcome.is_none_or(|it| it == step.outcome), "{name} by hand");
    }

    async fn of_store(&self, step: &Step) {
        apply(&self.store, step).await;
    }
}

async fn apply(store: &Store, step: &Step) {
    let answer = store.apply(step.of_store.clone()).await.expect("the server answers");
    assert_eq!(answer.outcome.name(), step.outcome, "{}", step.by_hand.0);
}

/// Opens the store of this run.
async fn open(address: &str) -> Store {
    let keys = SealingKeys::random().expect("random bytes");
    let secret = Secret::new(address.to_owned());
    if address.starts_with("redis:") {
        let builder = RedisBackend::builder(&secret).expect("a good address");
        let backend = builder.name(&name(address)).expect("a good name").open().await;
        return Store::new(backend.expect("the server answers"), keys);
    }
    let builder = PostgresBackend::builder(&secret).expect("a good address");
    let backend = builder.connections(1).schema(&name(address)).expect("a good name").open().await;
    Store::new(backend.expect("the server answers"), keys)
}

/// A store of its own for each process and each way to a server.
fn name(address: &str) -> String {
    let port = address.split("127.0.0.1:").nth(1).and_then(|it| it.split('/').next());
    format!("bench_{}_{}", std::process::id(), port.expect("a server on the loopback"))
}
