//! The message to the Partner & API Team.

use std::fmt::Write as _;

use super::{AppRegistration, RequestedScope, Visibility};

impl AppRegistration {
    /// Writes everything that the Partner & API Team asks for, under the names of its own page.
    #[must_use]
    pub fn to_message(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            writeln!(text, "{name}: {value}").expect("a text takes every text");
        };
        line("application", &self.name);
        if let Some(app) = &self.app {
            line("appId", app.as_str());
        }
        line("consentUrl", self.consent_url.as_str());
        line("consentDisplayMode", self.mode.as_str());
        if let Some((urls, granted)) = &self.inbound {
            line("oauthTokenUrl", urls.oauth_token_url());
            if let Some(callback) = urls.callback_url() {
                line("callbackUrl", callback);
            }
            line("scopes that the application grants to SmartRecruiters", &granted.to_string());
        }
        if let Some(logo) = &self.logo {
            line("logo", logo.as_str());
        }
        if let Some(description) = &self.description {
            line("description", description);
        }
        match &self.visibility {
            Visibility::AllCustomers => line("visibility", "all customers"),
            Visibility::Selected(customers) => line("visibility", &customers.join(", ")),
        }
        line("scopes", "");
        for RequestedScope { reason, scope } in &self.scopes {
            line(&format!("- {scope}"), reason);
        }
        text.replace("scopes: \n", "scopes:\n")
    }
}
