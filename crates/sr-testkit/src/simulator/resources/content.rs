//! What the endpoints answer with: the company's data, as far as the caller may see it.

use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use sr_auth_core::SecretBytes;

use crate::simulator::Simulator;
use crate::simulator::access::CompanyCaller;
use crate::simulator::answer;
use crate::simulator::form::Form;
use crate::world::{Candidate, Company, Job, User};

impl Simulator {
    pub(super) fn postings(
        &self,
        identifier: &str,
        request: &Request<SecretBytes>,
    ) -> Response<SecretBytes> {
        let mut companies = self.world.companies();
        let Some(company) = companies.find(|it| it.identifier == identifier) else {
            return answer::message(StatusCode::NOT_FOUND, "Company not found");
        };
        let public = self.world.jobs().filter(|job| job.company == company.id && job.published);
        paged(request, public.map(|job| posting(company, job)).collect())
    }

    pub(super) fn feed(&self, request: &Request<SecretBytes>) -> Response<SecretBytes> {
        let jobs = self.world.jobs().filter(|job| job.published);
        let items = jobs.filter_map(|job| {
            let company = self.world.company(&job.company)?;
            Some(json!({
                "postingId": job.id, "status": "PENDING", "title": job.title,
                "company": { "id": company.id, "name": company.name },
            }))
        });
        paged(request, items.collect())
    }

    pub(super) fn jobs(
        &self,
        caller: &CompanyCaller,
        request: &Request<SecretBytes>,
    ) -> Response<SecretBytes> {
        let jobs = self.world.jobs().filter(|job| may_see(caller, job));
        paged(request, jobs.map(job_json).collect())
    }

    pub(super) fn job(&self, caller: &CompanyCaller, id: &str) -> Response<SecretBytes> {
        match self.world.job(id).filter(|job| may_see(caller, job)) {
            Some(job) => answer::json(StatusCode::OK, &job_json(job)),
            None => not_found("JOB_NOT_FOUND", "Job not found"),
        }
    }

    pub(super) fn publish(
        &mut self,
        caller: &CompanyCaller,
        id: &str,
        published: bool,
    ) -> Response<SecretBytes> {
        match self.world.job_mut(id).filter(|job| may_see(caller, job)) {
            Some(job) => job.published = published,
            None => return not_found("JOB_NOT_FOUND", "Job not found"),
        }
        if published {
            return answer::json(StatusCode::CREATED, &json!({ "jobId": id, "status": "ACTIVE" }));
        }
        answer::empty(StatusCode::NO_CONTENT)
    }

    pub(super) fn candidates(
        &self,
        caller: &CompanyCaller,
        request: &Request<SecretBytes>,
    ) -> Response<SecretBytes> {
        let seen = self.world.candidates().filter(|it| {
            let job = it.job.as_deref().and_then(|id| self.world.job(id));
            let own = job.is_some_and(|job| may_see(caller, job));
            it.company == caller.company && (caller.sees_all() || own)
        });
        paged(request, seen.map(candidate_json).collect())
    }

    pub(super) fn me(&self, caller: &CompanyCaller) -> Response<SecretBytes> {
        let user = caller.user.as_deref().and_then(|id| self.world.user(id));
        let body = user.map_or_else(
            || {
                let role = json!({ "id": caller.role.id(), "name": caller.role.name() });
                json!({
                    "id": "api-user", "active": true, "email": "api-user@example.com",
                    "firstName": "API", "lastName": "User", "systemRole": role,
                })
            },
            user_json,
        );
        answer::json(StatusCode::OK, &body)
    }

    pub(super) fn users(
        &self,
        caller: &CompanyCaller,
        request: &Request<SecretBytes>,
    ) -> Response<SecretBytes> {
        let own = |user: &&User| caller.sees_all() || caller.user.as_deref() == Some(&user.id);
        let users = self.world.users().filter(|user| user.company == caller.company);
        paged(request, users.filter(own).map(user_json).collect())
    }

    pub(super) fn company(&self, caller: &CompanyCaller) -> Response<SecretBytes> {
        match self.world.company(&caller.company) {
            Some(company) => answer::json(
                StatusCode::OK,
                &json!({
                    "id": company.id, "identifier": company.identifier, "name": company.name,
                }),
            ),
            None => not_found("COMPANY_NOT_FOUND", "Company not found"),
        }
    }

    /// The consents and jobs of the company are what can be audited here.
    pub(super) fn audit_events(
        &self,
        caller: &CompanyCaller,
        request: &Request<SecretBytes>,
    ) -> Response<SecretBytes> {
        let jobs = self.world.jobs().filter(|job| job.company == caller.company);
        let events = jobs.map(|job| {
            json!({
                "actor": job.creator, "eventName": "job.created", "entityId": job.id,
                "eventDate": job.created_at,
            })
        });
        paged(request, events.collect())
    }
}

/// A caller who does not see all sees the jobs that the user created.
fn may_see(caller: &CompanyCaller, job: &Job) -> bool {
    let own = caller.user.is_some() && caller.user == job.creator;
    job.company == caller.company && (caller.sees_all() || own)
}

fn posting(company: &Company, job: &Job) -> Value {
    json!({
        "id": job.id, "name": job.title, "location": { "city": job.city },
        "company": { "identifier": company.identifier, "name": company.name },
        "releasedDate": job.created_at,
    })
}

pub(super) fn job_json(job: &Job) -> Value {
    let (status, posting) =
        if job.published { ("SOURCING", "PUBLIC") } else { ("CREATED", "NOT_PUBLISHED") };
    json!({
        "id": job.id, "title": job.title, "status": status, "postingStatus": posting,
        "location": { "city": job.city }, "createdOn": job.created_at,
        "creator": job.creator.as_ref().map(|id| json!({ "id": id })),
    })
}

pub(super) fn candidate_json(candidate: &Candidate) -> Value {
    json!({
        "id": candidate.id, "firstName": candidate.first_name, "lastName": candidate.last_name,
        "email": candidate.email,
        "primaryAssignment": candidate.job.as_ref().map(|id| json!({ "job": { "id": id } })),
    })
}

fn user_json(user: &User) -> Value {
    json!({
        "id": user.id, "active": user.active, "email": user.email, "firstName": user.first_name,
        "lastName": user.last_name,
        "systemRole": { "id": user.role.id(), "name": user.role.name() },
    })
}

/// One page of a list: `limit` from 1 to 100, 10 by default, from `pageId` on.
fn paged(request: &Request<SecretBytes>, items: Vec<Value>) -> Response<SecretBytes> {
    let query = request.uri().query().unwrap_or_default();
    let form = Form::read(query.as_bytes());
    let parameter = |name| form.as_ref().and_then(|form| form.get(name));
    let limit = parameter("limit").map_or(Some(10), |text| text.parse::<usize>().ok());
    let start = parameter("pageId").map_or(Some(0), page_start);
    let (Some(limit @ 1..=100), Some(start)) = (limit, start) else {
        let text = "limit must be from 1 to 100, and pageId one that was given";
        return answer::coded(StatusCode::BAD_REQUEST, "INVALID_PAGE", text);
    };
    let total = items.len();
    let content: Vec<Value> = items.into_iter().skip(start).take(limit).collect();
    let next = start.saturating_add(limit);
    let mut body = json!({ "content": content, "limit": limit, "totalFound": total });
    if let (true, Some(members)) = (next < total, body.as_object_mut()) {
        members.insert("nextPageId".to_owned(), json!(format!("page-{next}")));
    }
    answer::json(StatusCode::OK, &body)
}

fn page_start(page_id: &str) -> Option<usize> {
    page_id.strip_prefix("page-")?.parse().ok()
}

/// Returns the body of a request, if it is a JSON object.
pub(super) fn object(request: &Request<SecretBytes>) -> Option<Value> {
    let body: Value = serde_json::from_slice(request.body().expose()).ok()?;
    body.is_object().then_some(body)
}

fn not_found(code: &str, text: &str) -> Response<SecretBytes> {
    answer::coded(StatusCode::NOT_FOUND, code, text)
}
