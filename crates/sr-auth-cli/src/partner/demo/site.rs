//! The pages of the partner's service besides its consent page, and its own API.

use axum::extract::{Form, Query, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sr_auth_core::Scope;
use sr_partner::CompanyId;
use sr_partner_axum::{Caller, Connected, PartnerService};

use super::application::{ACCOUNTS, Application, NAME};
use super::stage::Customer;
use crate::exit::Failure;

/// What the pages need.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) application: Application,
    pub(super) customer: Customer,
}

/// Returns everything that the service answers to.
pub(super) fn router(service: &PartnerService, site: Site, scope: Scope) -> Router {
    Router::new()
        .route("/api/interviews", get(interviews).route_layer(service.guard(scope)))
        .route("/", get(home))
        .route("/jobs", get(jobs))
        .route("/sign-in", get(sign_in).post(signed_in))
        .with_state(site)
        .merge(service.router())
}

/// The API that SmartRecruiters calls: the company is that of the token.
async fn interviews(caller: Caller) -> Json<Value> {
    let interview = json!({ "candidate": "cand-1", "job": "job-1001", "status": "planned" });
    Json(json!({ "company": caller.company().as_str(), "interviews": [interview] }))
}

async fn home(State(site): State<Site>, headers: HeaderMap) -> Response {
    let Some((account, name, _)) = site.application.session(&headers) else {
        let body = "<p>Nobody is signed in. <a href=\"/sign-in\">Sign in</a></p>\n";
        return page(StatusCode::OK, NAME, body);
    };
    let companies = site.application.companies(account);
    let items: String = companies.iter().map(company).collect();
    let list = if items.is_empty() {
        "<p>No company is connected with this account. An administrator connects one at \
         SmartRecruiters, on the page Apps &amp; Integrations.</p>\n"
            .to_owned()
    } else {
        format!("<ul>\n{items}</ul>\n")
    };
    let body = format!(
        "<dl>\n<dt>Signed in as</dt>\n<dd>{name}</dd>\n</dl>\n\
         <h2>Companies at SmartRecruiters</h2>\n{list}\
         <p><a href=\"/sign-in\">Sign in with another account</a></p>\n"
    );
    page(StatusCode::OK, NAME, &body)
}

/// Ids have unreserved characters only, so they can stand in any page and in any URL.
fn company(connected: &Connected) -> String {
    let (company, number) = (&connected.key.company, connected.generation.number());
    format!(
        "<li><code>{company}</code>, connection {number}: <a href=\"/jobs?company={company}\">\
         Read its jobs at SmartRecruiters</a></li>\n"
    )
}

#[derive(Deserialize)]
struct OfCompany {
    company: String,
}

/// Calls the API of SmartRecruiters for a company of the account that is signed in.
async fn jobs(
    State(site): State<Site>,
    headers: HeaderMap,
    Query(of): Query<OfCompany>,
) -> Response {
    let Some((account, _, _)) = site.application.session(&headers) else {
        return Redirect::to("/sign-in").into_response();
    };
    let companies = site.application.companies(account);
    let known = companies.iter().find(|it| it.key.company.as_str() == of.company);
    let Some(known) = known else {
        let body = "<p>This company is not connected with your account.</p>\n";
        return page(StatusCode::NOT_FOUND, "Not connected", body);
    };
    match titles(&site.customer, &known.key.company).await {
        Ok(titles) => {
            let items: String =
                titles.iter().map(|it| format!("<li>{}</li>\n", escape(it))).collect();
            let body = format!("<ul>\n{items}</ul>\n<p><a href=\"/\">Back</a></p>\n");
            page(StatusCode::OK, "Jobs at SmartRecruiters", &body)
        }
        Err(failure) => {
            let (what, advice) = (escape(failure.what()), escape(failure.advice()));
            let body = format!("<p role=\"alert\">{what}; {advice}.</p>\n");
            page(StatusCode::BAD_GATEWAY, "SmartRecruiters did not answer", &body)
        }
    }
}

async fn titles(customer: &Customer, company: &CompanyId) -> Result<Vec<String>, Failure> {
    let answer = customer.read(company, "/jobs").await?;
    let jobs = answer.get("content").and_then(Value::as_array).cloned().unwrap_or_default();
    let titles = jobs.iter().filter_map(|job| job.get("title")?.as_str().map(str::to_owned));
    Ok(titles.collect())
}

#[derive(Deserialize)]
struct ReturnTo {
    #[serde(default)]
    return_to: String,
}

async fn sign_in(Query(back): Query<ReturnTo>) -> Response {
    let choice = |(at, (account, name)): (usize, &(&str, &str))| {
        let checked = if at == 0 { " checked" } else { "" };
        format!(
            "<div><input type=\"radio\" id=\"{account}\" name=\"account\" value=\"{account}\"\
             {checked}> <label for=\"{account}\">{name}</label></div>\n"
        )
    };
    let choices: String = ACCOUNTS.iter().enumerate().map(choice).collect();
    let body = format!(
        "<p class=\"note\">A demonstration has no passwords: choose who you are.</p>\n\
         <form method=\"post\" action=\"/sign-in\">\n\
         <input type=\"hidden\" name=\"return_to\" value=\"{}\">\n\
         <div>\n<fieldset>\n<legend>Account</legend>\n{choices}</fieldset>\n\
         <p><button type=\"submit\">Sign in</button></p>\n</div>\n</form>\n",
        escape(&back.return_to)
    );
    page(StatusCode::OK, "Sign in", &body)
}

#[derive(Deserialize)]
struct SignIn {
    account: String,
    #[serde(default)]
    return_to: String,
}

async fn signed_in(
    State(site): State<Site>,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Response {
    // Nobody is signed in with an account that a page of another site has chosen.
    let from = headers.get("sec-fetch-site").map(|it| it.as_bytes());
    if !matches!(from, None | Some(b"same-origin")) {
        return page(StatusCode::FORBIDDEN, "Not signed in", "<p>Sign in on this page.</p>\n");
    }
    let cookie = match site.application.begin_session(&form.account) {
        Ok(session) => session.and_then(|session| site.application.cookie.set(&session)),
        Err(_) => None,
    };
    let Some(cookie) = cookie else {
        return page(StatusCode::FORBIDDEN, "Not signed in", "<p>Choose an account.</p>\n");
    };
    let mut response = Redirect::to(back(&form.return_to)).into_response();
    response.headers_mut().insert(SET_COOKIE, cookie);
    response.headers_mut().insert(CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    response
}

/// Returns where a person goes after signing in: to the consent page, or home, and never elsewhere.
fn back(return_to: &str) -> &str {
    let plain = return_to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if plain && return_to.starts_with("/connect?") { return_to } else { "/" }
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} – {NAME}</title>\n\
         <link rel=\"stylesheet\" href=\"/connect/style.css\">\n\
         <link rel=\"icon\" href=\"data:,\">\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n"
    );
    let policy = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; \
                  base-uri 'none'; frame-ancestors 'none'";
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, Html(html)).into_response()
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p01_signing_in_leads_to_the_consent_page_or_home() {
        let cases = [
            ("/connect?companyId=60d1a4e2", "/connect?companyId=60d1a4e2"),
            ("", "/"),
            ("https://evil.example/", "/"),
            ("//evil.example/connect?", "/"),
            ("/\\evil.example/connect?", "/"),
            ("/connect?a=\r\nSet-Cookie: b", "/"),
        ];
        for (return_to, expected) in cases {
            assert_eq!(back(return_to), expected, "{return_to}");
        }
    }
}
