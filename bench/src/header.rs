//! A header that is at hand, its end checked: what each request pays.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use arc_swap::ArcSwapOption;
use http::HeaderValue;
use rustix::time::{ClockId, clock_gettime};
use sr_auth_http::TokenSource;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region};

use crate::kept::{self, Kept};
use crate::timing::{in_turns, judge};

/// The limit: what is published, a clock of the kernel's last tick, a copy of the header.
pub(crate) struct Limit(ArcSwapOption<(HeaderValue, i64)>);

impl Limit {
    pub(crate) fn new() -> Self {
        let value = HeaderValue::from_str(&format!("Bearer DCRD10-{:032x}", 0));
        let mut value = value.expect("a header");
        value.set_sensitive(true);
        let ends_at = clock_gettime(ClockId::MonotonicCoarse).tv_sec + 1_799;
        Self(ArcSwapOption::from_pointee((value, ends_at)))
    }

    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let published = self.0.load();
        let (value, ends_at) = &**published.as_ref()?;
        (clock_gettime(ClockId::MonotonicCoarse).tv_sec < *ends_at).then(|| value.clone())
    }
}

/// Asks for the header if it is at hand, and copies its value, as into a request.
fn ready(source: &TokenSource) -> Option<HeaderValue> {
    source.ready().map(|it| it.value().clone())
}

/// Asks as a caller does, and gets the answer at once.
fn awaited(source: &TokenSource) -> HeaderValue {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(source.authorization()).poll(&mut context) {
        Poll::Ready(Ok(header)) => header.value().clone(),
        it => panic!("it is at hand: {it:?}"),
    }
}

/// Does a work, so that its instructions can be counted.
pub(crate) fn work(name: &str, operations: u32) -> bool {
    match name {
        "header" => {
            let (_kept, source) = kept::one();
            (0..operations).for_each(|_| drop(black_box(ready(black_box(&source)))));
        }
        "header-awaited" => {
            let (_kept, source) = kept::one();
            (0..operations).for_each(|_| drop(black_box(awaited(black_box(&source)))));
        }
        "header-limit" => {
            let limit = Limit::new();
            (0..operations).for_each(|_| drop(black_box(black_box(&limit).header())));
        }
        _ => return false,
    }
    true
}

/// How many headers are counted.
const HEADERS: u32 = 10_000;

/// Prints the table, and tells whether the goals are met.
pub(crate) fn table() -> bool {
    let (kept, source) = kept::one();
    let region = Region::new(&INSTRUMENTED_SYSTEM);
    (0..HEADERS).for_each(|_| drop(black_box(self::ready(&source))));
    let ready = region.change().allocations;
    let region = Region::new(&INSTRUMENTED_SYSTEM);
    (0..HEADERS).for_each(|_| drop(black_box(awaited(&source))));
    let awaited = region.change().allocations;
    println!("a header at hand, its end checked");
    times(kept, source);
    let ready = judge("allocations of 10,000 headers: ready()", ready as f64, 0.0);
    let awaited = judge("allocations of 10,000 headers: authorization()", awaited as f64, 0.0);
    ready & awaited
}

fn times(kept: Kept, source: TokenSource) {
    let (limit, other) = (Arc::new(Limit::new()), source.clone());
    let mut works: Vec<(&str, Box<dyn FnMut()>)> = vec![
        (
            "limit: ArcSwap, coarse clock, copy",
            Box::new(move || (0..HEADERS).for_each(|_| drop(black_box(limit.header())))),
        ),
        (
            "ready()",
            Box::new(move || (0..HEADERS).for_each(|_| drop(black_box(self::ready(&source))))),
        ),
        (
            "authorization()",
            Box::new(move || {
                // The driver is there, and has nothing to do.
                let _kept = &kept;
                (0..HEADERS).for_each(|_| drop(black_box(self::awaited(&other))));
            }),
        ),
    ];
    let times = in_turns(&mut works, HEADERS);
    for ((name, _), time) in works.iter().zip(times) {
        println!("(printed, not judged) {name:<36} {time:>8.1} ns");
    }
}
