//! The setup page of one application for one company, and what its buttons do.

use std::fmt::Write as _;

use http::StatusCode;
use sr_auth_core::Timestamp;
use sr_partner::IntegrationKey;
use sr_partner::consent::ConsentDisplayMode;
use sr_partner::registration::AppRegistration;

use super::apps::{badge, logo, logo_of};
use super::layout::{self, Section};
use super::{Asked, refused, see_other};
use crate::simulator::answer::{self, Handled, Sources};
use crate::simulator::iso_time::iso_time;
use crate::simulator::page::{escape, form_target, scope_item};
use crate::simulator::{Connection, PartnerCallRecord, PartnerStep, Simulator};

const NO_APP: &str = "this company sees no such application";
/// How many calls of a partner a page shows.
const CALLS: usize = 12;

impl Simulator {
    pub(super) fn app_page(&self, app: &str, asked: &Asked<'_>) -> Handled {
        let Some((key, registration)) = self.asked_for(app, asked) else {
            return refused(StatusCode::NOT_FOUND, NO_APP);
        };
        let connection = self.connection(&key);
        let known = self.world.partner_app(app);
        let logo = known.map(logo).unwrap_or_default();
        let mut body = format!(
            "<div class=\"title\">\n{logo}<h1>{}</h1>\n{}</div>\n<p>{}</p>\n",
            escape(registration.name()),
            badge(connection),
            escape(registration.description().unwrap_or("No description.")),
        );
        body.push_str(&layout::alert(asked.form.filled("problem").and_then(told)));
        match connection {
            Connection::Connected => body.push_str(&self.connected(&key, registration)),
            Connection::Consented | Connection::NotConnected => {
                body.push_str(&unconnected(&key, registration, connection));
            }
        }
        body.push_str(&self.calls(&key));
        let mut sources = Sources::default();
        known.and_then(logo_of).into_iter().for_each(|logo| sources.add_image(logo));
        sources.form_targets = form_target(registration.consent_url());
        let company = Some(key.company.as_str());
        let html = layout::page(Section::Apps, company, registration.name(), &body);
        Handled::new(answer::page(StatusCode::OK, html, &sources))
    }

    /// Answers what the pop-up wants to know: whether the partner has exchanged credentials since.
    pub(super) fn app_state(&self, app: &str, asked: &Asked<'_>) -> Handled {
        let Some(key) = self.integration_of(app, asked) else {
            return refused(StatusCode::NOT_FOUND, NO_APP);
        };
        let state = serde_json::json!({
            "connection": self.connection(&key).as_str(), "exchanges": self.exchanges(&key),
        });
        let mut response = answer::json(StatusCode::OK, &state);
        answer::set(&mut response, http::header::CACHE_CONTROL, "no-store");
        // A page that looks often would fill the journal.
        Handled::new(response).unnoted()
    }

    pub(super) fn connect_form(&mut self, app: &str, asked: &Asked<'_>) -> Handled {
        let Some((key, registration)) = self.asked_for(app, asked) else {
            return refused(StatusCode::NOT_FOUND, NO_APP);
        };
        let mode = registration.mode();
        let back = format!("http://{}{}", asked.host, page_of(&key));
        match (self.connect(&key.app, &key.company, &back), mode) {
            (None, _) => refused(StatusCode::NOT_FOUND, NO_APP),
            (Some(visit), ConsentDisplayMode::Redirect) => see_other(visit.as_str()),
            (Some(_), ConsentDisplayMode::Popup) => {
                let (app, company) = (&key.app, &key.company);
                see_other(&format!("/pages/apps/{app}/popup?company={company}"))
            }
        }
    }

    pub(super) fn disable_form(&mut self, app: &str, asked: &Asked<'_>) -> Handled {
        let Some(key) = self.integration_of(app, asked) else {
            return refused(StatusCode::NOT_FOUND, NO_APP);
        };
        self.disable(&key);
        see_other(&page_of(&key))
    }

    pub(super) fn call_form(&mut self, app: &str, asked: &Asked<'_>) -> Handled {
        let Some(key) = self.integration_of(app, asked) else {
            return refused(StatusCode::NOT_FOUND, NO_APP);
        };
        let path = asked.form.filled("path").unwrap_or("/");
        if self.call_partner_api(&key, path) {
            return see_other(&page_of(&key));
        }
        see_other(&format!("{}&problem=call", page_of(&key)))
    }

    pub(super) fn asked_for(
        &self,
        app: &str,
        asked: &Asked<'_>,
    ) -> Option<(IntegrationKey, &AppRegistration)> {
        let key = self.integration_of(app, asked)?;
        let registration = self.world.partner_app(app)?.registration()?;
        Some((key, registration))
    }

    fn connected(&self, key: &IntegrationKey, registration: &AppRegistration) -> String {
        let integrations = self.integrations(key);
        let mut text = String::from("<h2>Integration</h2>\n");
        for it in &integrations {
            let partner = it.partner_client_id.as_deref().unwrap_or("none: one direction only");
            write!(
                text,
                "<dl>\n<dt>Integration id</dt><dd><code>{}</code></dd>\n\
                 <dt>The partner acts as client</dt><dd><code>{}</code></dd>\n\
                 <dt>SmartRecruiters acts at the partner as client</dt><dd><code>{}</code></dd>\n\
                 </dl>\n",
                escape(&it.integration_id),
                escape(&it.client_id),
                escape(partner),
            )
            .expect("a text takes every text");
        }
        let is_called = integrations.iter().any(|it| it.partner_client_id.is_some());
        if is_called && registration.inbound().is_some() {
            let hint =
                "On the host of oauthTokenUrl; SmartRecruiters sends GET with a token of it.";
            write!(
                text,
                "<form method=\"post\" action=\"{}\">\n<h2>Call the partner</h2>\n{}{}\
                 <button type=\"submit\">Call</button>\n</form>\n",
                action(key, "call"),
                hidden(key),
                layout::field("path", "Path of the partner's API", "/", hint, true),
            )
            .expect("a text takes every text");
        }
        write!(
            text,
            "<h2>Change</h2>\n<div class=\"row\">\n\
             <form method=\"post\" action=\"{}\">{}<button class=\"danger\" type=\"submit\">\
             Disable</button></form>\n<form method=\"post\" action=\"{}\">{}\
             <button type=\"submit\">Connect again</button></form>\n</div>\n",
            action(key, "disable"),
            hidden(key),
            action(key, "connect"),
            hidden(key),
        )
        .expect("a text takes every text");
        text
    }

    fn calls(&self, key: &IntegrationKey) -> String {
        let calls = self.partner_calls().rev().filter(|it| it.key == *key).take(CALLS);
        let rows: String = calls.map(row).collect();
        if rows.is_empty() {
            return String::new();
        }
        format!(
            "<h2 id=\"calls\">Calls of SmartRecruiters to the partner</h2>\n\
             <div class=\"scroll\" role=\"region\" aria-labelledby=\"calls\" tabindex=\"0\">\n\
             <table>\n<thead><tr>\
             <th scope=\"col\">Time</th><th scope=\"col\">Request</th><th scope=\"col\">Status</th>\
             <th scope=\"col\">Outcome</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
        )
    }
}

fn row(call: &PartnerCallRecord) -> String {
    let (method, what) = match call.step {
        PartnerStep::Api => ("GET", "the partner's API"),
        PartnerStep::Notice => ("POST", "INTEGRATION_DISABLED"),
        PartnerStep::Token => ("POST", "a token"),
    };
    let status = call.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    let outcome = match (call.problem, &call.body) {
        (Some(problem), _) => escape(problem),
        (None, Some(body)) => format!("<pre>{}</pre>", escape(body)),
        (None, None) => "done".to_owned(),
    };
    format!(
        "<tr><td>{}</td><td><code>{method} {}</code><br><span class=\"hint\">{what}</span></td>\
         <td>{status}</td><td>{outcome}</td></tr>\n",
        time(call.at),
        escape(&call.url),
    )
}

fn time(at: Timestamp) -> String {
    let text = iso_time(at);
    text.get(11..19).unwrap_or_default().to_owned()
}

fn unconnected(
    key: &IntegrationKey,
    registration: &AppRegistration,
    connection: Connection,
) -> String {
    let name = escape(registration.name());
    let scopes: String = registration.scopes().map(|it| scope_item(it.scope())).collect();
    let waiting = if connection == Connection::Consented {
        "<p class=\"note\" role=\"status\">You have agreed, and the partner has not finished. Nothing \
         is shared yet.</p>\n"
    } else {
        ""
    };
    format!(
        "{waiting}<h2>What {name} may do at SmartRecruiters</h2>\n<ul>\n{scopes}</ul>\n\
         <p>When you connect, you are sent to {name} to finish.</p>\n\
         <div class=\"row\">\n<form method=\"post\" action=\"{}\">{}\
         <button class=\"first\" type=\"submit\">Connect</button></form>\n\
         <a href=\"/pages/apps?company={}\">Cancel</a>\n</div>\n",
        action(key, "connect"),
        hidden(key),
        escape(key.company.as_str()),
    )
}

/// Returns the words for a problem that a form sent the browser back with.
fn told(problem: &str) -> Option<&'static str> {
    (problem == "call").then_some(
        "the path has to begin with one slash, and the partner to have given its credentials",
    )
}

fn action(key: &IntegrationKey, verb: &str) -> String {
    format!("/pages/apps/{}/{verb}", key.app)
}

fn hidden(key: &IntegrationKey) -> String {
    format!("<input type=\"hidden\" name=\"company\" value=\"{}\">\n", key.company)
}

/// Ids have unreserved characters only, so they can stand in any URL and in any page.
pub(super) fn page_of(key: &IntegrationKey) -> String {
    format!("/pages/apps/{}?company={}", key.app, key.company)
}
