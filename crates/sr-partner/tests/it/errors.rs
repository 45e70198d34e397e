//! Every error as a user sees it: message, code, advice.

use std::fmt::Write as _;

use sr_auth_core::{Fault, Remedy};
use sr_partner::consent::{ConsentError, RedirectError, TicketError};
use sr_partner::exchange::{ExchangeError, StoreStep};
use sr_partner::{PartnerConfigError, PartnerSetting};

use crate::fixture::at;

fn line(told: &mut String, message: &dyn std::fmt::Display, code: &str, advice: &str) {
    writeln!(told, "{code}\n    {message}\n    {advice}").expect("a text takes every text");
}

#[test]
fn exchange_errors_say_who_can_act() {
    use ExchangeError as E;
    let retry_at = Some(at(60));
    let errors = [
        E::AlreadyIntegrated,
        E::BoundElsewhere,
        E::Busy { until: at(900) },
        E::MasterToken { remedy: Remedy::FixConfiguration },
        E::MasterToken { remedy: Remedy::RetryLater { at: None } },
        E::Moved,
        E::OtherCompany,
        E::OutcomeUnknown,
        E::Refused { status: 400 },
        E::Refused { status: 403 },
        E::Store { step: StoreStep::Activate },
        E::Store { step: StoreStep::Arm },
        E::Store { step: StoreStep::Begin },
        E::Superseded,
        E::Taken,
        E::Throttled { retry_at },
        E::Unavailable,
    ];
    let mut told = String::new();
    for error in errors {
        line(&mut told, &error, error.code(), error.advice());
    }
    insta::assert_snapshot!(told);
    assert_eq!(E::Throttled { retry_at }.remedy(), Remedy::RetryLater { at: retry_at });
}

#[test]
fn consent_errors_say_who_can_act() {
    let redirects = [
        RedirectError::Characters,
        RedirectError::OtherOrigin,
        RedirectError::Path,
        RedirectError::TooLong,
    ];
    let mut errors = vec![
        ConsentError::Company,
        ConsentError::Malformed,
        ConsentError::NoCompany,
        ConsentError::NoRedirect,
        ConsentError::Repeated,
    ];
    errors.extend(redirects.map(ConsentError::Redirect));
    let tickets = [
        TicketError::Expired,
        TicketError::Forged,
        TicketError::OtherApplication,
        TicketError::OtherSession,
        TicketError::Redirect,
    ];
    let mut told = String::new();
    for error in errors {
        line(&mut told, &error, error.code(), error.remedy().advice());
    }
    for error in tickets {
        line(&mut told, &error, error.code(), error.remedy().advice());
    }
    insta::assert_snapshot!(told);
}

#[test]
fn configuration_errors_name_the_setting_and_the_fault() {
    use PartnerSetting as S;
    let settings = [
        S::AppId,
        S::AttemptLimits,
        S::CallbackUrl,
        S::CompanyId,
        S::ConsentUrl,
        S::Description,
        S::IntegrationId,
        S::Logo,
        S::Name,
        S::OauthTokenUrl,
        S::Probe,
        S::RedirectOrigins,
        S::Scopes,
        S::TenantId,
        S::TokenLife,
        S::Visibility,
    ];
    let mut told = String::new();
    for setting in settings {
        let error = PartnerConfigError::new(setting, Fault::OutOfRange);
        line(&mut told, &error, error.code(), error.remedy().advice());
    }
    insta::assert_snapshot!(told);
}
