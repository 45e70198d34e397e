//! Addresses that cannot be told apart, and what else is found before anything is served.

use std::sync::Arc;

use sr_auth_core::{ClientCredentials, Fault, Scope, ScopeSet, Secret};
use sr_auth_http::ReqwestTransport;
use sr_auth_store::Store;
use sr_partner::consent::{ConsentDisplayMode, TicketKey};
use sr_partner::registration::{AppRegistration, InboundUrls, MasterCredentials, RequestedScope};
use sr_partner::{AppId, PartnerConfigError, PartnerSetting, Profile, TenantId};
use sr_partner_axum::{Account, PartnerHooks, PartnerService, Unavailable};

#[derive(Debug)]
struct Nobody;

#[async_trait::async_trait]
impl PartnerHooks for Nobody {
    async fn signed_in(&self, _: &http::request::Parts) -> Result<Option<Account>, Unavailable> {
        Ok(Some(Account::new(TenantId::new("acme").unwrap(), "Acme", Secret::new("s".into()))))
    }

    fn sign_in(&self, _: &str) -> String {
        "/sign-in".to_owned()
    }
}

/// Builds a service whose addresses have these paths.
fn build(
    profile: Profile,
    app: Option<&str>,
    [consent, token, callback]: [&str; 3],
) -> Result<PartnerService, PartnerConfigError> {
    let url = |path: &str| format!("https://planner.example{path}");
    let scope = RequestedScope::new(Scope::new("jobs_read").unwrap(), "show jobs")?;
    let mode = ConsentDisplayMode::Redirect;
    let inbound = InboundUrls::new(&url(token))?.with_callback(&url(callback))?;
    let registration = AppRegistration::new("Planner", &url(consent), mode, [scope])?
        .called_by_smartrecruiters(inbound, ScopeSet::parse("interviews_read").unwrap());
    let registration = match app {
        Some(app) => registration.with_app_id(AppId::new(app)?),
        None => registration,
    };
    let client = ClientCredentials::new("master", Secret::new("secret".to_owned())).unwrap();
    let master = MasterCredentials::new(AppId::new("planner")?, client);
    let transport = ReqwestTransport::builder().without_root_certificates().build().unwrap();
    PartnerService::builder(registration, master, Store::in_memory().unwrap(), Arc::new(transport))
        .profile(profile)
        .build(Nobody, TicketKey::new([7; 32]))
}

#[tokio::test]
async fn addresses_that_cannot_be_told_apart_are_refused_before_anything_is_served() {
    use PartnerSetting::{AppId as App, CallbackUrl, OauthTokenUrl};
    use Profile::{Assessment, General};
    const GOOD: [&str; 3] = ["/connect", "/oauth/token", "/callback"];
    let cases = [
        ("three paths", General, None, GOOD, None),
        ("the id of before", General, Some("planner"), GOOD, None),
        ("another id", General, Some("other"), GOOD, Some((App, Fault::OutOfRange))),
        (
            "token and consent",
            General,
            None,
            ["/a", "/a", "/c"],
            Some((OauthTokenUrl, Fault::Reserved)),
        ),
        (
            "callback and consent",
            General,
            None,
            ["/a", "/b", "/a"],
            Some((CallbackUrl, Fault::Reserved)),
        ),
        (
            "callback and token",
            General,
            None,
            ["/a", "/b", "/b"],
            Some((CallbackUrl, Fault::Reserved)),
        ),
        (
            "the style of the page",
            General,
            None,
            ["/a", "/a/style.css", "/c"],
            Some((OauthTokenUrl, Fault::Reserved)),
        ),
        (
            "a query at the token",
            General,
            None,
            ["/a", "/b?c=d", "/c"],
            Some((OauthTokenUrl, Fault::Reserved)),
        ),
        (
            "a query at the callback",
            General,
            None,
            ["/a", "/b", "/c?d=e"],
            Some((CallbackUrl, Fault::Reserved)),
        ),
        (
            "where the sibling deletes",
            Assessment,
            None,
            ["/a", "/b", "/integrations/companies/c"],
            Some((CallbackUrl, Fault::Reserved)),
        ),
        (
            "which the general one does not",
            General,
            None,
            ["/a", "/b", "/integrations/companies/c"],
            None,
        ),
        ("signs of routers", General, None, ["/:a", "/{b}", "/*c"], None),
        ("roots", General, None, ["/", "/b", "/c"], None),
    ];
    for (name, profile, app, paths, expected) in cases {
        match build(profile, app, paths) {
            Ok(service) => {
                assert_eq!(expected, None, "{name}");
                // A router that cannot be made panics.
                let _router = service.router();
            }
            Err(error) => {
                assert_eq!(Some((error.setting(), error.fault())), expected, "{name}");
            }
        }
    }
}
