//! Strategies for property tests: anything that a network, a server or a browser can come up with.

mod answers;

pub use answers::{granted, token_answer};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;
use sr_auth_core::grant::Input;
use sr_auth_core::{SecretBytes, Timestamp, TransmitId, TransportFailure};

/// A run of a grant: moments, mostly in order, and what happened at each.
///
/// Inputs come late, twice, for requests that were never made, and with clocks that are set back.
pub fn trace(longest: usize) -> impl Strategy<Value = Vec<(Timestamp, Input)>> {
    vec((step(), input()), 0..=longest).prop_map(|steps| {
        let mut millis: u64 = 1_000_000;
        let moments = steps.into_iter().map(|(step, input)| {
            millis = millis.saturating_add_signed(step);
            (Timestamp::from_unix_millis(millis), input)
        });
        moments.collect()
    })
}

/// How far time moves, in milliseconds: nothing, a little, past every deadline, or backwards.
fn step() -> impl Strategy<Value = i64> {
    prop_oneof![
        2 => Just(0),
        4 => 1..2_000_i64,
        4 => 2_000..40_000_i64,
        3 => 40_000..200_000_i64,
        1 => 200_000..4_000_000_000_i64,
        2 => -100_000..0_i64,
    ]
}

/// One input for one of the first requests of a machine.
pub fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        3 => (transmit_id(), token_answer().boxed())
            .prop_map(|(id, response)| Input::Response { id, response }),
        4 => Just(Input::Timeout),
        4 => (transmit_id(), transport_failure(), received())
            .prop_map(|(id, failure, received)| Input::TransportFailed { id, failure, received }),
    ]
}

/// What arrived before a connection broke: nothing, or an answer up to some byte.
pub fn received() -> impl Strategy<Value = Option<http::Response<SecretBytes>>> {
    option::of((token_answer(), any::<Index>()).prop_map(|(answer, cut)| {
        answer.map(|body| {
            let whole = body.expose();
            SecretBytes::new(whole.iter().copied().take(cut.index(whole.len() + 1)).collect())
        })
    }))
}

/// The name of one of the first five transmissions.
pub fn transmit_id() -> impl Strategy<Value = TransmitId> {
    prop_oneof![4 => Just(1), 3 => Just(2), 2 => Just(3), 1 => 4..=5_u32]
        .prop_map(|count| (1..count).fold(TransmitId::FIRST, |id, _| id.next()))
}

/// Either kind of failure; *not sent* more often, since only it leads anywhere.
pub fn transport_failure() -> impl Strategy<Value = TransportFailure> {
    prop_oneof![3 => Just(TransportFailure::BeforeSend), 1 => Just(TransportFailure::AfterSend)]
}

/// The query of a redirect back: the parameters of a callback in any order, number and spelling.
///
/// `state` is the right value, which takes part as one among others.
pub fn callback_query(state: &'static str) -> impl Strategy<Value = String> {
    let value = prop_oneof![
        2 => Just(state.to_owned()),
        2 => Just("500".to_owned()),
        2 => Just("access_denied".to_owned()),
        2 => "[0-9a-f]{40}",
        1 => Just(String::new()),
        1 => "[ -~]{0,20}",
        1 => "(%[0-9a-fA-F]{0,2}){1,4}",
    ];
    let name = prop_oneof![
        4 => Just("state"), 4 => Just("code"), 2 => Just("error"),
        1 => Just("error_description"), 1 => Just("iss"), 1 => Just("other"), 1 => Just(""),
    ];
    let parameter = (name, value).prop_map(|(name, value)| format!("{name}={value}"));
    vec(parameter, 0..6).prop_map(|parameters| parameters.join("&"))
}
