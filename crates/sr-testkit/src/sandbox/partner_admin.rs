//! The administration of partners, integrations and credentials: what the pages do, for programs.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sr_auth_core::{ClientAuthentication, ScopeSet, Secret};
use sr_partner::registration::MasterCredentials;
use sr_partner::{AppId, CompanyId, IntegrationKey};

use super::admin::{not_taken, wrong};
use super::{Shared, partner_client};
use crate::simulator::{
    CredentialKind, CredentialView, IntegrationView, PartnerCallRecord, RegistrationForm, Simulator,
};
use crate::world::{PartnerApp, SystemRole};

type Body<T> = Result<Json<T>, JsonRejection>;

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/__sandbox/apps", get(apps).post(register))
        .route("/__sandbox/connect", post(connect))
        .route("/__sandbox/disable", post(disable))
        .route("/__sandbox/call", post(call))
        .route("/__sandbox/calls", get(calls))
        .route("/__sandbox/integrations", get(integrations))
        .route("/__sandbox/credentials", get(credentials).post(create))
        .route("/__sandbox/credentials/{id}", delete(revoke))
}

async fn apps(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let simulator = shared.simulator();
    let apps = simulator.world().partner_apps().map(|app| {
        let registration = app.registration();
        json!({
            "appId": app.id().as_str(),
            "consentDisplayMode": registration.map(|it| it.mode().as_str()),
            "consentUrl": registration.map(|it| it.consent_url()),
            "name": registration.map(|it| it.name()),
            "scopes": app.scopes().to_string(),
        })
    });
    Json(Value::Array(apps.collect()))
}

async fn register(State(shared): State<Arc<Shared>>, body: Body<RegistrationForm>) -> Response {
    let form = match body {
        Ok(Json(form)) => form,
        Err(rejection) => return not_taken(&rejection),
    };
    match form.registration() {
        Ok(registration) => {
            Json(master(&shared.simulator().register_partner(registration))).into_response()
        }
        Err(problem) => wrong(&problem),
    }
}

fn master(master: &MasterCredentials) -> Value {
    let secret = match master.client().authentication() {
        ClientAuthentication::Basic(secret) | ClientAuthentication::Body(secret) => secret.clone(),
        ClientAuthentication::Certificate | _ => Secret::new(String::new()),
    };
    json!({
        "appId": master.app().as_str(), "clientId": master.client().id().as_str(),
        "clientSecret": secret.expose(),
    })
}

/// An application and a company.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Named {
    app_id: String,
    company_id: String,
    /// Where a call of the partner's API goes.
    #[serde(default)]
    path: Option<String>,
}

impl Named {
    fn key(&self) -> Option<IntegrationKey> {
        let app = AppId::new(&self.app_id).ok()?;
        Some(IntegrationKey { app, company: CompanyId::new(&self.company_id).ok()? })
    }
}

const NO_APP: &str = "this company sees no such application";

async fn connect(State(shared): State<Arc<Shared>>, body: Body<Named>) -> Response {
    let key = match body {
        Ok(Json(named)) => named.key(),
        Err(rejection) => return not_taken(&rejection),
    };
    let visit = key.and_then(|key| {
        let back = format!("{}/pages/apps/{}?company={}", shared.origin(), key.app, key.company);
        shared.simulator().connect(&key.app, &key.company, &back)
    });
    match visit {
        Some(visit) => Json(json!({ "visit": visit.as_str() })).into_response(),
        None => wrong(NO_APP),
    }
}

async fn disable(State(shared): State<Arc<Shared>>, body: Body<Named>) -> Response {
    let key = match body {
        Ok(Json(named)) => named.key(),
        Err(rejection) => return not_taken(&rejection),
    };
    if !key.is_some_and(|key| shared.simulator().disable(&key)) {
        return wrong("there is no such integration");
    }
    called(&shared).await
}

async fn call(State(shared): State<Arc<Shared>>, body: Body<Named>) -> Response {
    let named = match body {
        Ok(Json(named)) => named,
        Err(rejection) => return not_taken(&rejection),
    };
    let path = named.path.as_deref().unwrap_or("/");
    let queued = |key| shared.simulator().call_partner_api(&key, path);
    if !named.key().is_some_and(queued) {
        return wrong("the partner has given no credentials, or the path is none");
    }
    called(&shared).await
}

async fn called(shared: &Arc<Shared>) -> Response {
    let records = partner_client::make_calls(shared).await;
    Json(records.iter().map(record).collect::<Vec<_>>()).into_response()
}

async fn calls(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(Value::Array(shared.simulator().partner_calls().map(record).collect()))
}

fn record(record: &PartnerCallRecord) -> Value {
    json!({
        "appId": record.key.app.as_str(), "at_unix_millis": record.at.as_unix_millis(),
        "body": record.body, "companyId": record.key.company.as_str(),
        "problem": record.problem, "status": record.status, "step": record.step.as_str(),
        "url": record.url,
    })
}

async fn integrations(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let simulator = shared.simulator();
    let companies = simulator.world().companies().filter_map(|it| CompanyId::new(it.id()).ok());
    let all = companies.flat_map(|company| {
        let of = |app: &PartnerApp| integration(&simulator, app.id(), &company);
        simulator.world().partner_apps().map(of).collect::<Vec<_>>()
    });
    Json(Value::Array(all.collect()))
}

fn integration(simulator: &Simulator, app: &AppId, company: &CompanyId) -> Value {
    let key = IntegrationKey { app: app.clone(), company: company.clone() };
    let one = |it: &IntegrationView| {
        json!({
            "clientId": it.client_id, "integrationId": it.integration_id,
            "partnerClientId": it.partner_client_id,
        })
    };
    json!({
        "appId": app.as_str(), "companyId": company.as_str(),
        "connection": simulator.connection(&key).as_str(),
        "integrations": simulator.integrations(&key).iter().map(one).collect::<Vec<_>>(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfCompany {
    company_id: String,
}

async fn credentials(
    State(shared): State<Arc<Shared>>,
    Query(of): Query<OfCompany>,
) -> Json<Value> {
    let listed = shared.simulator().credentials_of(&of.company_id);
    Json(Value::Array(listed.iter().map(credential).collect()))
}

fn credential(credential: &CredentialView) -> Value {
    let (kind, role, scopes) = match &credential.kind {
        CredentialKind::ApiKey => ("api_key", None, None),
        CredentialKind::OauthClient { role, scopes } => {
            ("oauth_client", Some(role.id()), Some(scopes.to_string()))
        }
    };
    json!({
        "description": credential.description, "id": credential.id, "kind": kind,
        "name": credential.name, "role": role, "scopes": scopes,
    })
}

/// What *New Credential* asks for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewCredentialForm {
    company_id: String,
    #[serde(default)]
    description: String,
    kind: String,
    name: String,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    scopes: Option<String>,
}

impl NewCredentialForm {
    fn kind(&self) -> Option<CredentialKind> {
        if self.kind == "api_key" {
            return Some(CredentialKind::ApiKey);
        }
        let role = SystemRole::from_id(self.role.as_deref().unwrap_or("ADMINISTRATOR"))?;
        let scopes = ScopeSet::parse(self.scopes.as_deref()?).ok()?;
        (self.kind == "oauth_client").then_some(CredentialKind::OauthClient { role, scopes })
    }
}

async fn create(State(shared): State<Arc<Shared>>, body: Body<NewCredentialForm>) -> Response {
    let form = match body {
        Ok(Json(form)) => form,
        Err(rejection) => return not_taken(&rejection),
    };
    let (company, name, description) = (&form.company_id, &form.name, &form.description);
    let created = form
        .kind()
        .and_then(|kind| shared.simulator().create_credential(company, name, description, kind));
    match created {
        Some(new) => {
            let secret = new.secret.expose();
            let shown = match new.client_id {
                Some(id) => json!({ "clientId": id, "clientSecret": secret }),
                None => json!({ "apiKey": secret }),
            };
            Json(shown).into_response()
        }
        None => wrong("kind is api_key or oauth_client, which takes role and scopes"),
    }
}

async fn revoke(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(of): Query<OfCompany>,
) -> StatusCode {
    match shared.simulator().revoke_credential(&of.company_id, &id) {
        true => StatusCode::NO_CONTENT,
        false => StatusCode::NOT_FOUND,
    }
}
