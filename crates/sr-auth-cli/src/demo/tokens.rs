//! Steps with what can be used once: a refresh token, and a code that came too late.

use std::time::Duration;

use sr_auth_core::grant::AuthorizationCodeGrant;
use sr_auth_core::{ErrorCode, GrantError, GrantFailure, TokenSet};
use sr_auth_http::Clock;

use super::consent::{Decision, round_trip};
use super::report::Report;
use super::stage::Stage;
use crate::exit::Failure;

/// One second more than a code lives.
const TOO_LATE: Duration = AuthorizationCodeGrant::CODE_LIFE.saturating_add(Duration::from_secs(1));

pub(super) async fn refreshed(
    stage: &Stage,
    report: &mut Report,
    tokens: Option<TokenSet>,
) -> Result<(), Failure> {
    report.step("Refresh: the refresh token is used up, and replaced")?;
    let first = tokens.as_ref().and_then(TokenSet::refresh);
    let there = report.check(first.is_some(), "there is a refresh token from the consent")?;
    let (true, Some(first)) = (there, first) else { return Ok(()) };
    let client = stage.tokens(stage.sandbox.credentials().application())?;
    let outcome = client.refresh(first.clone()).await;
    report.show(&stage.log)?;
    let Some(second) = report.obtained(outcome, "it was exchanged for new tokens")? else {
        return Ok(());
    };
    let differs = second.refresh().is_some_and(|it| !it.secret().matches(first.secret()));
    report.check(second.rotated() && differs, "the new refresh token is another one")?;
    let me = stage.read_with(second.access(), "/users/me").await;
    report.show(&stage.log)?;
    report.obtained(me, "the new access token works")?;
    report.say("Somebody presents the old refresh token once more.")?;
    let outcome = client.refresh(first.clone()).await;
    report.show(&stage.log)?;
    let refused = is_invalid_grant(&outcome);
    report.check(refused, "the spent refresh token is refused: invalid_grant")?;
    Ok(())
}

pub(super) async fn expired_code(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    report.step("An expired code: it lives 30 seconds")?;
    let trip = round_trip(stage, report, Decision::Authorize, false).await?;
    report.say(&format!("The clock of the server moves on by {} s.", TOO_LATE.as_secs()))?;
    stage.sandbox.advance(TOO_LATE);
    let client = stage.tokens(trip.settings.client())?;
    let grant = trip.pending.accept(&trip.settings, &trip.callback, trip.received_at)?;
    let outcome = client.authorization_code(grant).await;
    report.show(&stage.log)?;
    let refused = is_invalid_grant(&outcome);
    report.check(refused, "the server refuses the old code: invalid_grant")?;

    report.say("Once more, and this time it is the application that comes too late.")?;
    let trip = round_trip(stage, report, Decision::Authorize, false).await?;
    let before = stage.token_requests();
    let late = Clock::manual(trip.received_at.after(TOO_LATE));
    let client = stage.tokens_at(trip.settings.client(), late)?;
    let grant = trip.pending.accept(&trip.settings, &trip.callback, trip.received_at)?;
    let outcome = client.authorization_code(grant).await;
    report.show(&stage.log)?;
    let kept =
        matches!(&outcome, Err(failure) if matches!(failure.error(), GrantError::Expired(_)));
    report.check(kept, "the application knows that its code has expired")?;
    report.check(stage.token_requests() == before, "it is not even sent")?;
    if let Err(failure) = outcome {
        report.told(&failure.into())?;
    }
    Ok(())
}

fn is_invalid_grant(outcome: &Result<TokenSet, GrantFailure>) -> bool {
    matches!(outcome, Err(failure) if matches!(failure.error(), GrantError::Refused(response)
        if response.code() == ErrorCode::InvalidGrant))
}
