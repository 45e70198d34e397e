//! The pages of SmartRecruiters that people use: Apps & Integrations and the Credential Manager for
//! a customer's administrator, and the desk of the Partner & API Team.
//!
//! They only show what the simulator says and ask it to do things. A form answers with a redirect to
//! a page, so that a reload repeats nothing. Nothing but the closing of the pop-up needs a script.

mod app;
mod apps;
mod credentials;
mod layout;
mod partners;
mod popup;
mod registration;
mod shown;

#[cfg(feature = "server")]
pub(crate) use registration::RegistrationForm;
pub(super) use shown::ShownOnce;

use http::header::HOST;
use http::{Method, Request, StatusCode};
use sr_auth_core::SecretBytes;
use sr_partner::{AppId, CompanyId, IntegrationKey};

use super::Simulator;
use super::answer::{self, Handled, Sources};
use super::form::Form;

/// Under which path all of these pages are.
pub(crate) const PAGES: &str = "/pages/";

/// What a page was asked with: the query, and the form of a post.
struct Asked<'a> {
    form: Form<'a>,
    /// The host that the browser knows this server by.
    host: &'a str,
}

impl Simulator {
    /// Answers a request for a page; `None` for another path.
    pub(super) fn page(&mut self, request: &Request<SecretBytes>) -> Option<Handled> {
        let path = request.uri().path().strip_prefix(PAGES)?;
        let is_post = request.method() == Method::POST;
        if !is_post && request.method() != Method::GET {
            return Some(Handled::new(answer::method_not_allowed("GET, POST")));
        }
        let query = request.uri().query().unwrap_or_default().as_bytes();
        let text = if is_post { request.body().expose() } else { query };
        let Some(form) = Form::read(text) else {
            return Some(refused(StatusCode::BAD_REQUEST, "the form cannot be read"));
        };
        let host = request.headers().get(HOST).and_then(|it| it.to_str().ok());
        let asked = Asked { form, host: host.unwrap_or("127.0.0.1") };
        let steps: Vec<&str> = path.split('/').collect();
        Some(match (is_post, steps.as_slice()) {
            (false, ["apps"]) => self.apps_page(&asked),
            (false, ["apps", app]) => self.app_page(app, &asked),
            (false, ["apps", app, "popup"]) => self.popup_page(app, &asked),
            (false, ["apps", app, "state"]) => self.app_state(app, &asked),
            (true, ["apps", app, "connect"]) => self.connect_form(app, &asked),
            (true, ["apps", app, "disable"]) => self.disable_form(app, &asked),
            (true, ["apps", app, "call"]) => self.call_form(app, &asked),
            (false, ["credentials"]) => self.credentials_page(&asked),
            (true, ["credentials"]) => self.credential_form(&asked),
            (true, ["credentials", "revoke"]) => self.revoke_form(&asked),
            (false, ["partners"]) => self.partners_page(&asked),
            (true, ["partners"]) => self.registration_form(&asked),
            (false, ["popup.js"]) => Handled::new(popup::script()),
            _ => refused(StatusCode::NOT_FOUND, "there is no such page"),
        })
    }

    /// Returns the company that a page is about: the one that is named, or else the first.
    fn company_of(&self, asked: &Asked<'_>) -> Option<String> {
        let named = asked.form.filled("company").map(str::to_owned);
        let first = || self.world.companies().next().map(|it| it.id().to_owned());
        let id = named.or_else(first)?;
        self.world.company(&id).map(|_| id)
    }

    /// Returns the application and the company that a page is about, if the one sees the other.
    fn integration_of(&self, app: &str, asked: &Asked<'_>) -> Option<IntegrationKey> {
        let company = self.company_of(asked)?;
        let known = self.world.partner_app(app)?;
        let key =
            IntegrationKey { app: AppId::new(app).ok()?, company: CompanyId::new(&company).ok()? };
        known.is_visible_to(self.world.company(&company)?).then_some(key)
    }
}

/// A page without anything from elsewhere.
fn shown(html: String) -> Handled {
    Handled::new(answer::page(StatusCode::OK, html, &Sources::default()))
}

fn refused(status: StatusCode, reason: &'static str) -> Handled {
    let html = layout::refusal(reason);
    Handled::new(answer::page(status, html, &Sources::default())).because(reason)
}

fn see_other(location: &str) -> Handled {
    Handled::new(answer::see_other(location))
}
