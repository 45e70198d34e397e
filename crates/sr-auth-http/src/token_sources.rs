//! The credentials of many companies.

mod builder;
mod rotation;

pub use builder::TokenSourcesBuilder;

use std::sync::Arc;

use sr_auth_core::lifecycle::Application;
use sr_auth_core::store::{End, GrantKey, Hold, HoldScope, Holds};
use sr_auth_core::{ClientCredentials, TokenEndpoint, TokenSet, fleet};
use sr_auth_store::HoldError;
#[cfg(doc)]
use sr_auth_store::Store;

use crate::runtime::{Command, Entry, Events, Runtime};
use crate::{SourceError, TokenSource};

/// Keeps the tokens of many companies: one task and one budget for all, and no task for each.
///
/// A company that nobody asks for is its record in the store and nothing else. It is read when it is
/// asked for, and leaves the memory when others need its place and nothing of it is under way.
/// Refresh tokens are renewed before their 28 days are over, whoever asks: all that rest in the
/// store, so another application needs a store of its own. Under
/// [`with_only_opened`](fleet::Settings::with_only_opened) two may share one, and only grants whose
/// source somebody holds are renewed unasked. Cloning is cheap, and clones are the same.
///
/// The task begins with [`build`](TokenSourcesBuilder::build) where there is a tokio runtime; see
/// [`TokenSource`] for how it ends.
///
/// # Examples
///
/// ```no_run
/// use sr_auth_core::store::GrantKey;
/// use sr_auth_core::{ClientCredentials, FingerprintKey, Secret};
/// use sr_auth_http::TokenSources;
/// use sr_auth_store::Store;
///
/// # async fn example(store: Store, tokens: sr_auth_core::TokenSet)
/// #     -> Result<(), Box<dyn std::error::Error>> {
/// let secret = Secret::new("9165228a82e4".to_owned());
/// let client = ClientCredentials::new("82e4424135fe", secret)?;
/// let fingerprints = FingerprintKey::new([7; 32]); // 32 random bytes, kept like a secret.
/// let sources =
///     TokenSources::authorization_code(client).store(store, fingerprints).build()?;
///
/// let key = GrantKey::new("acme-logistics")?;
/// sources.adopt(&key, &tokens).await?; // After the consent of a user.
/// let auth = sources.source(&key).authorization().await?;
/// sources.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TokenSources(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The place of the application whose users' grants these are; [`Entry::NOBODY`] if each company
    /// has its own client credentials.
    application: u32,
    endpoint: TokenEndpoint,
    runtime: Arc<Runtime>,
}

impl TokenSources {
    /// Keeps users' grants of one application. Their refresh tokens work once, so they need a
    /// [store](TokenSourcesBuilder::store) that does not forget.
    #[must_use]
    pub fn authorization_code(client: ClientCredentials) -> TokenSourcesBuilder {
        TokenSourcesBuilder::new(Some(client))
    }

    /// Keeps access tokens of companies that each have client credentials of their own: see
    /// [`client`](Self::client).
    #[must_use]
    pub fn client_credentials() -> TokenSourcesBuilder {
        TokenSourcesBuilder::new(None)
    }

    /// Returns the source of a company. It is cheap to keep, and cheap to ask for each time; nothing
    /// is read before its first use.
    #[must_use]
    pub fn source(&self, key: &GrantKey) -> TokenSource {
        let entry = self.0.runtime.entry(key, self.0.application);
        TokenSource::kept(entry, Arc::clone(&self.0.runtime))
    }

    /// Returns the source of a company with client credentials of its own, which take the place of
    /// those that it had.
    #[must_use]
    pub fn client(&self, key: &GrantKey, client: ClientCredentials) -> TokenSource {
        let runtime = &self.0.runtime;
        let application = Application::new(client, self.0.endpoint.clone());
        let entry = runtime.entry(key, Entry::NOBODY);
        match entry.application().filter(|it| *it != self.0.application) {
            Some(place) => runtime.replace(place, application),
            None => entry.set_application(runtime.register_own(application)),
        }
        TokenSource::kept(entry, Arc::clone(runtime))
    }

    /// Takes in what a user's consent brought; see [`TokenSource::adopt`].
    ///
    /// # Errors
    ///
    /// As for [`TokenSource::adopt`].
    pub async fn adopt(&self, key: &GrantKey, tokens: &TokenSet) -> Result<(), SourceError> {
        self.source(key).adopt(tokens).await
    }

    /// Ends a grant on purpose; see [`TokenSource::end`].
    ///
    /// # Errors
    ///
    /// As for [`TokenSource::adopt`].
    pub async fn end(&self, key: &GrantKey, end: End) -> Result<(), SourceError> {
        self.source(key).end(end).await
    }

    /// Returns what happens from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        self.0.runtime.events()
    }

    /// Holds grants, as an operator: see [`Store::hold`]. Other processes hear of it with their next
    /// pulse, this one at once. Callers get [`Cause::Held`](sr_auth_core::lifecycle::Cause::Held).
    ///
    /// # Errors
    ///
    /// As for [`Store::hold`].
    pub async fn hold(&self, scope: HoldScope, reason: &str) -> Result<Hold, HoldError> {
        let held = self.0.runtime.parts().store.hold(scope, reason).await;
        self.0.runtime.holds_changed();
        held
    }

    /// Releases what was held with exactly this scope: see [`Store::release`].
    ///
    /// # Errors
    ///
    /// As for [`Store::release`].
    pub async fn release(&self, scope: &HoldScope) -> Result<Vec<Hold>, HoldError> {
        let released = self.0.runtime.parts().store.release(scope).await;
        self.0.runtime.holds_changed();
        released
    }

    /// Returns what is held.
    ///
    /// # Errors
    ///
    /// As for [`Store::holds`].
    pub async fn holds(&self) -> Result<Holds, HoldError> {
        self.0.runtime.parts().store.holds().await
    }

    /// Decides, as an operator, whether refusals of grants are believed: after
    /// [`RefusalsDoubted`](sr_auth_core::fleet::FleetEvent::RefusalsDoubted).
    ///
    /// # Errors
    ///
    /// [`SourceError::ShutDown`] and [`SourceError::NoRuntime`].
    pub fn judge(&self, ruling: fleet::Ruling) -> Result<(), SourceError> {
        self.0.runtime.send(Command::Judge(ruling))
    }

    /// Ends a grant for good: whoever holds its source is refused from this call on, whatever is in
    /// the store, and whatever is under way. What it returns is ready when the end is durable, if
    /// there was anything to end.
    ///
    /// For credentials that were taken back: [`end`](Self::end) lets the source of a company that
    /// has client credentials of its own get another token with them.
    ///
    /// # Errors
    ///
    /// As for [`TokenSource::adopt`]. The source is retired all the same.
    pub fn retire(
        &self,
        key: &GrantKey,
        end: End,
    ) -> impl Future<Output = Result<(), SourceError>> + Send + use<> {
        let runtime = Arc::clone(&self.0.runtime);
        let entry = runtime.entry(key, self.0.application);
        entry.retire();
        async move {
            let command = |reply| Command::Retire { end, entry, reply };
            runtime.ask(runtime.parts().wait_within, command).await
        }
    }

    /// Lets everything go on at once that was stopped, as an operator who has repaired the cause.
    ///
    /// # Errors
    ///
    /// As for [`judge`](Self::judge).
    pub fn resume(&self) -> Result<(), SourceError> {
        self.0.runtime.send(Command::Resume)
    }

    /// Puts new client credentials in the place of the application's at once, whatever they are worth:
    /// for a repair. To rotate a secret, use [`rotate_client`](Self::rotate_client).
    pub fn replace_client(&self, client: ClientCredentials) {
        let application = Application::new(client, self.0.endpoint.clone());
        self.0.runtime.replace(self.0.application, application);
    }

    /// Begins nothing new, and returns when what was begun is finished; see
    /// [`TokenSource::shutdown`].
    pub async fn shutdown(&self) {
        self.0.runtime.shutdown().await;
    }
}
