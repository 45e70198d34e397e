//! What those who ask tell the driver.

use std::sync::Arc;

use sr_auth_core::lifecycle::{Application, View};
use sr_auth_core::store::{End, Generation, NewGrant};
use sr_auth_core::{Fingerprint, Secret, fleet};
use tokio::sync::oneshot;

use super::Entry;

/// What those who ask tell the driver.
#[derive(Debug)]
pub(crate) enum Command {
    /// Take in a grant, and say when it is durable.
    Adopt { entry: Arc<Entry>, grant: NewGrant<Secret>, reply: oneshot::Sender<()> },
    /// End a grant, and say when that is durable.
    End { end: End, entry: Arc<Entry>, generation: Option<Generation>, reply: oneshot::Sender<()> },
    /// This process has changed what is held.
    HoldsChanged,
    /// Decide whether refusals are believed.
    Judge(fleet::Ruling),
    /// The API refused a token.
    Rejected { entry: Arc<Entry>, fingerprint: Fingerprint },
    /// An application has new credentials.
    Replace { application: Application, place: u32 },
    /// Go on with everything that was stopped.
    Resume,
    /// End a grant for good, and say when that is durable.
    Retire { end: End, entry: Arc<Entry>, reply: oneshot::Sender<()> },
    /// Finish what was begun, then say so.
    Shutdown { reply: oneshot::Sender<()> },
    /// Drop the entries that nobody uses.
    Sweep,
    /// Say what is known of a grant; `None` when it is not in memory.
    View { entry: Arc<Entry>, reply: oneshot::Sender<Option<View>> },
    /// Somebody wants a token.
    Want { entry: Arc<Entry> },
}
