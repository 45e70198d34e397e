//! The page at `/`: what this server is, and what is where.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use sr_auth_core::Endpoints;

use super::Shared;
use crate::simulator::{Simulator, Switches, document, escape};

pub(super) async fn show(State(shared): State<Arc<Shared>>) -> Response {
    let html = page(shared.simulator().switches(), shared.admin);
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'self'; frame-ancestors 'none'"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Html(html)).into_response()
}

fn page(switches: &Switches, admin: bool) -> String {
    let row = |left: &str, right: &str| {
        format!("<tr><td><code>{}</code></td><td>{}</td></tr>\n", escape(left), escape(right))
    };
    let mut endpoints = String::new();
    endpoints.push_str(&row(
        &format!("GET {}", Endpoints::AUTHORIZATION_PATH),
        "a browser; asks a user for consent",
    ));
    endpoints.push_str(&row(
        &format!("POST {}", Endpoints::TOKEN_PATH),
        "client id and secret; exchanges credentials for tokens",
    ));
    endpoints.extend(Simulator::endpoints().map(|(endpoint, needs)| row(&endpoint, needs)));
    let all = Switches::all().iter();
    let switches: String = all
        .map(|switch| {
            let now = switch.value(switches);
            let text = format!("{} ({})", switch.meaning(), switch.values());
            row(&format!("{}={now}", switch.name()), &text)
        })
        .collect();
    let inside = if admin {
        "<li><a href=\"/__sandbox/requests\">Requests so far, without secrets</a></li>\n\
         <li><a href=\"/__sandbox/switches\">Switches, as data</a></li>\n"
    } else {
        ""
    };
    let body = format!(
        "<h1>SmartRecruiters sandbox</h1>\n\
         <p>This server imitates the authentication of the SmartRecruiters API on your own machine, \
         for development and tests. It is not SmartRecruiters, and knows no real account.</p>\n\
         <h2>Pages</h2>\n<ul>\n\
         <li><a href=\"/pages/apps\">Apps &amp; Integrations</a>, where a customer connects and \
         disables the applications of partners</li>\n\
         <li><a href=\"/pages/credentials\">Credential Manager</a>, where a customer makes and \
         revokes API keys and OAuth clients</li>\n\
         <li><a href=\"/pages/partners\">Partner registration</a>, where the Partner &amp; API \
         Team gives master credentials</li>\n</ul>\n\
         <h2>Endpoints</h2>\n<table>\n<thead><tr><th scope=\"col\">Request</th>\
         <th scope=\"col\">Needs</th></tr></thead>\n<tbody>\n{endpoints}</tbody>\n</table>\n\
         <h2>Look inside</h2>\n<ul>\n\
         <li><a href=\"/v1/companies/AcmeLogistics/postings\">Public postings of a company</a></li>\n\
         {inside}</ul>\n\
         <h2>Switches</h2>\n<table>\n<thead><tr><th scope=\"col\">Switch</th>\
         <th scope=\"col\">Meaning</th></tr></thead>\n<tbody>\n{switches}</tbody>\n</table>\n"
    );
    document("SmartRecruiters sandbox", &body)
}
