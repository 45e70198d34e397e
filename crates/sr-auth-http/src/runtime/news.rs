//! What happens, for logs, metrics and whoever listens: told in this one place. Nothing of it is
//! secret.

use sr_auth_core::fleet::FleetEvent;
use sr_auth_core::lifecycle::Event;
use sr_auth_core::store::GrantKey;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tracing::{debug, error, info, warn};

/// Something that happened to a grant, or to all of them.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "it is about one grant, or it is not")]
pub enum News {
    /// To one grant.
    Grant {
        /// What.
        event: Event,
        /// Which.
        key: GrantKey,
    },
    /// To the fleet.
    Fleet(FleetEvent),
}

/// What happens from the moment of listening on; see
/// [`TokenSources::events`](crate::TokenSources::events).
#[derive(Debug)]
pub struct Events(broadcast::Receiver<News>);

impl News {
    /// How many are kept for a listener that is slow.
    pub(super) const KEPT: usize = 1_024;
}

impl Events {
    pub(super) const fn new(receiver: broadcast::Receiver<News>) -> Self {
        Self(receiver)
    }

    /// Waits for what happens next; `None` when nothing can any more. A listener that is more than
    /// a thousand events late misses the oldest.
    pub async fn next(&mut self) -> Option<News> {
        loop {
            match self.0.recv().await {
                Ok(news) => return Some(news),
                Err(RecvError::Closed) => return None,
                Err(RecvError::Lagged(missed)) => {
                    warn!(target: "sr_auth", missed, "a listener is too slow for the events");
                }
            }
        }
    }
}

/// How much a person has to do with it.
#[derive(Clone, Copy, Debug)]
enum Weight {
    /// Somebody has to act.
    Act,
    /// All is well.
    Fine,
    /// Something is wrong, and it is being dealt with.
    Watch,
}

/// Writes down what happened.
pub(super) fn log(news: &News) {
    let (name, weight) = match news {
        News::Fleet(event) => of_fleet(event),
        News::Grant { event, .. } => of_grant(event),
    };
    #[cfg(feature = "metrics")]
    metrics::counter!("sr_auth_events_total", "event" => name).increment(1);
    match news {
        News::Fleet(it) => match weight {
            Weight::Act => error!(target: "sr_auth", event = name, detail = ?it, "fleet"),
            Weight::Fine => debug!(target: "sr_auth", event = name, detail = ?it, "fleet"),
            Weight::Watch => warn!(target: "sr_auth", event = name, detail = ?it, "fleet"),
        },
        News::Grant { event, key } => match weight {
            Weight::Act => {
                error!(target: "sr_auth", event = name, %key, detail = ?event, "grant");
            }
            Weight::Fine => info!(target: "sr_auth", event = name, %key, detail = ?event, "grant"),
            Weight::Watch => warn!(target: "sr_auth", event = name, %key, detail = ?event, "grant"),
        },
    }
}

fn of_grant(event: &Event) -> (&'static str, Weight) {
    match event {
        Event::Adopted { .. } => ("adopted", Weight::Fine),
        Event::ApplicationRefused { .. } => ("application_refused", Weight::Act),
        Event::CommitDelayed { .. } => ("commit_delayed", Weight::Watch),
        Event::Died { .. } => ("died", Weight::Act),
        Event::Dying { .. } => ("dying", Weight::Act),
        Event::Ended { .. } => ("ended", Weight::Fine),
        Event::InDoubt { .. } => ("in_doubt", Weight::Watch),
        Event::LastLeg { .. } => ("last_leg", Weight::Watch),
        Event::PersistentlyRejected { .. } => ("persistently_rejected", Weight::Act),
        Event::Presenting { .. } => ("presenting", Weight::Fine),
        Event::RenewalFailed { .. } => ("renewal_failed", Weight::Watch),
        Event::RequestRefused { .. } => ("request_refused", Weight::Act),
        Event::Rotated { .. } => ("rotated", Weight::Fine),
        Event::Salvaged { .. } => ("salvaged", Weight::Watch),
        Event::StoreBehind { .. } => ("store_behind", Weight::Watch),
        Event::SuccessorEscrowed { .. } => ("successor_escrowed", Weight::Watch),
        Event::SuccessorOutlived { .. } => ("successor_outlived", Weight::Fine),
        Event::Suspected { .. } => ("suspected", Weight::Watch),
        Event::TakenOver { .. } => ("taken_over", Weight::Fine),
        // From a core that is newer.
        _ => ("unnamed", Weight::Watch),
    }
}

fn of_fleet(event: &FleetEvent) -> (&'static str, Weight) {
    match event {
        FleetEvent::ApplicationResumed { .. } => ("application_resumed", Weight::Fine),
        FleetEvent::ApplicationStopped { .. } => ("application_stopped", Weight::Act),
        FleetEvent::EndpointResumed { .. } => ("endpoint_resumed", Weight::Fine),
        FleetEvent::EndpointStopped { .. } => ("endpoint_stopped", Weight::Watch),
        FleetEvent::Evicted { .. } => ("evicted", Weight::Fine),
        FleetEvent::Held { .. } => ("held", Weight::Act),
        FleetEvent::RefusalsBelieved => ("refusals_believed", Weight::Fine),
        FleetEvent::RefusalsDoubted => ("refusals_doubted", Weight::Act),
        FleetEvent::Released { .. } => ("released", Weight::Fine),
        FleetEvent::StoreRolledBack => ("store_rolled_back", Weight::Act),
        FleetEvent::StoreTrusted => ("store_trusted", Weight::Fine),
        FleetEvent::Unplaced { .. } => ("unplaced", Weight::Act),
        // From a core that is newer.
        _ => ("unnamed", Weight::Watch),
    }
}
