//! The Credential Manager.

use http::StatusCode;
use sr_auth_core::{Scope, ScopeSet, Secret};

use super::layout::{self, Section};
use super::shown::{self, Shown};
use super::{Asked, refused, see_other, shown as shown_page};
use crate::simulator::answer::{self, Handled, Sources};
use crate::simulator::page::escape;
use crate::simulator::{CredentialKind, CredentialView, Simulator};
use crate::world::SystemRole;

const NO_COMPANY: &str = "there is no such company";

impl Simulator {
    pub(super) fn credentials_page(&mut self, asked: &Asked<'_>) -> Handled {
        let Some(company) = self.company_of(asked) else {
            return refused(StatusCode::NOT_FOUND, NO_COMPANY);
        };
        let panel = shown::panel(&mut self.shown_once, asked.form.filled("shown"));
        shown_page(self.credentials_html(&company, &panel, None, asked))
    }

    pub(super) fn credential_form(&mut self, asked: &Asked<'_>) -> Handled {
        let Some(company) = self.company_of(asked) else {
            return refused(StatusCode::NOT_FOUND, NO_COMPANY);
        };
        let form = &asked.form;
        let name = form.filled("name").map(str::trim).filter(|name| !name.is_empty());
        let scopes = form.all("scope").map(Scope::new).collect::<Result<ScopeSet, _>>();
        let role = form.filled("role").and_then(SystemRole::from_id);
        let kind = match (form.filled("kind"), role, scopes) {
            (Some("api_key"), _, _) => Some(CredentialKind::ApiKey),
            (Some("oauth_client"), Some(role), Ok(scopes)) if !scopes.is_empty() => {
                Some(CredentialKind::OauthClient { role, scopes })
            }
            _ => None,
        };
        let (Some(name), Some(kind)) = (name, kind) else {
            let problem = "a credential needs a name, and an OAuth client ID at least one scope";
            let html = self.credentials_html(&company, "", Some(problem), asked);
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Handled::new(answer::page(status, html, &Sources::default())).because(problem);
        };
        let description = form.filled("description").unwrap_or_default();
        let Some(new) = self.create_credential(&company, name, description, kind) else {
            return refused(StatusCode::NOT_FOUND, NO_COMPANY);
        };
        let values = match new.client_id {
            None => vec![("API key", new.secret)],
            Some(id) => vec![("Client ID", Secret::new(id)), ("Client secret", new.secret)],
        };
        let ticket = self.secrets.hex(64);
        self.shown_once.add(&ticket, Shown { name: name.to_owned(), values });
        see_other(&format!("/pages/credentials?company={company}&shown={ticket}"))
    }

    pub(super) fn revoke_form(&mut self, asked: &Asked<'_>) -> Handled {
        let Some(company) = self.company_of(asked) else {
            return refused(StatusCode::NOT_FOUND, NO_COMPANY);
        };
        // One that is gone was revoked before, which is what was wanted.
        let _revoked =
            asked.form.filled("id").is_some_and(|id| self.revoke_credential(&company, id));
        see_other(&format!("/pages/credentials?company={company}"))
    }

    fn credentials_html(
        &self,
        company: &str,
        panel: &str,
        problem: Option<&str>,
        asked: &Asked<'_>,
    ) -> String {
        let rows = self.credentials_of(company);
        let rows: String = rows.iter().map(|it| row(company, it)).collect();
        let body = format!(
            "<h1>Credential Manager</h1>\n{}{panel}{}\
             <div class=\"scroll\" role=\"region\" aria-label=\"Credentials\" tabindex=\"0\">\n\
             <table>\n<thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Kind</th>\
             <th scope=\"col\">Id</th><th scope=\"col\">May do</th><th scope=\"col\">Action</th></tr>\
             </thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n{}",
            layout::company_choice(&self.world, "credentials", company),
            layout::alert(problem),
            new_credential(company, asked),
        );
        layout::page(Section::Credentials, Some(company), "Credential Manager", &body)
    }
}

fn row(company: &str, credential: &CredentialView) -> String {
    let (kind, may) = match &credential.kind {
        CredentialKind::ApiKey => ("API key", "Everything of the company".to_owned()),
        CredentialKind::OauthClient { role, scopes } => {
            let names: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
            ("OAuth client ID", format!("{}: {}", role.name(), names.join(", ")))
        }
    };
    let name = if credential.name.is_empty() { "(unnamed)" } else { &credential.name };
    format!(
        "<tr><th scope=\"row\">{name}<br><span class=\"hint\">{}</span></th><td>{kind}</td>\
         <td><code>{id}</code></td><td class=\"wrap\">{}</td><td>\
         <form method=\"post\" action=\"/pages/credentials/revoke\">\
         <input type=\"hidden\" name=\"company\" value=\"{}\">\
         <input type=\"hidden\" name=\"id\" value=\"{id}\">\
         <button class=\"danger\" type=\"submit\" aria-label=\"Revoke {name}\">Revoke</button>\
         </form></td></tr>\n",
        escape(&credential.description),
        escape(&may),
        escape(company),
        name = escape(name),
        id = escape(&credential.id),
    )
}

fn new_credential(company: &str, asked: &Asked<'_>) -> String {
    let value = |name| asked.form.filled(name).unwrap_or_default();
    let chosen: Vec<&str> = asked.form.all("scope").collect();
    let is_key = value("kind") == "api_key";
    let role = SystemRole::from_id(value("role")).unwrap_or(SystemRole::Administrator);
    let roles: String = SystemRole::ALL
        .iter()
        .map(|it| layout::choice("radio", "role", it.id(), it.name(), *it == role))
        .collect();
    format!(
        "<h2>New Credential</h2>\n\
         <form method=\"post\" action=\"/pages/credentials\">\n\
         <input type=\"hidden\" name=\"company\" value=\"{}\">\n\
         <fieldset>\n<legend>Kind</legend>\n{}{}</fieldset>\n{}{}\
         <fieldset>\n<legend>System role, of an OAuth client ID</legend>\n{roles}</fieldset>\n\
         <fieldset>\n<legend>Scopes, of an OAuth client ID</legend>\n\
         <div class=\"columns\">\n{}</div>\n</fieldset>\n\
         <button class=\"first\" type=\"submit\">Generate</button>\n</form>\n",
        escape(company),
        layout::choice("radio", "kind", "oauth_client", "OAuth client ID", !is_key),
        layout::choice("radio", "kind", "api_key", "API key: all company data, no scopes", is_key),
        layout::field("name", "Credential name", value("name"), "", true),
        layout::field("description", "Description", value("description"), "", false),
        layout::scope_choices(&chosen),
    )
}
