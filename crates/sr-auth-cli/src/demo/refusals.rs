//! Steps with a good token that may not do what is asked.

use sr_auth_core::Scope;
use sr_auth_core::wire::api_refusal::ApiRefusal;

use super::keys::is_refused;
use super::report::Report;
use super::stage::Stage;
use crate::exit::Failure;

pub(super) async fn missing_scope(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    report.step("A missing scope: the error names it")?;
    let client = stage.tokens(stage.sandbox.credentials().narrow())?;
    let token = client.client_credentials().await;
    report.show(&stage.log)?;
    let Some(token) = report.obtained(token, "a client that may only read jobs has a token")?
    else {
        return Ok(());
    };
    let answer = stage.read_with(&token, "/jobs").await;
    report.show(&stage.log)?;
    report.obtained(answer, "it reads jobs")?;
    let answer = stage.read_with(&token, "/candidates").await;
    report.show(&stage.log)?;
    let needed = Scope::new("candidates_read")?;
    let names_it = is_refused(
        &answer,
        |refusal| matches!(refusal, ApiRefusal::MissingScope { needed: named } if named.contains(&needed)),
    );
    report.check(names_it, "it does not read candidates: candidates_read is named as missing")?;
    if let Err(error) = answer {
        report.told(&error.into())?;
    }
    Ok(())
}

pub(super) async fn no_api_access(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    report.step("A company without API access")?;
    let client = stage.tokens(stage.sandbox.credentials().locked_out())?;
    let token = client.client_credentials().await;
    report.show(&stage.log)?;
    let Some(token) = report.obtained(token, "its client gets a token all the same")? else {
        return Ok(());
    };
    let answer = stage.read_with(&token, "/jobs").await;
    report.show(&stage.log)?;
    let refused = is_refused(&answer, |it| matches!(it, ApiRefusal::NoApiAccess));
    report.check(
        refused,
        "the API says that the company has no access, and not that the token is bad",
    )?;
    if let Err(error) = answer {
        report.told(&error.into())?;
    }
    Ok(())
}
