//! 100,000 companies in one process: what each takes, and how they are found.

use std::hint::black_box;
use std::time::Duration;

use http::HeaderValue;
use sr_auth_core::Timestamp;
use sr_auth_core::store::GrantKey;
use sr_auth_http::{Clock, TokenSource};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region};

use crate::kept::{Kept, key};
use crate::timing::{in_turns, judge_beside};

/// How many companies there are.
const COMPANIES: u32 = 100_000;
/// What a company may take that has rested for a week, and what is wanted.
const IDLE: (f64, f64) = (193.0, 192.0);
/// What one may take whose header is at hand, and what is wanted.
const ACTIVE: (f64, f64) = (541.0, 320.0);

/// Returns what the sources hold on the heap: what comes back when they are dropped, the store and
/// its keys left out.
fn heap(kept: Kept) -> usize {
    let Kept { clock, runtime, sources, store } = kept;
    let region = Region::new(&INSTRUMENTED_SYSTEM);
    runtime.block_on(sources.shutdown());
    drop((sources, runtime));
    let change = region.change();
    drop((store, clock));
    change.bytes_deallocated - change.bytes_allocated
}

/// Returns what each company takes: clients, runtime and driver, which are there once, left out.
fn each(heap: impl Fn(u32) -> usize) -> f64 {
    heap(COMPANIES).saturating_sub(heap(1)) as f64 / f64::from(COMPANIES - 1)
}

fn active(companies: u32) -> Kept {
    let kept = Kept::new(companies, Clock::manual(Timestamp::from_unix_secs(1_000)));
    kept.publish(companies);
    kept
}

fn rested(companies: u32) -> Kept {
    let kept = active(companies);
    // At each pulse some grants let go of what the store has; entries without a header are dropped.
    kept.pass(1, Duration::from_secs(8 * 24 * 60 * 60));
    kept.pass(500, Duration::from_secs(2));
    kept
}

fn memory() -> bool {
    println!("memory of {COMPANIES} companies: keys of 24 characters, tokens of 39");
    let idle = each(|it| heap(rested(it)));
    let idle = judge_beside("heap bytes of a company that has rested for a week", idle, IDLE);
    let active = each(|it| heap(active(it)));
    let active = judge_beside("heap bytes of a company with its header", active, ACTIVE);
    idle & active
}

/// An order in which each comes once, and neighbours lie apart.
fn order() -> impl Iterator<Item = usize> {
    (0..u64::from(COMPANIES)).map(|it| (it * 61_803 % u64::from(COMPANIES)) as usize)
}

fn lookup(name: &'static str, find: impl Fn(usize) + 'static) -> (&'static str, Box<dyn FnMut()>) {
    (name, Box::new(move || order().for_each(|it| find(black_box(it)))))
}

fn lookups() {
    let kept = Kept::new(COMPANIES, Clock::system());
    kept.publish(COMPANIES);
    let keys: Vec<GrantKey> = (0..COMPANIES).map(key).collect();
    let handles: Vec<TokenSource> = (0..COMPANIES).map(|it| kept.source(it)).collect();
    let headers: Vec<HeaderValue> = (0..COMPANIES).map(header).collect();
    let by_key = keys.clone();
    let mut works = vec![
        lookup("limit: a list of headers, no key", move |it| drop(black_box(headers[it].clone()))),
        lookup("by handle, end checked", move |it| drop(black_box(handles[it].ready()))),
        lookup("by key, end checked", move |it| {
            drop(black_box(kept.sources.source(&by_key[it]).ready()));
        }),
    ];
    works.extend(peers(&keys));
    println!("finding one of {COMPANIES} companies and its header");
    let times = in_turns(&mut works, COMPANIES);
    for ((name, _), time) in works.iter().zip(times) {
        println!("(printed, not judged) {name:<36} {time:>8.1} ns");
    }
}

fn header(number: u32) -> HeaderValue {
    HeaderValue::from_str(&format!("Bearer DCRD10-{number:032x}")).expect("a header")
}

/// Maps that many threads share, which know nothing of the end of a token.
#[cfg(feature = "peers")]
fn peers(keys: &[GrantKey]) -> Vec<(&'static str, Box<dyn FnMut()>)> {
    let filled = || keys.iter().map(|it| it.as_str().to_owned()).zip((0..).map(header));
    let papaya: papaya::HashMap<String, HeaderValue> = filled().collect();
    let dashmap: dashmap::DashMap<String, HeaderValue> = filled().collect();
    let (first, second) = (keys.to_vec(), keys.to_vec());
    vec![
        lookup("papaya, end not checked", move |it| {
            drop(black_box(papaya.pin().get(first[it].as_str()).cloned()));
        }),
        lookup("dashmap, end not checked", move |it| {
            drop(black_box(dashmap.get(second[it].as_str()).map(|it| it.clone())));
        }),
    ]
}

#[cfg(not(feature = "peers"))]
fn peers(_: &[GrantKey]) -> Vec<(&'static str, Box<dyn FnMut()>)> {
    Vec::new()
}

/// Prints the tables, and tells whether the bounds are kept.
pub(crate) fn table() -> bool {
    let kept = memory();
    lookups();
    kept
}
