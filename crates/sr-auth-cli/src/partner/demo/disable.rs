//! Steps in the other direction, and the end: SmartRecruiters calls, and the customer disables.

use std::time::Duration;

use http::{Request, StatusCode};
use sr_auth_core::SecretBytes;
use sr_testkit::{Connection, PartnerCallRecord, PartnerStep};

use super::stage::{COMPANY, Stage};
use crate::demo::Report;
use crate::exit::Failure;

/// How long a retirement may take to reach all of the partner.
const RETIRED_WITHIN: Duration = Duration::from_secs(5);

/// Has SmartRecruiters call the partner, and returns a token that it holds then.
pub(super) async fn called(stage: &Stage, report: &mut Report) -> Result<Option<String>, Failure> {
    report.step("SmartRecruiters calls the partner's own API")?;
    let url = format!("{}/api/interviews", stage.origin);
    let nobody = stage.customer.send(get(&url, None)).await?;
    report.show(&stage.log)?;
    let refused = nobody.status() == StatusCode::UNAUTHORIZED;
    report.check(refused, "without a token the partner's API lets nobody in")?;
    let form = [("company", COMPANY), ("path", "/api/interviews")];
    stage.user_agent.post(&stage.action("call"), &form).await?;
    report.show(&stage.log)?;
    let calls = calls(stage);
    show(report, &calls)?;
    let token = calls.iter().any(|it| it.step == PartnerStep::Token && it.status == Some(200));
    report.check(token, "the partner gives SmartRecruiters a token for its client and secret")?;
    let body = calls.iter().find_map(|it| it.body.as_deref()).unwrap_or_default();
    let named = body.contains(&format!("\"company\":\"{COMPANY}\""));
    report.check(named, "the partner's API knows the company by the token alone")?;
    let request =
        stage.sandbox.with(|simulator| simulator.partner_token_request(&stage.key().ok()?));
    let Some(request) = request else { return Ok(None) };
    let answer = stage.customer.send(request).await?;
    stage.log.take();
    let token = crate::demo::json(&answer)
        .and_then(|it| it.get("access_token")?.as_str().map(str::to_owned));
    Ok(token)
}

pub(super) async fn disabled(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    report.step("The customer disables the integration")?;
    let before = calls(stage).len();
    stage.user_agent.post(&stage.action("disable"), &[("company", COMPANY)]).await?;
    report.show(&stage.log)?;
    let calls: Vec<_> = calls(stage).into_iter().skip(before).collect();
    show(report, &calls)?;
    let steps: Vec<_> = calls.iter().map(|it| (it.step, it.status)).collect();
    let said = [(PartnerStep::Token, Some(200)), (PartnerStep::Notice, Some(200))];
    report.check(steps == said, "SmartRecruiters takes a token, and tells with it")?;
    let key = stage.key()?;
    let connection = stage.sandbox.with(|simulator| simulator.connection(&key));
    report
        .check(connection == Connection::NotConnected, "the company is not connected any more")?;
    let told = stage.application.has_ended_within(RETIRED_WITHIN).await;
    report.check(told, "the application was told, once the end was durable")?;
    Ok(())
}

pub(super) async fn retired(
    stage: &Stage,
    report: &mut Report,
    token: Option<String>,
) -> Result<(), Failure> {
    report.step("Retirement: neither side's credentials open anything")?;
    let key = stage.key()?;
    let record = stage.customer.record(&key).await?;
    report.check(record.binding.is_none(), "the company's credentials are gone from the store")?;
    let retired = stage.customer.is_retired_within(&key.company, RETIRED_WITHIN).await;
    report.check(retired, "within five seconds the process has heard of it, too")?;
    let read = stage.customer.read(&key.company, "/jobs").await;
    report.show(&stage.log)?;
    report.check(read.is_err(), "the partner does not call for this company any more")?;
    if let Err(failure) = read {
        report.told(&failure)?;
    }
    if let Some(token) = token {
        let url = format!("{}/api/interviews", stage.origin);
        let answer = stage.customer.send(get(&url, Some(&token))).await?;
        report.show(&stage.log)?;
        let refused = answer.status() == StatusCode::UNAUTHORIZED;
        report.check(refused, "a token that SmartRecruiters still has opens nothing")?;
    }
    let home = stage.user_agent.get(&format!("{}/", stage.origin)).await?;
    report.show(&stage.log)?;
    let gone = home.page().text.contains("No company is connected");
    report.check(gone, "the partner's page shows no company")?;
    Ok(())
}

fn calls(stage: &Stage) -> Vec<PartnerCallRecord> {
    stage.sandbox.with(|simulator| simulator.partner_calls().cloned().collect())
}

/// Shows what the sandbox has sent.
fn show(report: &Report, calls: &[PartnerCallRecord]) -> Result<(), Failure> {
    for call in calls {
        let method = if call.step == PartnerStep::Api { "GET" } else { "POST" };
        report.sent("SR", method, &call.url, call.status, None)?;
    }
    Ok(())
}

fn get(url: &str, token: Option<&str>) -> Request<SecretBytes> {
    let mut request = Request::new(SecretBytes::default());
    *request.uri_mut() = url.parse().unwrap_or_default();
    if let Some(value) = token.and_then(|it| format!("Bearer {it}").parse().ok()) {
        request.headers_mut().insert(http::header::AUTHORIZATION, value);
    }
    request
}
