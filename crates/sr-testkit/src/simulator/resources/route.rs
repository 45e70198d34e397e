//! The endpoints that the simulator has.

use http::Method;

use crate::simulator::rate_limit::Limit;
use crate::world::SystemRole;

/// One operation at one path.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) action: Action,
    pub(super) limit: Limit,
    method: Method,
    /// Method and path, under which requests are counted.
    pub(super) name: &'static str,
    pub(super) needs: Needs,
    /// Path segments; `{}` is any one segment, the parameter.
    path: &'static str,
}

/// What a caller must have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Needs {
    /// A credential of a company, with at least one of these scopes, and perhaps a role.
    Company { any_of: &'static [&'static str], role: Option<SystemRole> },
    /// Nothing: public data.
    Nothing,
    /// The key of a partner.
    PartnerKey,
}

/// What is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Action {
    CreateCandidate,
    CreateJob,
    ListAuditEvents,
    ListCandidates,
    ListFeed,
    ListJobs,
    ListPostings,
    ListUsers,
    Publish,
    ShowCompany,
    ShowJob,
    ShowMe,
    Unpublish,
}

/// What there is for a method and a path.
#[derive(Debug)]
pub(super) enum Found<'a> {
    Endpoint {
        endpoint: &'static Endpoint,
        parameter: &'a str,
    },
    Nothing,
    /// The path has only these other methods.
    OtherMethods(String),
}

const fn company(any_of: &'static [&'static str]) -> Needs {
    Needs::Company { any_of, role: None }
}

const AUDIT: Needs =
    Needs::Company { any_of: &["audit_events_read"], role: Some(SystemRole::Administrator) };
const PUBLICATIONS: Needs = company(&["jobs_publications_manage"]);

const fn endpoint(
    method: Method,
    path: &'static str,
    name: &'static str,
    action: Action,
    needs: Needs,
    limit: Limit,
) -> Endpoint {
    Endpoint { action, limit, method, name, needs, path }
}

#[rustfmt::skip]
static ENDPOINTS: &[Endpoint] = &[
    endpoint(Method::GET, "/v1/companies/{}/postings", "GET postings", Action::ListPostings, Needs::Nothing, Limit::USUAL),
    endpoint(Method::GET, "/jobs", "GET jobs", Action::ListJobs, company(&["jobs_read"]), Limit::USUAL),
    endpoint(Method::POST, "/jobs", "POST jobs", Action::CreateJob, company(&["jobs_manage"]), Limit::USUAL),
    endpoint(Method::GET, "/jobs/{}", "GET job", Action::ShowJob, company(&["jobs_read"]), Limit::USUAL),
    endpoint(Method::POST, "/jobs/{}/publication", "POST publication", Action::Publish, PUBLICATIONS, Limit::PUBLICATION),
    endpoint(Method::DELETE, "/jobs/{}/publication", "DELETE publication", Action::Unpublish, PUBLICATIONS, Limit::PUBLICATION),
    endpoint(Method::GET, "/candidates", "GET candidates", Action::ListCandidates, company(&["candidates_read"]), Limit::ONE_AT_A_TIME),
    endpoint(Method::POST, "/candidates", "POST candidates", Action::CreateCandidate, company(&["candidates_create"]), Limit::USUAL),
    endpoint(Method::GET, "/users/me", "GET old me", Action::ShowMe, company(&["user_me_read"]), Limit::USUAL),
    endpoint(Method::GET, "/user-api/v201804/users/me", "GET me", Action::ShowMe, company(&["user_me_read"]), Limit::USUAL),
    endpoint(Method::GET, "/users", "GET users", Action::ListUsers, company(&["users_read", "users_manage"]), Limit::USUAL),
    endpoint(Method::GET, "/configuration/company", "GET company", Action::ShowCompany, company(&["company_read", "configuration_read"]), Limit::USUAL),
    endpoint(Method::GET, "/audit-api/v201910/audit-events", "GET audit events", Action::ListAuditEvents, AUDIT, Limit::USUAL),
    endpoint(Method::GET, "/feed/publications", "GET feed", Action::ListFeed, Needs::PartnerKey, Limit::USUAL),
];

/// Lists method and path of every endpoint, for a person.
pub(in crate::simulator) fn listing() -> impl Iterator<Item = (String, &'static str)> {
    ENDPOINTS.iter().map(|it| {
        let needs = match it.needs {
            Needs::Company { role: Some(_), .. } => "API key or bearer token, Administrator only",
            Needs::Company { role: None, .. } => "API key or bearer token",
            Needs::Nothing => "nothing, it is public",
            Needs::PartnerKey => "Partner API key",
        };
        (format!("{} {}", it.method, it.path.replace("{}", "{id}")), needs)
    })
}

/// Finds the endpoint of a request; a fixed path goes before one with a parameter.
pub(super) fn find<'a>(method: &Method, path: &'a str) -> Found<'a> {
    let mut others = Vec::new();
    for endpoint in ENDPOINTS {
        match parameter(endpoint.path, path) {
            Some(parameter) if endpoint.method == *method => {
                return Found::Endpoint { endpoint, parameter };
            }
            Some(_) => others.push(endpoint.method.as_str()),
            None => {}
        }
    }
    if others.is_empty() { Found::Nothing } else { Found::OtherMethods(others.join(", ")) }
}

fn parameter<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let mut parameter = "";
    let mut segments = path.split('/');
    for expected in pattern.split('/') {
        match segments.next()? {
            "" if expected == "{}" => return None,
            segment if expected == "{}" => parameter = segment,
            segment if segment == expected => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(parameter)
}
