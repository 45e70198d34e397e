//! Standard output behind a queue: who does not read it holds nobody up.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tokio::task::JoinHandle;

use crate::console::{Console, is_closed};
use crate::exit::Failure;

/// How many texts may wait to be written.
const QUEUE: usize = 256;

/// Takes texts without ever waiting, and drops those that nobody makes room for.
#[derive(Debug)]
pub(crate) struct Outlet {
    dropped: u64,
    queue: SyncSender<String>,
}

/// What writes the texts, on a thread of its own: a write to a full pipe cannot be given up.
#[derive(Debug)]
pub(crate) struct Writer(JoinHandle<Result<(), Failure>>);

impl Outlet {
    /// Begins to write to standard output.
    pub(crate) fn open(console: Console) -> (Self, Writer) {
        let (outlet, texts) = Self::with_room_for(QUEUE);
        let write = move || texts.into_iter().try_for_each(|text| console.line(&text));
        (outlet, Writer(tokio::task::spawn_blocking(write)))
    }

    fn with_room_for(texts: usize) -> (Self, Receiver<String>) {
        let (queue, receiver) = sync_channel(texts);
        (Self { dropped: 0, queue }, receiver)
    }

    /// Has a text written, unless too many wait already.
    pub(crate) fn offer(&mut self, text: String) {
        if self.dropped > 0 {
            let note = format!("# {} requests are not shown: nobody read along", self.dropped);
            if self.queue.try_send(note).is_ok() {
                self.dropped = 0;
            }
        }
        if self.dropped > 0 || self.queue.try_send(text).is_err() {
            self.skip(1);
        }
    }

    /// Counts texts that are not even offered.
    pub(crate) const fn skip(&mut self, texts: u64) {
        self.dropped = self.dropped.saturating_add(texts);
    }
}

impl Writer {
    /// Waits until standard output fails; that nobody reads it any more is no failure.
    pub(crate) async fn failure(self) -> Failure {
        match self.0.await {
            Ok(Err(failure)) if !is_closed(&failure) => failure,
            Ok(_) | Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_makes_room_for_is_dropped_and_counted() {
        let (mut outlet, texts) = Outlet::with_room_for(3);
        for number in 1..=5 {
            outlet.offer(format!("text {number}"));
        }
        outlet.skip(2);
        let seen: Vec<String> = texts.try_iter().collect();
        assert_eq!(seen, ["text 1", "text 2", "text 3"]);
        outlet.offer("text 6".to_owned());
        outlet.offer("text 7".to_owned());
        let seen: Vec<String> = texts.try_iter().collect();
        assert_eq!(seen, ["# 4 requests are not shown: nobody read along", "text 6", "text 7"]);
    }
}
