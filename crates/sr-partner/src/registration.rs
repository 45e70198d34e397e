//! What SmartRecruiters' Partner & API Team has to know about an application, and what it gives back.

mod message;
mod review;

pub use review::Finding;

use sr_auth_core::{
    AllowedHosts, ClientCredentials, Fault, RedirectUri, Scope, ScopeSet, TokenEndpoint,
};

use crate::consent::ConsentDisplayMode;
use crate::{AppId, PartnerConfigError, PartnerSetting};

/// An application, as it is registered with SmartRecruiters.
///
/// Registration is done by people: [`to_message`](Self::to_message) writes what they need, and
/// [`review`](Self::review) finds what they would send back.
///
/// # Examples
///
/// ```
/// use sr_auth_core::{Scope, ScopeSet};
/// use sr_partner::consent::ConsentDisplayMode;
/// use sr_partner::registration::{AppRegistration, InboundUrls, RequestedScope};
///
/// let scopes = [RequestedScope::new(Scope::new("candidates_read")?, "show candidates")?];
/// let inbound = InboundUrls::new("https://planner.example/oauth/token")?
///     .with_callback("https://planner.example/callback")?;
/// let app = AppRegistration::new(
///     "Interview Planner",
///     "https://planner.example/connect",
///     ConsentDisplayMode::Redirect,
///     scopes,
/// )?
/// .called_by_smartrecruiters(inbound, ScopeSet::parse("interviews_read")?);
/// assert!(app.to_message().contains("callbackUrl: https://planner.example/callback"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct AppRegistration {
    app: Option<AppId>,
    consent_url: RedirectUri,
    description: Option<String>,
    inbound: Option<(InboundUrls, ScopeSet)>,
    logo: Option<RedirectUri>,
    mode: ConsentDisplayMode,
    name: String,
    scopes: Vec<RequestedScope>,
    visibility: Visibility,
}

/// A scope, and what the application needs it for: the review asks for no more than that.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequestedScope {
    reason: String,
    scope: Scope,
}

impl RequestedScope {
    /// Names a scope and its reason, in one line.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`] and [`Fault::ControlCharacter`] for the reason.
    pub fn new(scope: Scope, reason: &str) -> Result<Self, PartnerConfigError> {
        Ok(Self { reason: line(reason, PartnerSetting::Scopes)?, scope })
    }

    /// Returns the scope.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns what it is needed for.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// Where SmartRecruiters calls the application: its token endpoint, and perhaps where it reports
/// disabled integrations. The second is nothing without the first, so it cannot be named alone.
#[derive(Clone, Debug)]
pub struct InboundUrls {
    callback: Option<RedirectUri>,
    oauth_token: TokenEndpoint,
}

impl InboundUrls {
    /// Takes `oauthTokenUrl`.
    ///
    /// # Errors
    ///
    /// As for [`TokenEndpoint::parse`], with any host.
    pub fn new(oauth_token_url: &str) -> Result<Self, PartnerConfigError> {
        let error = |fault| PartnerConfigError::new(PartnerSetting::OauthTokenUrl, fault);
        let oauth_token = TokenEndpoint::parse(oauth_token_url, AllowedHosts::Any);
        Ok(Self { callback: None, oauth_token: oauth_token.map_err(|it| error(it.fault()))? })
    }

    /// Adds `callbackUrl`.
    ///
    /// # Errors
    ///
    /// As for [`RedirectUri::parse`].
    pub fn with_callback(self, callback_url: &str) -> Result<Self, PartnerConfigError> {
        Ok(Self { callback: Some(address(callback_url, PartnerSetting::CallbackUrl)?), ..self })
    }

    /// Returns `oauthTokenUrl`.
    #[must_use]
    pub fn oauth_token_url(&self) -> &str {
        self.oauth_token.as_str()
    }

    /// Returns `callbackUrl`.
    #[must_use]
    pub fn callback_url(&self) -> Option<&str> {
        self.callback.as_ref().map(RedirectUri::as_str)
    }
}

/// Which customers see the application on the Apps & Integrations page.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Visibility {
    /// Every customer.
    #[default]
    AllCustomers,
    /// These only: a private integration.
    Selected(Vec<String>),
}

impl AppRegistration {
    /// Takes what every application has.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`] and [`Fault::ControlCharacter`] for the name; as for [`RedirectUri::parse`],
    /// and [`Fault::Reserved`] when its query sets `companyId` or `redirect`, for `consent_url`;
    /// [`Fault::Empty`] without a scope and [`Fault::OutOfRange`] when one comes twice.
    pub fn new(
        name: &str,
        consent_url: &str,
        mode: ConsentDisplayMode,
        scopes: impl IntoIterator<Item = RequestedScope>,
    ) -> Result<Self, PartnerConfigError> {
        let name = line(name, PartnerSetting::Name)?;
        let consent_url = address(consent_url, PartnerSetting::ConsentUrl)?;
        let query = consent_url.as_str().split_once('?').map_or("", |(_, query)| query);
        let mut names = url::form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
        if names.any(|name| name == "companyId" || name == "redirect") {
            return Err(PartnerConfigError::new(PartnerSetting::ConsentUrl, Fault::Reserved));
        }
        let scopes: Vec<RequestedScope> = scopes.into_iter().collect();
        let error = |fault| Err(PartnerConfigError::new(PartnerSetting::Scopes, fault));
        if scopes.is_empty() {
            return error(Fault::Empty);
        }
        let distinct: ScopeSet = scopes.iter().map(|it| it.scope.clone()).collect();
        if distinct.iter().count() != scopes.len() {
            return error(Fault::OutOfRange);
        }
        Ok(Self {
            app: None,
            consent_url,
            description: None,
            inbound: None,
            logo: None,
            mode,
            name,
            scopes,
            visibility: Visibility::default(),
        })
    }

    /// Has SmartRecruiters call the application, with these scopes at the application's own API.
    #[must_use]
    pub fn called_by_smartrecruiters(self, urls: InboundUrls, granted: ScopeSet) -> Self {
        Self { inbound: Some((urls, granted)), ..self }
    }

    /// Adds the application id, once it is given.
    #[must_use]
    pub fn with_app_id(self, app: AppId) -> Self {
        Self { app: Some(app), ..self }
    }

    /// Adds what the Apps & Integrations page says.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`] and [`Fault::ControlCharacter`].
    pub fn with_description(self, description: &str) -> Result<Self, PartnerConfigError> {
        Ok(Self { description: Some(line(description, PartnerSetting::Description)?), ..self })
    }

    /// Adds the address of the logo.
    ///
    /// # Errors
    ///
    /// As for [`RedirectUri::parse`].
    pub fn with_logo(self, url: &str) -> Result<Self, PartnerConfigError> {
        Ok(Self { logo: Some(address(url, PartnerSetting::Logo)?), ..self })
    }

    /// Sets which customers see it.
    ///
    /// # Errors
    ///
    /// [`Fault::Empty`] for a selection of none, or of one without a name, and
    /// [`Fault::ControlCharacter`].
    pub fn with_visibility(self, visibility: Visibility) -> Result<Self, PartnerConfigError> {
        if let Visibility::Selected(customers) = &visibility {
            if customers.is_empty() {
                return Err(PartnerConfigError::new(PartnerSetting::Visibility, Fault::Empty));
            }
            for customer in customers {
                line(customer, PartnerSetting::Visibility)?;
            }
        }
        Ok(Self { visibility, ..self })
    }

    /// Returns the application id, if it was given.
    #[must_use]
    pub const fn app(&self) -> Option<&AppId> {
        self.app.as_ref()
    }

    /// Returns the consent page.
    #[must_use]
    pub fn consent_url(&self) -> &str {
        self.consent_url.as_str()
    }

    /// Returns what the Apps & Integrations page says.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Returns where SmartRecruiters calls, if it does.
    #[must_use]
    pub fn inbound(&self) -> Option<&InboundUrls> {
        self.inbound.as_ref().map(|(urls, _)| urls)
    }

    /// Returns what SmartRecruiters may do at the application's own API: shown before consent.
    #[must_use]
    pub fn granted_scopes(&self) -> Option<&ScopeSet> {
        self.inbound.as_ref().map(|(_, granted)| granted)
    }

    /// Returns the address of the logo.
    #[must_use]
    pub fn logo(&self) -> Option<&str> {
        self.logo.as_ref().map(RedirectUri::as_str)
    }

    /// Returns how the consent page is shown.
    #[must_use]
    pub const fn mode(&self) -> ConsentDisplayMode {
        self.mode
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the scopes that are asked for, each with its reason.
    pub fn scopes(&self) -> impl Iterator<Item = &RequestedScope> {
        self.scopes.iter()
    }

    /// Returns which customers see it.
    #[must_use]
    pub const fn visibility(&self) -> &Visibility {
        &self.visibility
    }
}

/// What SmartRecruiters gives a partner: one pair for the exchange with every customer.
///
/// They reach no customer's data, and are kept like the key of a house with many doors.
#[derive(Clone, Debug)]
pub struct MasterCredentials {
    app: AppId,
    client: ClientCredentials,
}

impl MasterCredentials {
    /// Takes the application id and the pair.
    #[must_use]
    pub const fn new(app: AppId, client: ClientCredentials) -> Self {
        Self { app, client }
    }

    /// Returns the application id.
    #[must_use]
    pub const fn app(&self) -> &AppId {
        &self.app
    }

    /// Returns the pair, for the client credentials grant.
    #[must_use]
    pub const fn client(&self) -> &ClientCredentials {
        &self.client
    }
}

fn line(text: &str, setting: PartnerSetting) -> Result<String, PartnerConfigError> {
    let error = |fault| Err(PartnerConfigError::new(setting, fault));
    match text.trim() {
        "" => error(Fault::Empty),
        text if text.chars().any(char::is_control) => error(Fault::ControlCharacter),
        text => Ok(text.to_owned()),
    }
}

fn address(url: &str, setting: PartnerSetting) -> Result<RedirectUri, PartnerConfigError> {
    RedirectUri::parse(url).map_err(|it| PartnerConfigError::new(setting, it.fault()))
}
