//! What the sandbox prints when it has started: its address, and credentials to try.

use sr_auth_core::{ClientAuthentication, ClientCredentials, Secret};
use sr_testkit::{DemoCredentials, Sandbox};

use url::form_urlencoded;

use crate::console::{BOLD, DIM};

/// Writes the address, then for each method the lines for the shell and how to use them.
///
/// Every line that is no command is a comment, so that the whole text can be pasted into a shell.
pub(super) fn text(sandbox: &Sandbox) -> String {
    let origin = sandbox.origin();
    let credentials = sandbox.credentials();
    let (id, secret) = pair(credentials.service());
    let (app_id, app_secret) = pair(credentials.application());
    let (partner_id, partner_secret) = pair(credentials.partner().client());
    let key = credentials.api_key_secret().expose();
    let partner_key = credentials.partner_api_key_secret().expose();
    let redirect_uri: String =
        form_urlencoded::byte_serialize(credentials.redirect_uri().as_str().as_bytes()).collect();
    let company = DemoCredentials::COMPANY;
    format!(
        "# {BOLD}A SmartRecruiters sandbox listens on {origin}{BOLD:#}\n\
         # Its credentials work nowhere else. Paste these lines into another terminal:\n\
         \n\
         export SR_AUTH_ORIGIN='{origin}'\n\
         \n\
         # {BOLD}No credential{BOLD:#}, for public endpoints:\n\
         #   sr-auth api GET /v1/companies/{company}/postings --public\n\
         \n\
         # {BOLD}The API key of a company{BOLD:#}: sr-auth api GET /jobs --auth api-key\n\
         #   curl -H \"X-SmartToken: $SR_AUTH_API_KEY\" {origin}/jobs\n\
         export SR_AUTH_API_KEY='{key}'\n\
         \n\
         # {BOLD}The key of a partner{BOLD:#}: sr-auth api GET /feed/publications --auth \
         partner-api-key\n\
         export SR_AUTH_PARTNER_API_KEY='{partner_key}'\n\
         \n\
         # {BOLD}A client for client credentials{BOLD:#}: sr-auth token, or: sr-auth api GET /jobs\n\
         #   curl {origin}/identity/oauth/token -d grant_type=client_credentials \\\n\
         #     -d client_id=$SR_AUTH_CLIENT_ID -d client_secret=$SR_AUTH_CLIENT_SECRET\n\
         #   curl -H \"Authorization: Bearer $(sr-auth token)\" {origin}/jobs\n\
         export SR_AUTH_CLIENT_ID='{id}'\n\
         export SR_AUTH_CLIENT_SECRET='{secret}'\n\
         \n\
         # {BOLD}An application for the authorization code grant{BOLD:#}: sr-auth login\n\
         #   or open {origin}/identity/oauth/allow?client_id={app_id}&redirect_uri={redirect_uri}\n\
         #   curl {origin}/identity/oauth/token -d grant_type=authorization_code -d code=CODE \\\n\
         #     -d client_id=$SR_AUTH_APP_CLIENT_ID -d client_secret=$SR_AUTH_APP_CLIENT_SECRET\n\
         export SR_AUTH_APP_CLIENT_ID='{app_id}'\n\
         export SR_AUTH_APP_CLIENT_SECRET='{app_secret}'\n\
         \n\
         # {BOLD}The master credentials of a partner{BOLD:#}, whose application `{partner}` companies \
         connect\n\
         #   at {origin}/pages/apps; register another at {origin}/pages/partners\n\
         export SR_AUTH_PARTNER_CLIENT_ID='{partner_id}'\n\
         export SR_AUTH_PARTNER_CLIENT_SECRET='{partner_secret}'\n\
         \n\
         # {DIM}Ctrl-C ends it. What the documentation leaves open is a switch: sr-auth sandbox \
         --switches{DIM:#}",
        id = id,
        secret = secret.expose(),
        app_secret = app_secret.expose(),
        partner = credentials.partner().app(),
        partner_secret = partner_secret.expose(),
    )
}

/// Returns id and secret; every client of the sandbox has a secret.
fn pair(client: &ClientCredentials) -> (&str, Secret) {
    let secret = match client.authentication() {
        ClientAuthentication::Basic(secret) | ClientAuthentication::Body(secret) => secret.clone(),
        ClientAuthentication::Certificate | _ => Secret::new(String::new()),
    };
    (client.id().as_str(), secret)
}
