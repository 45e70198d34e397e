//! The contract of every machine: input, output and time are values.

use std::time::Duration;

use crate::{SecretBytes, Timestamp};

/// A protocol exchange that never performs I/O.
///
/// Feed it with [`handle_input`](Self::handle_input); after each call take every output with
/// [`poll_output`](Self::poll_output), then wait for an answer or for the moment named by
/// [`poll_timeout`](Self::poll_timeout), whichever comes first.
pub trait Machine {
    /// What can happen to it.
    type Input;
    /// What it asks for.
    type Output;

    /// Takes in one thing that happened at `now`.
    ///
    /// Never fails: input that no longer matters, such as an early timeout or an answer to an
    /// abandoned transmission, changes nothing.
    fn handle_input(&mut self, now: Timestamp, input: Self::Input);

    /// Returns the next thing to do, in the order in which it must be done.
    fn poll_output(&mut self) -> Option<Self::Output>;

    /// Returns when a timeout input is due; `None` means that only outside input can follow, or
    /// that the machine is done.
    fn poll_timeout(&self) -> Option<Timestamp>;
}

/// One request that a machine wants on the wire, exactly once.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a driver that skips a field is broken")]
pub struct Transmit {
    /// Names this transmission; the answer must carry it.
    pub id: TransmitId,
    /// The finished request.
    pub request: http::Request<SecretBytes>,
    /// The last moment at which the first byte may be written. Past it the driver must not write,
    /// and answers [`TransportFailure::BeforeSend`].
    pub not_after: Timestamp,
    /// How long to wait for the whole answer, from the moment of writing.
    pub answer_within: Duration,
}

/// Names one transmission of one machine.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TransmitId(u32);

impl TransmitId {
    /// The first transmission of a machine.
    pub const FIRST: Self = Self(1);

    /// Returns the name of the transmission after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Returns how many transmissions there have been, this one included.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0
    }
}

/// How a transmission failed, as far as a single-use credential is concerned.
///
/// When in doubt a transport says [`AfterSend`](Self::AfterSend): a wrong *before* repeats what may
/// be used only once, a wrong *after* costs a little time.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "bytes left or they did not: there is no third case")]
pub enum TransportFailure {
    /// Not sent: no byte of the request reached the network.
    BeforeSend,
    /// Maybe sent: some bytes left, and no complete answer came back.
    AfterSend,
}
