//! Errors of constructors: a setting of the integration that cannot be used.

use sr_auth_core::{Fault, Remedy};

/// A setting of a partner integration that cannot be used, found when it was given.
///
/// # Examples
///
/// ```
/// use sr_auth_core::Fault;
/// use sr_partner::{CompanyId, PartnerConfigError, PartnerSetting};
///
/// let error = CompanyId::new("").unwrap_err();
/// assert_eq!(error, PartnerConfigError::new(PartnerSetting::CompanyId, Fault::Empty));
/// assert_eq!(error.to_string(), "the company id is empty");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{setting} {fault}")]
pub struct PartnerConfigError {
    fault: Fault,
    setting: PartnerSetting,
}

impl PartnerConfigError {
    /// Names the setting and what is wrong with it.
    #[must_use]
    pub const fn new(setting: PartnerSetting, fault: Fault) -> Self {
        Self { fault, setting }
    }

    /// Returns which setting it is about.
    #[must_use]
    pub const fn setting(&self) -> PartnerSetting {
        self.setting
    }

    /// Returns what is wrong with it.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    /// Returns what can be done: a setting can only be corrected.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        Remedy::FixConfiguration
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.setting {
            PartnerSetting::AppId => "sr_partner::config::app_id",
            PartnerSetting::AttemptLimits => "sr_partner::config::attempt_limits",
            PartnerSetting::CallbackUrl => "sr_partner::config::callback_url",
            PartnerSetting::CompanyId => "sr_partner::config::company_id",
            PartnerSetting::ConsentUrl => "sr_partner::config::consent_url",
            PartnerSetting::Description => "sr_partner::config::description",
            PartnerSetting::IntegrationId => "sr_partner::config::integration_id",
            PartnerSetting::Logo => "sr_partner::config::logo",
            PartnerSetting::Name => "sr_partner::config::name",
            PartnerSetting::OauthTokenUrl => "sr_partner::config::oauth_token_url",
            PartnerSetting::Probe => "sr_partner::config::probe",
            PartnerSetting::RedirectOrigins => "sr_partner::config::redirect_origins",
            PartnerSetting::Scopes => "sr_partner::config::scopes",
            PartnerSetting::Spans => "sr_partner::config::spans",
            PartnerSetting::TenantId => "sr_partner::config::tenant_id",
            PartnerSetting::TokenLife => "sr_partner::config::token_life",
            PartnerSetting::Visibility => "sr_partner::config::visibility",
        }
    }
}

/// The setting that a [`PartnerConfigError`] is about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PartnerSetting {
    /// The id that SmartRecruiters gave the application.
    #[error("the application id")]
    AppId,
    /// How many refused token requests are answered.
    #[error("the attempt limits")]
    AttemptLimits,
    /// Where SmartRecruiters reports a disabled integration.
    #[error("the callback URL")]
    CallbackUrl,
    /// The id of a customer of SmartRecruiters.
    #[error("the company id")]
    CompanyId,
    /// The page that asks the customer for consent.
    #[error("the consent URL")]
    ConsentUrl,
    /// What the Apps & Integrations page says about the application.
    #[error("the description")]
    Description,
    /// The id of one integration at SmartRecruiters.
    #[error("the integration id")]
    IntegrationId,
    /// The picture on the Apps & Integrations page.
    #[error("the logo")]
    Logo,
    /// The name on the Apps & Integrations page.
    #[error("the name of the application")]
    Name,
    /// Our token endpoint, which SmartRecruiters calls.
    #[error("the OAuth token URL")]
    OauthTokenUrl,
    /// The call that tells which company credentials open.
    #[error("the probe")]
    Probe,
    /// Where a browser may be sent back to.
    #[error("the list of redirect origins")]
    RedirectOrigins,
    /// Scopes, in either direction.
    #[error("the list of scopes")]
    Scopes,
    /// How long an exchange waits.
    #[error("the spans of the exchange")]
    Spans,
    /// The application's own name for its customer.
    #[error("the tenant id")]
    TenantId,
    /// How long a token of ours lives.
    #[error("the life of issued tokens")]
    TokenLife,
    /// Which customers see the application.
    #[error("the visibility")]
    Visibility,
}
