//! What companies keep at SmartRecruiters: enough to see what a credential may see.

/// A job of a company.
#[derive(Clone, Debug)]
pub struct Job {
    pub(crate) city: String,
    pub(crate) company: String,
    pub(crate) created_at: String,
    pub(crate) creator: Option<String>,
    pub(crate) id: String,
    pub(crate) published: bool,
    pub(crate) title: String,
}

impl Job {
    /// Makes an unpublished job; `creator` is the id of a user, whose own job it then is.
    #[must_use]
    pub fn new(id: &str, company: &str, creator: Option<&str>, title: &str, city: &str) -> Self {
        let [id, company, title, city] = [id, company, title, city].map(str::to_owned);
        Self {
            city,
            company,
            created_at: "2026-01-05T09:00:00.000Z".to_owned(),
            creator: creator.map(str::to_owned),
            id,
            published: false,
            title,
        }
    }

    /// Publishes the job: it is on the public list of postings.
    #[must_use]
    pub fn published(self) -> Self {
        Self { published: true, ..self }
    }

    /// Returns the id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }
}

/// Somebody who applied to a company.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub(crate) company: String,
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) id: String,
    pub(crate) job: Option<String>,
    pub(crate) last_name: String,
}

impl Candidate {
    /// Makes a candidate, for a job or for the talent pool.
    #[must_use]
    pub fn new(id: &str, company: &str, job: Option<&str>, first: &str, last: &str) -> Self {
        let email = format!("{}.{}@example.org", first.to_lowercase(), last.to_lowercase());
        let [id, company, first_name, last_name] = [id, company, first, last].map(str::to_owned);
        Self { company, email, first_name, id, job: job.map(str::to_owned), last_name }
    }

    /// Returns the id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}
