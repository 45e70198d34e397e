//! What came of a login: the refresh token is kept first, then everything else is told.

use std::path::PathBuf;

use sr_auth_core::{GrantFailure, GrantedScope, Timestamp, TokenSet};

use super::Print;
use crate::console::{BOLD, Console};
use crate::exit::{Exit, Failure};
use crate::secret_file::Reserved;

/// Keeps the refresh token where the user wants it, and tells what was granted.
pub(super) fn report(
    outcome: Result<TokenSet, GrantFailure>,
    reserved: Option<Reserved>,
    print: Option<Print>,
    now: Timestamp,
    console: &Console,
) -> Result<Exit, Failure> {
    let tokens = match outcome {
        Ok(tokens) => tokens,
        Err(failure) => {
            if let (Some(token), Some(reserved)) = (failure.salvaged(), reserved) {
                let path = reserved.keep(token.secret())?;
                console.note(&format!("The refresh token was saved in {}.", path.display()));
            }
            return Err(failure.into());
        }
    };
    let (kept, failure) = match (tokens.refresh(), reserved) {
        (Some(token), Some(reserved)) => match reserved.keep(token.secret()) {
            Ok(path) => (Kept::In(path), None),
            // The access token is good all the same, and cannot be had a second time.
            Err(failure) => (Kept::Failed, Some(failure)),
        },
        (Some(_), None) => (Kept::Discarded, None),
        (None, _) => (Kept::None, None),
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

/// What became of the refresh token.
enum Kept {
    Discarded,
    Failed,
    In(PathBuf),
    None,
}

fn describe(tokens: &TokenSet, kept: &Kept, now: Timestamp) -> [String; 4] {
    let scope = match tokens.access().scope() {
        GrantedScope::Explicit(scopes) if scopes.is_empty() => "none at all".to_owned(),
        GrantedScope::Explicit(scopes) => scopes.to_string(),
        GrantedScope::AsRequested | _ => "as asked for".to_owned(),
    };
    let left = tokens.access().expires_at().since(now).as_secs();
    let refresh = match kept {
        Kept::Discarded => "discarded; --refresh-token-file PATH keeps it".to_owned(),
        Kept::Failed => "not kept as asked for: see the error".to_owned(),
        Kept::In(path) => {
            format!("in {}, good for one use within 28 days", path.display())
        }
        Kept::None => "none came".to_owned(),
    };
    [
        format!("{BOLD}The user has authorized the application.{BOLD:#}"),
        format!("scopes:        {scope}"),
        format!("access token:  expires in {left} s"),
        format!("refresh token: {refresh}"),
    ]
}
