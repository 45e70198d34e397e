//! The applications of partners that SmartRecruiters has approved.

use sr_auth_core::ScopeSet;
use sr_partner::consent::ConsentDisplayMode;
use sr_partner::registration::{AppRegistration, InboundUrls, Visibility};
use sr_partner::{AppId, CompanyId};
use url::Url;

use super::Company;

/// A partner's application, as the Partner & API Team has set it up.
///
/// # Examples
///
/// ```
/// use sr_auth_core::{ScopeSet, Secret};
/// use sr_partner::AppId;
/// use sr_testkit::{Client, PartnerApp, World};
///
/// let mut world = World::new();
/// let app = AppId::new("planner")?;
/// world.add_client(Client::master("master", Secret::new("9165228a".into()), &app));
/// world.add_partner_app(PartnerApp::new(app, ScopeSet::parse("jobs_read")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PartnerApp {
    pub(crate) id: AppId,
    pub(crate) inbound: Option<InboundUrls>,
    pub(crate) registration: Option<AppRegistration>,
    pub(crate) scopes: ScopeSet,
}

impl PartnerApp {
    /// Takes an application whose customers' credentials have these scopes. It stands on no page:
    /// see [`registered`](Self::registered).
    #[must_use]
    pub const fn new(id: AppId, scopes: ScopeSet) -> Self {
        Self { id, inbound: None, registration: None, scopes }
    }

    /// Takes an application as it was registered: all that it asked for is approved, and customers
    /// find it on the page Apps & Integrations.
    #[must_use]
    pub fn registered(id: AppId, registration: AppRegistration) -> Self {
        let scopes = registration.scopes().map(|it| it.scope().clone()).collect();
        let inbound = registration.inbound().cloned();
        Self { id, inbound, registration: Some(registration), scopes }
    }

    /// Sets where SmartRecruiters calls the partner.
    #[must_use]
    pub fn with_inbound(self, inbound: InboundUrls) -> Self {
        Self { inbound: Some(inbound), ..self }
    }

    /// Returns the id.
    #[must_use]
    pub const fn id(&self) -> &AppId {
        &self.id
    }

    /// Returns where SmartRecruiters calls the partner, if it does.
    #[must_use]
    pub const fn inbound(&self) -> Option<&InboundUrls> {
        self.inbound.as_ref()
    }

    /// Returns what was registered, if customers can find the application.
    #[must_use]
    pub const fn registration(&self) -> Option<&AppRegistration> {
        self.registration.as_ref()
    }

    /// Returns what the credentials of its customers may do.
    #[must_use]
    pub const fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// Writes where a customer who connects is sent: `consentUrl` with `companyId`, and in REDIRECT
    /// mode with `redirect`, the way `back`. `None` without a registration.
    #[must_use]
    pub fn consent_visit(&self, company: &CompanyId, back: &str) -> Option<Url> {
        let registration = self.registration.as_ref()?;
        let mut url = Url::parse(registration.consent_url()).ok()?;
        url.query_pairs_mut().append_pair("companyId", company.as_str());
        if registration.mode() == ConsentDisplayMode::Redirect {
            url.query_pairs_mut().append_pair("redirect", back);
        }
        Some(url)
    }

    /// Tells whether a company sees it on the page Apps & Integrations.
    pub(crate) fn is_visible_to(&self, company: &Company) -> bool {
        match self.registration.as_ref().map(AppRegistration::visibility) {
            None => false,
            Some(Visibility::Selected(customers)) => {
                let names = [&company.id, &company.identifier, &company.name];
                customers.iter().any(|it| names.contains(&it))
            }
            Some(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use sr_auth_core::Scope;
    use sr_partner::registration::RequestedScope;

    use super::*;

    fn app(consent_url: &str, mode: ConsentDisplayMode) -> AppRegistration {
        let scope = Scope::new("jobs_read").unwrap();
        let scopes = [RequestedScope::new(scope, "show jobs").unwrap()];
        AppRegistration::new("Planner", consent_url, mode, scopes).unwrap()
    }

    #[test]
    fn a_visit_carries_the_way_back_in_redirect_mode_only() {
        let (redirect, popup) = (ConsentDisplayMode::Redirect, ConsentDisplayMode::Popup);
        let plain = "https://planner.example/connect";
        let cases = [
            (plain, redirect, "?companyId=5f1b&redirect=https%3A%2F%2Fsr.example%2F%3Fa%3Db"),
            (plain, popup, "?companyId=5f1b"),
            ("https://planner.example/connect?x=1", popup, "?x=1&companyId=5f1b"),
        ];
        for (consent_url, mode, query) in cases {
            let app = PartnerApp::registered(AppId::new("p").unwrap(), app(consent_url, mode));
            let company = CompanyId::new("5f1b").unwrap();
            let visit = app.consent_visit(&company, "https://sr.example/?a=b").unwrap();
            assert_eq!(visit.as_str(), format!("{plain}{query}"));
        }
    }

    #[test]
    fn a_private_application_is_seen_by_its_customers_only() {
        let company = Company::new("5f1b", "AcmeLogistics", "Acme Logistics");
        let selected = |name: &str| Visibility::Selected(vec![name.to_owned()]);
        let cases = [
            (Visibility::AllCustomers, true),
            (selected("5f1b"), true),
            (selected("AcmeLogistics"), true),
            (selected("GlobexFoods"), false),
        ];
        for (visibility, expected) in cases {
            let plain = app("https://planner.example/connect", ConsentDisplayMode::Popup);
            let app = plain.with_visibility(visibility.clone()).unwrap();
            let app = PartnerApp::registered(AppId::new("p").unwrap(), app);
            assert_eq!(app.is_visible_to(&company), expected, "{visibility:?}");
        }
        let unlisted = PartnerApp::new(AppId::new("p").unwrap(), ScopeSet::default());
        assert!(!unlisted.is_visible_to(&company));
    }
}
