//! What a partner tells about an application, as it is typed.

use serde::Deserialize;
use sr_auth_core::{Scope, ScopeSet};
use sr_partner::AppId;
use sr_partner::consent::ConsentDisplayMode;
use sr_partner::registration::{AppRegistration, InboundUrls, RequestedScope, Visibility};

use super::layout;
use crate::simulator::form::Form;
use crate::world::World;

/// The data of an application, under the names of SmartRecruiters' own page where it has some.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct RegistrationForm {
    /// The id of an application that is there already.
    app_id: String,
    callback_url: String,
    /// `REDIRECT` or `POPUP`.
    consent_display_mode: String,
    consent_url: String,
    description: String,
    /// The scopes that the application grants to SmartRecruiters, with spaces between.
    granted_scopes: String,
    logo: String,
    name: String,
    oauth_token_url: String,
    /// What the scopes are needed for.
    reason: String,
    scopes: Vec<String>,
    /// The ids of the only companies that see it; none for all.
    visible_to: Vec<String>,
}

impl RegistrationForm {
    pub(super) fn of(form: &Form<'_>) -> Self {
        let text = |name| form.filled(name).unwrap_or_default().trim().to_owned();
        let all = |name| form.all(name).map(str::to_owned).collect();
        Self {
            app_id: text("appId"),
            callback_url: text("callbackUrl"),
            consent_display_mode: text("consentDisplayMode"),
            consent_url: text("consentUrl"),
            description: text("description"),
            granted_scopes: text("grantedScopes"),
            logo: text("logo"),
            name: text("name"),
            oauth_token_url: text("oauthTokenUrl"),
            reason: text("reason"),
            scopes: all("scope"),
            visible_to: all("visibleTo"),
        }
    }

    /// Reads it as a registration.
    ///
    /// # Errors
    ///
    /// A sentence without its end on the first thing that cannot be used.
    pub(crate) fn registration(&self) -> Result<AppRegistration, String> {
        let mode = match self.consent_display_mode.as_str() {
            "" | "REDIRECT" => ConsentDisplayMode::Redirect,
            "POPUP" => ConsentDisplayMode::Popup,
            _ => return Err("consentDisplayMode is REDIRECT or POPUP".to_owned()),
        };
        let reason = if self.reason.is_empty() { "not told" } else { &self.reason };
        let requested = |name: &String| {
            let scope = Scope::new(name).map_err(|it| it.to_string())?;
            RequestedScope::new(scope, reason).map_err(|it| it.to_string())
        };
        let scopes = self.scopes.iter().map(requested).collect::<Result<Vec<_>, _>>()?;
        self.optional(AppRegistration::new(&self.name, &self.consent_url, mode, scopes))
    }

    fn optional(
        &self,
        registration: Result<AppRegistration, sr_partner::PartnerConfigError>,
    ) -> Result<AppRegistration, String> {
        let told = |error: sr_partner::PartnerConfigError| error.to_string();
        let mut registration = registration.map_err(told)?;
        if !self.app_id.is_empty() {
            registration = registration.with_app_id(AppId::new(&self.app_id).map_err(told)?);
        }
        if !self.description.is_empty() {
            registration = registration.with_description(&self.description).map_err(told)?;
        }
        if !self.logo.is_empty() {
            registration = registration.with_logo(&self.logo).map_err(told)?;
        }
        if !self.visible_to.is_empty() {
            let selected = Visibility::Selected(self.visible_to.clone());
            registration = registration.with_visibility(selected).map_err(told)?;
        }
        if self.oauth_token_url.is_empty() {
            if self.callback_url.is_empty() {
                return Ok(registration);
            }
            return Err("callbackUrl is nothing without oauthTokenUrl".to_owned());
        }
        let mut inbound = InboundUrls::new(&self.oauth_token_url).map_err(told)?;
        if !self.callback_url.is_empty() {
            inbound = inbound.with_callback(&self.callback_url).map_err(told)?;
        }
        let granted = match self.granted_scopes.as_str() {
            "" => ScopeSet::default(),
            names => ScopeSet::parse(names).map_err(|it| it.to_string())?,
        };
        Ok(registration.called_by_smartrecruiters(inbound, granted))
    }

    /// Writes the form, filled in as it was.
    pub(super) fn html(&self, world: &World) -> String {
        let mode = |value, label: &str| {
            let is_popup = self.consent_display_mode == "POPUP";
            let checked = is_popup == (value == "POPUP");
            layout::choice("radio", "consentDisplayMode", value, label, checked)
        };
        let chosen: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        let companies = world.companies().map(|company| {
            let name = crate::simulator::page::escape(company.name());
            let checked = self.visible_to.iter().any(|it| it == company.id());
            layout::choice("checkbox", "visibleTo", company.id(), &name, checked)
        });
        let companies: String = companies.collect();
        format!(
            "<h2>Register an application</h2>\n<form method=\"post\" action=\"/pages/partners\">\n\
             {}{}{}<fieldset>\n<legend>consentDisplayMode</legend>\n{}{}</fieldset>\n\
             <fieldset>\n<legend>Scopes that the application needs</legend>\n\
             <div class=\"columns\">\n{}</div>\n</fieldset>\n{}\
             <fieldset>\n<legend>When SmartRecruiters calls the application</legend>\n{}{}{}\
             </fieldset>\n\
             <fieldset>\n<legend>Visible to these customers only; to all, when none is chosen\
             </legend>\n{companies}</fieldset>\n{}{}\
             <button class=\"first\" type=\"submit\">Register</button>\n</form>\n",
            layout::field("name", "Name", &self.name, "", true),
            layout::field("description", "Description", &self.description, "", false),
            layout::field("consentUrl", "consentUrl", &self.consent_url, CONSENT_URL, true),
            mode("REDIRECT", "REDIRECT: the browser leaves for the consent page and comes back"),
            mode("POPUP", "POPUP: the consent page is shown in a frame"),
            layout::scope_choices(&chosen),
            layout::field("reason", "What the scopes are needed for", &self.reason, "", false),
            layout::field("oauthTokenUrl", "oauthTokenUrl", &self.oauth_token_url, "", false),
            layout::field("callbackUrl", "callbackUrl", &self.callback_url, CALLBACK_URL, false),
            layout::field(
                "grantedScopes",
                "Scopes granted to SmartRecruiters",
                &self.granted_scopes,
                "Names with spaces between.",
                false
            ),
            layout::field("logo", "Address of the logo", &self.logo, "", false),
            layout::field("appId", "Application ID", &self.app_id, APP_ID, false),
        )
    }
}

const CONSENT_URL: &str = "Where a customer who connects is sent: https, or http on this machine.";
const CALLBACK_URL: &str = "Where disabled integrations are reported; needs oauthTokenUrl.";
const APP_ID: &str = "Of an application that is registered again; a new one gets a new id.";
