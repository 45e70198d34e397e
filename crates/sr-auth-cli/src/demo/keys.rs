//! Steps without an exchange: no credential, an API key, a Partner API key.

use sr_auth_core::wire::api_refusal::ApiRefusal;
use sr_auth_http::{ApiError, TokenSource};
use sr_testkit::DemoCredentials;

use super::report::Report;
use super::stage::{Stage, items};
use crate::exit::Failure;

pub(super) async fn public_endpoint(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    report.step("No authentication: a public endpoint")?;
    let path = format!("/v1/companies/{}/postings", DemoCredentials::COMPANY);
    let answer = stage.api(TokenSource::none()).get(&path).await;
    report.show(&stage.log)?;
    if let Some(answer) = report.obtained(answer, "the postings of a company can be read")? {
        let listed = items(&answer).is_some_and(|count| count > 0);
        report.check(listed, "there are postings in the answer")?;
    }
    let sent = stage.sandbox.with(|simulator| {
        simulator.journal().last().is_some_and(|entry| entry.credential.is_some())
    });
    report.check(!sent, "no credential was sent")?;
    let answer = stage.api(TokenSource::none()).get("/jobs").await;
    report.show(&stage.log)?;
    let refused = is_refused(&answer, |it| matches!(it, ApiRefusal::Unauthenticated));
    report.check(refused, "other endpoints ask for a credential")?;
    Ok(())
}

pub(super) async fn api_key(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    report.step("API key: the whole company, in the header X-SmartToken")?;
    let key = stage.sandbox.credentials().api_key().clone();
    let answer = stage.api(TokenSource::api_key(key)).get("/jobs").await;
    report.show(&stage.log)?;
    if let Some(answer) = report.obtained(answer, "the jobs of the company can be read")? {
        let listed = items(&answer).is_some_and(|count| count > 0);
        report.check(listed, "there are jobs in the answer")?;
    }
    Ok(())
}

pub(super) async fn partner_api_key(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    report.step("Partner API key: the legacy key of a job board, in the same header")?;
    let credentials = stage.sandbox.credentials();
    let partner = TokenSource::partner_api_key(credentials.partner_api_key().clone());
    let answer = stage.api(partner.clone()).get("/feed/publications").await;
    report.show(&stage.log)?;
    report.obtained(answer, "the feed of all its companies can be read")?;
    let answer = stage.api(partner).get("/jobs").await;
    report.show(&stage.log)?;
    let refused = is_refused(&answer, |_| true);
    report.check(refused, "it does not open what a company's key opens")?;
    let in_url = stage.sandbox.with(|simulator| simulator.journal().any(|it| it.secret_in_url));
    report.check(!in_url, "no key was ever in a URL, though the service would take it there")?;
    Ok(())
}

/// Tells whether the API refused a call for such a reason.
pub(super) fn is_refused<T>(
    answer: &Result<T, ApiError>,
    reason: impl FnOnce(&ApiRefusal) -> bool,
) -> bool {
    matches!(answer, Err(ApiError::Refused(refused)) if reason(refused.refusal()))
}
