//! Apps & Integrations: the applications that a customer can connect.

use super::layout::{self, Section};
use super::{Asked, refused};
use crate::simulator::answer::{self, Handled, Sources};
use crate::simulator::page::escape;
use crate::simulator::{Connection, Simulator};
use crate::world::PartnerApp;
use http::StatusCode;
use sr_partner::{CompanyId, IntegrationKey};

impl Simulator {
    pub(super) fn apps_page(&self, asked: &Asked<'_>) -> Handled {
        let company = self.company_of(asked).and_then(|id| CompanyId::new(&id).ok());
        let Some(company) = company else {
            return refused(StatusCode::NOT_FOUND, "there is no such company");
        };
        let seen = |app: &&PartnerApp| {
            self.world.company(company.as_str()).is_some_and(|it| app.is_visible_to(it))
        };
        let apps: Vec<&PartnerApp> = self.world.partner_apps().filter(seen).collect();
        let cards: String = apps.iter().map(|app| self.card(app, &company)).collect();
        let list = if apps.is_empty() {
            "<p>No application is registered for this company. \
             <a href=\"/pages/partners\">Register one.</a></p>\n"
                .to_owned()
        } else {
            format!("<ul class=\"cards\">\n{cards}</ul>\n")
        };
        let body = format!(
            "<h1>Apps &amp; Integrations</h1>\n{}{list}",
            layout::company_choice(&self.world, "apps", company.as_str())
        );
        let mut sources = Sources::default();
        apps.iter().filter_map(|app| logo_of(app)).for_each(|logo| sources.add_image(logo));
        let html =
            layout::page(Section::Apps, Some(company.as_str()), "Apps & Integrations", &body);
        Handled::new(answer::page(StatusCode::OK, html, &sources))
    }

    fn card(&self, app: &PartnerApp, company: &CompanyId) -> String {
        let Some(registration) = app.registration() else { return String::new() };
        let key = IntegrationKey { app: app.id().clone(), company: company.clone() };
        let description = registration.description().unwrap_or("No description.");
        format!(
            "<li class=\"card\">\n{}<div>\n<h2><a href=\"/pages/apps/{}?company={}\">{}</a></h2>\n\
             <p>{}</p>\n</div>\n{}</li>\n",
            logo(app),
            escape(app.id().as_str()),
            escape(company.as_str()),
            escape(registration.name()),
            escape(description),
            badge(self.connection(&key)),
        )
    }
}

/// The logo, which says nothing that the name does not say.
pub(super) fn logo(app: &PartnerApp) -> String {
    match logo_of(app) {
        Some(logo) => format!("<img class=\"logo\" src=\"{}\" alt=\"\">\n", escape(logo)),
        None => {
            let name = app.registration().map_or("", |it| it.name());
            let first = name.chars().next().unwrap_or('?').to_string();
            format!("<span class=\"logo\" aria-hidden=\"true\">{}</span>\n", escape(&first))
        }
    }
}

pub(super) fn logo_of(app: &PartnerApp) -> Option<&str> {
    app.registration()?.logo()
}

pub(super) fn badge(connection: Connection) -> String {
    let (class, text) = match connection {
        Connection::Connected => ("badge on", "Connected"),
        Connection::Consented => ("badge", "Waiting for the partner"),
        Connection::NotConnected => ("badge", "Not connected"),
    };
    format!("<span class=\"{class}\">{text}</span>\n")
}
