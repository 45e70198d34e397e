//! What proves who we are: client credentials, static keys, tokens, and the header they end in.

mod authorization;
mod client;
mod keys;
mod token;

pub use authorization::Authorization;
pub use client::{ClientAuthentication, ClientCredentials, ClientId};
pub use keys::{ApiKey, PartnerApiKey, StaticCredential};
pub use token::{AccessToken, GrantedScope, RefreshToken, TokenSet};

use crate::{ConfigError, Fault, Secret, Setting};

/// Refuses what cannot be a credential: nothing, or something with a line break in it.
fn checked_text(text: &str, setting: Setting) -> Result<(), ConfigError> {
    if text.is_empty() {
        return Err(ConfigError::new(setting, Fault::Empty));
    }
    if text.chars().any(char::is_control) {
        return Err(ConfigError::new(setting, Fault::ControlCharacter));
    }
    Ok(())
}

/// Refuses what a header value cannot carry: only visible ASCII characters can be sent safely.
fn checked_header_secret(secret: &Secret, setting: Setting) -> Result<(), ConfigError> {
    let text = secret.expose();
    checked_text(text, setting)?;
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ConfigError::new(setting, Fault::NotPrintable));
    }
    Ok(())
}
