//! Steps with client credentials: a token, and what happens when an administrator revokes them.

use sr_auth_core::wire::api_refusal::ApiRefusal;
use sr_auth_core::{AccessToken, ErrorCode, GrantError};

use super::keys::is_refused;
use super::report::Report;
use super::stage::{Stage, items};
use crate::exit::Failure;

pub(super) async fn client_credentials(
    stage: &Stage,
    report: &mut Report,
) -> Result<Option<AccessToken>, Failure> {
    report.step("Client credentials: a token for the application itself")?;
    let client = stage.tokens(stage.sandbox.credentials().service())?;
    let token = client.client_credentials().await;
    report.show(&stage.log)?;
    let Some(token) = report.obtained(token, "id and secret were exchanged for a token")? else {
        return Ok(None);
    };
    let life = token.expires_at().since(stage.clock.now()).as_secs();
    let about = (1_700..=1_799).contains(&life);
    report.check(about, &format!("the token says that it lives {life} s more"))?;
    let answer = stage.read_with(&token, "/jobs").await;
    report.show(&stage.log)?;
    if let Some(answer) = report.obtained(answer, "the API takes the token as a bearer token")? {
        report.check(items(&answer).is_some(), "there are jobs in the answer")?;
    }
    Ok(Some(token))
}

pub(super) async fn revoked(
    stage: &Stage,
    report: &mut Report,
    token: Option<AccessToken>,
) -> Result<(), Failure> {
    report.step("Revoked client credentials: told plainly, and asked once")?;
    report.say("An administrator presses Revoke in the Credential Manager.")?;
    let credentials = stage.sandbox.credentials().service();
    let id = credentials.id().as_str();
    let known = stage.sandbox.with(|simulator| simulator.world_mut().revoke_client(id));
    report.check(known, "the credentials are revoked")?;
    let before = stage.token_requests();
    let outcome = stage.tokens(credentials)?.client_credentials().await;
    report.show(&stage.log)?;
    let told = matches!(&outcome, Err(GrantError::Refused(response))
        if response.code() == ErrorCode::InvalidClient);
    report.check(told, "the refusal is a typed error: invalid_client")?;
    if let Err(error) = outcome {
        report.told(&error.into())?;
    }
    let asked = stage.token_requests() - before;
    let sentence = format!("the server counts {asked} request: no storm of repeats");
    report.check(asked == 1, &sentence)?;
    if let Some(token) = token {
        let answer = stage.read_with(&token, "/jobs").await;
        report.show(&stage.log)?;
        let refused = is_refused(&answer, |it| matches!(it, ApiRefusal::Unauthenticated));
        report.check(refused, "the token from before is worth nothing any more")?;
    }
    Ok(())
}
