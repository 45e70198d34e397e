//! The desk of the Partner & API Team: applications, and the form for another one.

use http::StatusCode;
use sr_auth_core::{ClientAuthentication, ClientCredentials, Secret};

use super::layout::{self, Section};
use super::registration::RegistrationForm;
use super::shown::{self, Shown};
use super::{Asked, see_other, shown as shown_page};
use crate::simulator::Simulator;
use crate::simulator::answer::{self, Handled, Sources};
use crate::simulator::page::escape;
use crate::world::PartnerApp;

impl Simulator {
    pub(super) fn partners_page(&mut self, asked: &Asked<'_>) -> Handled {
        let panel = shown::panel(&mut self.shown_once, asked.form.filled("shown"));
        shown_page(self.partners_html(&panel, None, &RegistrationForm::default()))
    }

    pub(super) fn registration_form(&mut self, asked: &Asked<'_>) -> Handled {
        let form = RegistrationForm::of(&asked.form);
        match form.registration() {
            Err(problem) => {
                let html = self.partners_html("", Some(&problem), &form);
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                let handled = Handled::new(answer::page(status, html, &Sources::default()));
                handled.because("the registration cannot be used")
            }
            Ok(registration) => {
                let name = registration.name().to_owned();
                let master = self.register_partner(registration);
                let (id, secret) = pair(master.client());
                let values = vec![
                    ("Application ID", Secret::new(master.app().to_string())),
                    ("Client ID", Secret::new(id)),
                    ("Client secret", secret),
                ];
                let ticket = self.secrets.hex(64);
                let name = format!("Master credentials of {name}");
                self.shown_once.add(&ticket, Shown { name, values });
                see_other(&format!("/pages/partners?shown={ticket}"))
            }
        }
    }

    fn partners_html(&self, panel: &str, problem: Option<&str>, form: &RegistrationForm) -> String {
        let rows: String = self.world.partner_apps().filter_map(row).collect();
        let rows = if rows.is_empty() {
            "<tr><td colspan=\"4\">None yet.</td></tr>\n".to_owned()
        } else {
            rows
        };
        let body = format!(
            "<h1>Partner registration</h1>\n\
             <p>What the Partner &amp; API Team does by hand: it takes the data of an application, \
             reviews its scopes, and answers with an application id and master credentials.</p>\n\
             {panel}{}\
             <div class=\"scroll\" role=\"region\" aria-label=\"Applications\" tabindex=\"0\">\n\
             <table>\n<thead><tr><th scope=\"col\">Application</th><th scope=\"col\">Id</th>\
             <th scope=\"col\">Mode</th><th scope=\"col\">consentUrl</th></tr></thead>\n<tbody>\n\
             {rows}</tbody>\n</table>\n</div>\n{}",
            layout::alert(problem),
            form.html(&self.world),
        );
        layout::page(Section::Partners, None, "Partner registration", &body)
    }
}

fn row(app: &PartnerApp) -> Option<String> {
    let registration = app.registration()?;
    Some(format!(
        "<tr><th scope=\"row\">{}</th><td><code>{}</code></td><td>{}</td><td class=\"wrap\"><code>{}\
         </code></td></tr>\n",
        escape(registration.name()),
        escape(app.id().as_str()),
        registration.mode().as_str(),
        escape(registration.consent_url()),
    ))
}

fn pair(client: &ClientCredentials) -> (String, Secret) {
    let secret = match client.authentication() {
        ClientAuthentication::Basic(secret) | ClientAuthentication::Body(secret) => secret.clone(),
        ClientAuthentication::Certificate | _ => Secret::new(String::new()),
    };
    (client.id().as_str().to_owned(), secret)
}
