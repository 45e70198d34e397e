//! What came of a login: the refresh token is kept first, then everything else is told.

use std::path::PathBuf;
use std::sync::Arc;

use sr_auth_core::{
    ClientCredentials, Endpoints, GrantFailure, GrantedScope, RefreshToken, Timestamp, TokenSet,
};
use sr_auth_http::Transport;

use super::Print;
use crate::console::{BOLD, Console};
use crate::exit::{Exit, Failure};
use crate::grants::Opened;
use crate::secret_file::Reserved;

/// Where the refresh token goes: to one place only, for it works once.
pub(super) enum Keeping {
    File(Reserved),
    Nowhere,
    Store(Box<GrantStore>),
}

/// An open store, and what else its grant needs.
pub(super) struct GrantStore {
    pub(super) client: ClientCredentials,
    pub(super) endpoints: Endpoints,
    pub(super) name: String,
    pub(super) opened: Opened,
    pub(super) transport: Arc<dyn Transport>,
}

/// Keeps the refresh token where the user wants it, and tells what was granted.
pub(super) async fn report(
    outcome: Result<TokenSet, GrantFailure>,
    keeping: Keeping,
    print: Option<Print>,
    now: Timestamp,
    console: &Console,
) -> Result<Exit, Failure> {
    let tokens = match outcome {
        Ok(tokens) => tokens,
        Err(failure) => {
            let Some(token) = failure.salvaged() else { return Err(failure.into()) };
            let told = keeping.rescue(token).await?;
            let mut failure = Failure::from(failure);
            if let Some((where_to, advice)) = told {
                console.note(&format!("The refresh token was saved in {where_to}."));
                failure = failure.advising(advice);
            }
            return Err(failure);
        }
    };
    let (kept, failure) = match keeping.keep(&tokens, now).await {
        Ok(kept) => (kept, None),
        // The access token is good all the same, and cannot be had a second time.
        Err(failure) => (Kept::Failed, Some(failure)),
    };
    let lines = describe(&tokens, &kept, now);
    for line in lines {
        match print {
            Some(Print::Token) => console.note(&line),
            None => console.line(&line)?,
        }
    }
    if print == Some(Print::Token) {
        console.line(tokens.access().secret().expose())?;
    }
    failure.map_or(Ok(Exit::Done), Err)
}

impl Keeping {
    async fn keep(self, tokens: &TokenSet, now: Timestamp) -> Result<Kept, Failure> {
        match (self, tokens.refresh()) {
            (Self::File(reserved), Some(token)) => reserved.keep(token.secret()).map(Kept::In),
            (Self::Nowhere, Some(_)) => Ok(Kept::Discarded),
            // Without a refresh token there is an access token to store.
            (Self::Store(store), _) => store.adopt(tokens, now).await,
            (Self::File(_) | Self::Nowhere, None) => Ok(Kept::None),
        }
    }

    /// Keeps a refresh token that came in an otherwise unusable answer; returns where it is and what
    /// to do with it, if it was kept.
    async fn rescue(self, token: &RefreshToken) -> Result<Option<(String, &'static str)>, Failure> {
        match self {
            Self::File(reserved) => {
                let path = reserved.keep(token.secret())?;
                Ok(Some((path.display().to_string(), "use it once, or log in again")))
            }
            Self::Nowhere => Ok(None),
            Self::Store(store) => {
                store.opened.rescue(token).await?;
                Ok(Some(("the store".to_owned(), "`sr-auth token` makes an access token of it")))
            }
        }
    }
}

impl GrantStore {
    /// Stores what came; returns when it is durable.
    async fn adopt(self, tokens: &TokenSet, now: Timestamp) -> Result<Kept, Failure> {
        let Self { client, endpoints, name, opened, transport } = self;
        let renewable = tokens.refresh().is_some();
        if !opened.is_own() {
            // No source: it would renew whatever is due in that store, as this client.
            opened.adopt(tokens, now).await?;
            return Ok(Kept::OfService { name, renewable });
        }
        let source = opened.source(client, endpoints, transport).build()?;
        let adopted = source.adopt(tokens).await;
        adopted.map_err(|error| Failure::from(error).advising("log in again when it can be"))?;
        source.shutdown().await;
        Ok(Kept::Stored { name, renewable })
    }
}

/// What became of the refresh token.
enum Kept {
    Discarded,
    Failed,
    In(PathBuf),
    None,
    OfService { name: String, renewable: bool },
    Stored { name: String, renewable: bool },
}

fn describe(tokens: &TokenSet, kept: &Kept, now: Timestamp) -> [String; 4] {
    let scope = match tokens.access().scope() {
        GrantedScope::Explicit(scopes) if scopes.is_empty() => "none at all".to_owned(),
        GrantedScope::Explicit(scopes) => scopes.to_string(),
        GrantedScope::AsRequested | _ => "as asked for".to_owned(),
    };
    let left = tokens.access().expires_at().since(now).as_secs();
    let refresh = match kept {
        Kept::Discarded => "discarded, as asked for".to_owned(),
        Kept::Failed => "not kept as asked for: see the error".to_owned(),
        Kept::In(path) => {
            format!("in {}, good for one use within 28 days", path.display())
        }
        Kept::None => "none came".to_owned(),
        Kept::OfService { renewable: false, .. } | Kept::Stored { renewable: false, .. } => {
            "none came; the access token is stored".to_owned()
        }
        Kept::OfService { name, .. } => format!("stored, sealed, as {name}"),
        Kept::Stored { name, .. } => {
            format!("stored, sealed, as {name}; `sr-auth token` and `sr-auth api` use it")
        }
    };
    [
        format!("{BOLD}The user has authorized the application.{BOLD:#}"),
        format!("scopes:        {scope}"),
        format!("access token:  expires in {left} s"),
        format!("refresh token: {refresh}"),
    ]
}
