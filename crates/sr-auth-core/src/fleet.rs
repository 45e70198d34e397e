//! Many grants in one machine: when each is looked at, which may use the token endpoint, and when
//! nobody should.
//!
//! The parts are plain values, and slots of grants are numbers: the [`Wheel`] knows when the next
//! one is due, admission decides who goes first, the breakers say when an answer is about an
//! application or an endpoint and not about one grant.

#[cfg_attr(not(test), expect(dead_code, reason = "the machine that uses it comes next"))]
mod admission;
#[cfg_attr(not(test), expect(dead_code, reason = "the machine that uses it comes next"))]
mod breaker;
mod bucket;
#[cfg_attr(not(test), expect(dead_code, reason = "the machine that uses it comes next"))]
mod mass_death;
mod pause;
mod queue;
mod rings;
#[cfg_attr(not(test), expect(dead_code, reason = "the machine that uses it comes next"))]
mod slots;
mod wheel;

pub use slots::GrantId;
pub use wheel::Wheel;
