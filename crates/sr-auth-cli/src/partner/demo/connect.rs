//! Steps from registration to the first call: an application is connected.

use sr_auth_core::ScopeSet;
use sr_partner::consent::ConsentDisplayMode;
use sr_partner::store::Verified;
use sr_testkit::Connection;

use super::stage::{COMPANY, Stage};
use crate::demo::{Report, Shown};
use crate::exit::Failure;

/// What the partner's calls of the API need: no more than that is asked for.
const NEEDED: &str = "candidates_read company_read jobs_read";

pub(super) fn registration(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    report.step("Registration: what the Partner & API Team is told, and what it gives")?;
    report.say("The partner tells the team:")?;
    let message = stage.registration.to_message();
    for line in message.lines() {
        report.say(&format!("  {line}"))?;
    }
    let needed = ScopeSet::parse(NEEDED)?;
    let findings = stage.registration.review(&needed);
    report.check(findings.is_empty(), "no scope is asked for that is not needed")?;
    report.say("The team reviews it, and gives an application id and master credentials.")?;
    let app = stage.key()?.app;
    let known =
        stage.sandbox.with(|simulator| simulator.world().partner_app(app.as_str()).cloned());
    let approved = known.is_some_and(|it| *it.scopes() == needed);
    report.check(approved, &format!("the application `{app}` is approved with its scopes"))?;
    Ok(())
}

/// Walks to the consent page, and returns it.
pub(super) async fn consent(stage: &Stage, report: &mut Report) -> Result<Shown, Failure> {
    report.step("Consent: a customer's administrator connects the application")?;
    report.say("At SmartRecruiters, on the page Apps & Integrations:")?;
    let setup = stage.user_agent.get(&stage.page()).await?;
    let page = setup.page();
    let scopes = stage.registration.scopes().all(|it| page.codes.contains(it.scope().as_str()));
    report.check(scopes, "the page shows what the application may do at SmartRecruiters")?;
    let company = [("company", COMPANY)];
    let sent = stage.user_agent.post(&stage.action("connect"), &company).await?;
    report.show(&stage.log)?;
    let visit = match stage.registration.mode() {
        ConsentDisplayMode::Redirect => sent,
        ConsentDisplayMode::Popup => {
            report
                .say("In a pop-up, the page of SmartRecruiters shows the partner's in a frame.")?;
            let popup = stage.user_agent.follow(&sent).await?;
            stage.user_agent.get(&popup.page().frame.unwrap_or_default()).await?
        }
    };
    let visit = match stage.registration.mode() {
        ConsentDisplayMode::Redirect => stage.user_agent.follow(&visit).await?,
        // Nobody is signed in there: the page offers a window of its own.
        ConsentDisplayMode::Popup => {
            let to = visit.page().links.into_iter().find(|it| it.starts_with("/sign-in"));
            stage.user_agent.get(&format!("{}{}", stage.origin, to.unwrap_or_default())).await?
        }
    };
    let sign_in = match visit.target() {
        Some(_) => stage.user_agent.follow(&visit).await?,
        None => visit,
    };
    let page = sign_in.page();
    report.show(&stage.log)?;
    report
        .check(page.heading == "Sign in", "who is not signed in at the partner signs in first")?;
    let signed_in = stage.user_agent.submit(&sign_in, &page, &[("account", "acme")]).await?;
    let asked = stage.user_agent.follow(&signed_in).await?;
    report.show(&stage.log)?;
    let page = asked.page();
    let both = page.codes.contains(COMPANY) && page.text.contains("Acme Logistics at Example");
    report.check(both, "the consent page names the company, and the account it is joined with")?;
    let mut scopes = stage.registration.scopes().map(|it| it.scope().as_str());
    let all = scopes.all(|it| page.codes.contains(it)) && page.codes.contains("interviews_read");
    report.check(all, "it shows the scopes of both directions")?;
    report.check(stage.exchanges() == 0, "looking at it has exchanged nothing")?;
    Ok(asked)
}

pub(super) async fn exchange(
    stage: &Stage,
    report: &mut Report,
    asked: Shown,
) -> Result<(), Failure> {
    report.step("Exchange: one consent becomes one integration")?;
    let page = asked.page();
    let allow = [("decision", "allow")];
    let first = stage.user_agent.submit(&asked, &page, &allow);
    let second = stage.user_agent.submit(&asked, &page, &allow);
    report.say("The administrator presses Allow and connect, and presses it twice.")?;
    let (first, second) = tokio::join!(first, second);
    let (first, second) = (first?, second?);
    report.show(&stage.log)?;
    let count = stage.exchanges();
    let sentence = format!("SmartRecruiters counts {count} request for credentials");
    report.check(count == 1, &sentence)?;
    let key = stage.key()?;
    let connection = stage.sandbox.with(|simulator| simulator.connection(&key));
    report.check(connection == Connection::Connected, "the company is connected")?;
    let binding = stage.customer.record(&key).await?.binding;
    let binding = binding.map(|it| (it.verified, it.outbound.is_some()));
    let by_call = binding.is_some_and(|(it, _)| it != Verified::ByOwner);
    report.check(by_call, "a call with the new credentials has named this company")?;
    let ours = binding.is_some_and(|(_, ours)| ours);
    report.check(ours, "SmartRecruiters has credentials for the partner, kept there as digests")?;
    match stage.registration.mode() {
        ConsentDisplayMode::Redirect => {
            let home = |it: &Shown| it.target().is_some_and(|to| to.as_str() == stage.page());
            let back = home(&first) && home(&second);
            report
                .check(back, "only now does the browser go back, to the page that it came from")?;
        }
        ConsentDisplayMode::Popup => {
            let done = [first, second].iter().all(|it| it.page().heading == "Connected");
            report.check(done, "the frame says so, and SmartRecruiters closes the pop-up")?;
        }
    }
    Ok(())
}

pub(super) async fn first_call(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    report.step("The first call of the API on the company's behalf")?;
    let home = stage.user_agent.get(&format!("{}/jobs?company={COMPANY}", stage.origin)).await?;
    report.show(&stage.log)?;
    let jobs = home.page().text.contains("Truck Driver");
    report.check(jobs, "the partner reads the jobs of the company with a token of its own")?;
    let company = stage.key()?.company;
    let answer = stage.customer.read(&company, "/configuration/company").await;
    report.show(&stage.log)?;
    if let Some(answer) = report.obtained(answer, "the next call takes the same token")? {
        let id = answer.get("id").and_then(serde_json::Value::as_str);
        report.check(id == Some(COMPANY), "it opens this company and no other")?;
    }
    Ok(())
}
