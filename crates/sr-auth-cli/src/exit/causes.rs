//! What each error of the libraries means here: an exit code, and advice that names our own flags.

use sr_auth_core::lifecycle::Unavailable;
use sr_auth_core::wire::api_refusal::ApiRefusal;
use sr_auth_core::wire::callback::CallbackError;
use sr_auth_core::{ConfigError, Fault, GrantError, GrantFailure, Remedy, Setting};
use sr_auth_http::{ApiError, EntropyError, SourceError, TransportError};
use sr_auth_store::StoreError;
use sr_partner::PartnerConfigError;
use sr_testkit::SandboxError;

use super::{Exit, Failure};
use crate::moment::date_and_time;

/// Turns a remedy into an exit code; `fix` is what a wrong configuration means here.
const fn exit_of(remedy: Remedy, fix: Exit) -> Exit {
    match remedy {
        Remedy::AskAdministrator => Exit::Forbidden,
        Remedy::AskOperator => Exit::Unavailable,
        Remedy::FixConfiguration => fix,
        Remedy::Reauthorize => Exit::Refused,
        Remedy::ReportBug => Exit::Misbehaved,
        Remedy::RetryLater { .. } => Exit::Unavailable,
        // A remedy that is newer than this program.
        _ => Exit::Failed,
    }
}

/// Says what can be done, and not before when.
fn advice_on(remedy: Remedy) -> String {
    if let Remedy::RetryLater { at: Some(at) } = remedy {
        return format!("try again later, and not before {}", date_and_time(at));
    }
    remedy.advice().to_owned()
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let place = place_of(error.setting());
        let advice = if error.fault() == Fault::ControlCharacter {
            format!("check {place} for a line break that was copied along")
        } else if error.fault() == Fault::Unavailable {
            "install the certificates of the authorities (on Debian the package ca-certificates), \
             or name them with --root-certificates"
                .to_owned()
        } else {
            format!("correct {place}")
        };
        Self::new(Exit::Usage, error.code(), error.to_string(), advice)
    }
}

/// Where a setting comes from.
const fn place_of(setting: Setting) -> &'static str {
    match setting {
        Setting::ApiKey => "SR_AUTH_API_KEY",
        Setting::ApiOrigin => "--origin or --api-origin",
        Setting::ApiPath => "the path: it begins with one slash, as in /jobs",
        Setting::AuthorizationEndpoint => "--authorization-endpoint",
        Setting::ClientId => "--client-id or SR_AUTH_CLIENT_ID",
        Setting::ClientSecret => "SR_AUTH_CLIENT_SECRET",
        Setting::GrantKey => "the key of the grant",
        Setting::PartnerApiKey => "SR_AUTH_PARTNER_API_KEY",
        Setting::RedirectUri => "--redirect-uri",
        Setting::Scope => "--scope",
        Setting::TokenEndpoint => "--token-endpoint",
        Setting::Transport => "--client-certificate or --root-certificates",
        Setting::Issuer
        | Setting::PendingAuthorization
        | Setting::RefreshToken
        | Setting::RetryPolicy
        | _ => "the setting",
    }
}

impl From<GrantError> for Failure {
    fn from(error: GrantError) -> Self {
        let remedy = error.remedy();
        let advice =
            if matches!(error, GrantError::Refused(_)) && remedy == Remedy::FixConfiguration {
                "compare client id, secret and environment with the Credential Manager".to_owned()
            } else {
                advice_on(remedy)
            };
        Self::new(exit_of(remedy, Exit::Refused), error.code(), error.to_string(), advice)
    }
}

impl From<GrantFailure> for Failure {
    fn from(failure: GrantFailure) -> Self {
        let (error, remedy) = (failure.error(), failure.remedy());
        let mut told = Self::from(error.clone());
        if failure.salvaged().is_some() {
            told.advice =
                "a refresh token came all the same: --refresh-token-file keeps it".to_owned();
        } else if remedy != error.remedy() {
            // The grant knows what may still be done with what it was given.
            told.advice = advice_on(remedy);
            told.exit = exit_of(remedy, Exit::Refused);
        }
        told
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        if let SourceError::Grant(error) = error {
            return error.into();
        }
        if let SourceError::Unavailable(error) = error {
            return error.into();
        }
        let (exit, advice) = (exit_of(error.remedy(), Exit::Usage), error.remedy().advice());
        Self::new(exit, error.code(), error.to_string(), advice)
    }
}

impl From<Unavailable> for Failure {
    fn from(error: Unavailable) -> Self {
        let remedy = error.remedy();
        let advice = if remedy == Remedy::FixConfiguration {
            "compare client id, secret and environment with the Credential Manager".to_owned()
        } else if remedy == Remedy::AskOperator {
            "`sr-auth status` says since when and why, and `sr-auth release` lets it go on"
                .to_owned()
        } else if remedy == Remedy::Reauthorize {
            "log in again with `sr-auth login`".to_owned()
        } else {
            advice_on(remedy)
        };
        Self::new(exit_of(remedy, Exit::Refused), error.code(), error.to_string(), advice)
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        let remedy = error.remedy();
        let advice = if remedy == Remedy::FixConfiguration {
            "check the address and the certificates"
        } else {
            remedy.advice()
        };
        Self::new(exit_of(remedy, Exit::Usage), error.code(), error.to_string(), advice)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Config(error) => error.into(),
            ApiError::Refused(refused) => refused.refusal().into(),
            ApiError::Source(error) => error.into(),
            ApiError::Transport(error) => error.into(),
            ApiError::Redirected | ApiError::TooLong | _ => {
                let remedy = error.remedy();
                let advice = if matches!(error, ApiError::TooLong) {
                    "ask for less: `limit` sets how many items a page of a list has"
                } else {
                    remedy.advice()
                };
                Self::new(exit_of(remedy, Exit::Failed), error.code(), error.to_string(), advice)
            }
        }
    }
}

impl From<&ApiRefusal> for Failure {
    fn from(refusal: &ApiRefusal) -> Self {
        let (mut what, mut advice) = (refusal.to_string(), advice_on(refusal.remedy()));
        match refusal {
            ApiRefusal::MissingScope { needed } => {
                if !needed.is_empty() {
                    what = format!("{what}; one of these is needed: {needed}");
                }
                advice =
                    "have an administrator add the scope to it, then get a new token".to_owned();
            }
            ApiRefusal::NoApiAccess => {
                advice = "the company has to subscribe to API access at SmartRecruiters".to_owned();
            }
            ApiRefusal::NotAllowed => {
                advice = "have an administrator give it a System role that may, \
                          or use another kind of credential"
                    .to_owned();
            }
            ApiRefusal::Throttled { retry_at: None } => {
                advice = "wait, then send fewer requests at a time".to_owned();
            }
            ApiRefusal::Unauthenticated => {
                advice = "check that the credential is of this environment and was not revoked"
                    .to_owned();
            }
            // The remedy says it all.
            ApiRefusal::Throttled { retry_at: Some(_) } | _ => {}
        }
        Self::new(exit_of(refusal.remedy(), Exit::Refused), refusal.code(), what, advice)
    }
}

impl From<CallbackError> for Failure {
    fn from(error: CallbackError) -> Self {
        let remedy = error.remedy();
        let advice = if matches!(error, CallbackError::Declined { .. }) {
            "start again when the user wants to agree"
        } else if matches!(error, CallbackError::StateMismatch) {
            "start again, and use the callback of that attempt"
        } else {
            remedy.advice()
        };
        Self::new(exit_of(remedy, Exit::Usage), error.code(), error.to_string(), advice)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(Exit::Failed, error.code(), error.to_string(), error.remedy().advice())
    }
}

impl From<EntropyError> for Failure {
    fn from(error: EntropyError) -> Self {
        let advice = "check the random number generator of the operating system";
        Self::new(Exit::Failed, error.code(), error.to_string(), advice)
    }
}

impl From<PartnerConfigError> for Failure {
    fn from(error: PartnerConfigError) -> Self {
        Self::new(Exit::Usage, error.code(), error.to_string(), error.remedy().advice())
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        let advice = "take another port, or --port 0 for any that is free";
        Self::new(Exit::Failed, "sr_auth::sandbox", error.to_string(), advice)
    }
}
