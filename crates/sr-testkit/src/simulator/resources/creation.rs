//! New jobs and candidates, as many as fit into a simulator.

use http::{Request, Response, StatusCode};
use serde_json::Value;
use sr_auth_core::{SecretBytes, Timestamp};

use super::content::{candidate_json, job_json, object};
use crate::simulator::Simulator;
use crate::simulator::access::CompanyCaller;
use crate::simulator::answer;
use crate::simulator::iso_time::iso_time;
use crate::world::{Candidate, Job};

/// How many jobs, and how many candidates, a company can have before it can make no more.
const ROOM: usize = 1_000;
/// How long a text may be, in bytes.
const TEXT_LIMIT: usize = 512;

impl Simulator {
    pub(super) fn create_job(
        &mut self,
        now: Timestamp,
        caller: &CompanyCaller,
        request: &Request<SecretBytes>,
    ) -> Response<SecretBytes> {
        let Some(body) = object(request) else { return not_json() };
        let (title, city) = match (required(&body, "/title"), optional(&body, "/location/city")) {
            (Ok(title), Ok(city)) => (title, city),
            (Err(unusable), _) | (_, Err(unusable)) => return unusable.answer(),
        };
        if self.world.jobs().filter(|it| it.company == caller.company).count() >= ROOM {
            return unprocessable("TOO_MANY_JOBS", "The company has as many jobs as fit");
        }
        let id = self.secrets.uuid();
        let mut job = Job::new(&id, &caller.company, caller.user.as_deref(), title, city);
        job.created_at = iso_time(now);
        let response = answer::json(StatusCode::CREATED, &job_json(&job));
        self.world.add_job(job);
        response
    }

    pub(super) fn create_candidate(
        &mut self,
        caller: &CompanyCaller,
        request: &Request<SecretBytes>,
    ) -> Response<SecretBytes> {
        let Some(body) = object(request) else { return not_json() };
        let [first, last, email] =
            ["/firstName", "/lastName", "/email"].map(|pointer| required(&body, pointer));
        let (first, last, email) = match (first, last, email) {
            (Ok(first), Ok(last), Ok(email)) => (first, last, email),
            (Err(unusable), _, _) | (_, Err(unusable), _) | (_, _, Err(unusable)) => {
                return unusable.answer();
            }
        };
        if self.world.candidates().filter(|it| it.company == caller.company).count() >= ROOM {
            let text = "The company has as many candidates as fit";
            return unprocessable("TOO_MANY_CANDIDATES", text);
        }
        let id = self.secrets.uuid();
        let mut candidate = Candidate::new(&id, &caller.company, None, first, last);
        email.clone_into(&mut candidate.email);
        let response = answer::json(StatusCode::CREATED, &candidate_json(&candidate));
        self.world.add_candidate(candidate);
        response
    }
}

/// Why a property is of no use; each names it by its pointer.
#[derive(Debug)]
enum Unusable {
    Missing(&'static str),
    TooLong(&'static str),
}

impl Unusable {
    fn answer(&self) -> Response<SecretBytes> {
        match self {
            Self::Missing(pointer) => {
                let text = format!("Property {} is required", property(pointer));
                answer::coded(StatusCode::BAD_REQUEST, "PROPERTY_REQUIRED", &text)
            }
            Self::TooLong(pointer) => {
                let text = format!("Property {} is too long", property(pointer));
                unprocessable("PROPERTY_TOO_LONG", &text)
            }
        }
    }
}

fn optional<'a>(body: &'a Value, pointer: &'static str) -> Result<&'a str, Unusable> {
    let text = body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    if text.len() > TEXT_LIMIT { Err(Unusable::TooLong(pointer)) } else { Ok(text) }
}

fn required<'a>(body: &'a Value, pointer: &'static str) -> Result<&'a str, Unusable> {
    let text = optional(body, pointer)?;
    if text.is_empty() { Err(Unusable::Missing(pointer)) } else { Ok(text) }
}

/// `location.city` of `/location/city`.
fn property(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

fn not_json() -> Response<SecretBytes> {
    answer::coded(StatusCode::BAD_REQUEST, "INVALID_BODY", "The body is not a JSON object")
}

fn unprocessable(code: &str, text: &str) -> Response<SecretBytes> {
    answer::coded(StatusCode::UNPROCESSABLE_ENTITY, code, text)
}
