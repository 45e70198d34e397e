//! The scopes whose names have been seen, as data.

/// A scope name that some public source mentions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct KnownScope {
    /// The name as sent.
    pub name: &'static str,
    /// What it allows.
    pub description: &'static str,
    /// How sure the name is.
    pub evidence: Evidence,
}

/// Where the name of a scope was seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Evidence {
    /// An old spelling; a newer name has taken its place.
    Obsolete,
    /// On the service's own list of scopes or in its permission reference.
    Official,
    /// In guides or clients for the service, and not on the readable part of its own list.
    Seen,
    /// In one third-party list only.
    ThirdParty,
}

impl KnownScope {
    /// Returns every known scope, in alphabetical order.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        KNOWN
    }

    pub(super) fn find(name: &str) -> Option<&'static Self> {
        let index = KNOWN.binary_search_by_key(&name, |known| known.name).ok()?;
        KNOWN.get(index)
    }
}

const fn scope(name: &'static str, evidence: Evidence, description: &'static str) -> KnownScope {
    KnownScope { name, description, evidence }
}

use Evidence::{Obsolete, Official, Seen, ThirdParty};

#[rustfmt::skip]
const KNOWN: &[KnownScope] = &[
    scope("approvals_create", Official, "Create approval requests for jobs and offers"),
    scope("approvals_read", Official, "Read approval requests for jobs and offers"),
    scope("assessment_orders_read", Official, "Read assessment results and their attachments"),
    scope("audit_events_read", Official, "Read the audit log of actions by users and system"),
    scope("candidate_applications_manage", Official, "Submit an application through the Application API, read its configuration and status"),
    scope("candidate_status_read", Obsolete, "Read a candidate's status history (older spelling)"),
    scope("candidate_view_application_status_read", ThirdParty, "Read the application status as shown to the candidate"),
    scope("candidates_create", Official, "Add candidates to a job or the talent pool and add attachments"),
    scope("candidates_manage", Official, "Change candidate status, onboarding status, tags, source and properties; delete candidates"),
    scope("candidates_offers_read", Official, "Read a candidate's offers and their terms"),
    scope("candidates_parse_resume", ThirdParty, "Parse a resume without creating a candidate"),
    scope("candidates_read", Official, "Read candidates: list, details, tags, onboarding status, properties, attachments, screening answers, status history"),
    scope("candidates_status_read", Official, "Read a candidate's status history"),
    scope("client_credentials_write", Official, "Create customer-level credentials in the partner credential exchange"),
    scope("company_read", Official, "Read company information"),
    scope("configuration_manage", Official, "Change company settings: departments, hiring processes, job and offer properties"),
    scope("configuration_read", Official, "Read company settings: departments, hiring processes, job and offer properties"),
    scope("event_management_read", ThirdParty, "Read recruiting events"),
    scope("event_management_write", ThirdParty, "Create and change recruiting events"),
    scope("interview_templates_manage", ThirdParty, "Create and change interview templates"),
    scope("interview_templates_read", ThirdParty, "Read interview templates"),
    scope("interview_types_read", ThirdParty, "Read interview types"),
    scope("interview_types_write", ThirdParty, "Add and delete interview types"),
    scope("interviews_read", ThirdParty, "Read interviews and timeslots"),
    scope("interviews_write", ThirdParty, "Create and change interviews and timeslots"),
    scope("job_applications_manage", ThirdParty, "Change or delete job applications"),
    scope("job_applications_read", ThirdParty, "Read job applications"),
    scope("jobs_manage", Seen, "Create and change jobs"),
    scope("jobs_publications_manage", Seen, "Publish and unpublish jobs"),
    scope("jobs_read", Seen, "Read jobs"),
    scope("message_templates_read", ThirdParty, "Read message templates"),
    scope("message_templates_write", ThirdParty, "Create and change message templates"),
    scope("messages_manage", ThirdParty, "Manage messages"),
    scope("messages_read", ThirdParty, "Search and read messages"),
    scope("messages_write", Seen, "Post notes/messages"),
    scope("r_jobs", Obsolete, "Read jobs (2015 name)"),
    scope("reporting_read", ThirdParty, "List reports and download their files"),
    scope("reporting_write", ThirdParty, "Start ad-hoc report generation"),
    scope("reviews_read", ThirdParty, "Read candidate reviews"),
    scope("reviews_write", ThirdParty, "Create and change candidate reviews"),
    scope("schedule_preferences_read", ThirdParty, "Read a user's scheduling preferences"),
    scope("self_schedules_manage", ThirdParty, "Create, change and cancel self-schedules"),
    scope("self_schedules_read", ThirdParty, "Read self-schedules and free slots"),
    scope("url_shortener_write", ThirdParty, "Shorten SmartRecruiters URLs"),
    scope("user_me_read", Seen, "Read the profile of the user (or credential) that holds the token"),
    scope("users_manage", Seen, "Create, change, activate and deactivate users; assign access groups"),
    scope("users_read", Seen, "Read users"),
    scope("webhooks_delete", Seen, "Delete webhook subscriptions"),
    scope("webhooks_manage", Seen, "Read, activate and delete webhook subscriptions"),
    scope("webhooks_read", Seen, "Read webhook subscriptions"),
    scope("webhooks_write", Seen, "Create webhook subscriptions"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_scope_is_found_by_its_name() {
        assert!(KNOWN.is_sorted_by_key(|known| known.name));
        for known in KnownScope::all() {
            assert_eq!(KnownScope::find(known.name), Some(known));
        }
        assert_eq!(KnownScope::find("users:read"), None);
    }
}
