//! What the browser brings to `consentUrl`.

use sr_auth_core::Remedy;

use super::{ConsentDisplayMode, RedirectError, RedirectOrigins, RedirectTarget};
use crate::CompanyId;
use crate::wire::query::{Form, FormFault};

/// A visit to our consent page, read and not believed: anybody can make one, for any company.
///
/// # Examples
///
/// ```
/// use sr_partner::consent::{ConsentDisplayMode, ConsentVisit, RedirectOrigins};
///
/// let origins = RedirectOrigins::production();
/// let query = "companyId=5f1b2c&redirect=https%3A%2F%2Fwww.smartrecruiters.com%2Fapps";
/// let visit = ConsentVisit::parse(query, ConsentDisplayMode::Redirect, &origins)?;
/// assert_eq!(visit.company().as_str(), "5f1b2c");
/// # Ok::<(), sr_partner::consent::ConsentError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConsentVisit {
    pub(super) company: CompanyId,
    pub(super) redirect: Option<RedirectTarget>,
}

impl ConsentVisit {
    /// The longest query that is read, in bytes.
    pub const LIMIT: usize = 8 * 1024;

    /// Reads the query of a visit. In a pop-up `redirect` has no meaning, and is not looked at; other
    /// parameters are passed over.
    ///
    /// # Errors
    ///
    /// See [`ConsentError`].
    pub fn parse(
        query: &str,
        mode: ConsentDisplayMode,
        origins: &RedirectOrigins,
    ) -> Result<Self, ConsentError> {
        if query.len() > Self::LIMIT {
            return Err(ConsentError::Malformed);
        }
        let form = Form::read(query.as_bytes()).map_err(|fault| match fault {
            FormFault::Malformed | FormFault::TooMany => ConsentError::Malformed,
            FormFault::Repeated => ConsentError::Repeated,
        })?;
        let company = form.filled("companyId").ok_or(ConsentError::NoCompany)?;
        let company = CompanyId::new(company).map_err(|_| ConsentError::Company)?;
        let redirect = match mode {
            ConsentDisplayMode::Popup => None,
            ConsentDisplayMode::Redirect => {
                let text = form.filled("redirect").ok_or(ConsentError::NoRedirect)?;
                Some(origins.admit(text)?)
            }
        };
        Ok(Self { company, redirect })
    }

    /// Returns the company that is named.
    #[must_use]
    pub const fn company(&self) -> &CompanyId {
        &self.company
    }

    /// Returns where the browser wants to go back to.
    #[must_use]
    pub const fn redirect(&self) -> Option<&RedirectTarget> {
        self.redirect.as_ref()
    }
}

/// Why a visit is turned away. Nothing of what it brought is in the message.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConsentError {
    /// `companyId` cannot be the id of a company.
    #[error("companyId is not the id of a company")]
    Company,
    /// The query cannot be read.
    #[error("the query is malformed")]
    Malformed,
    /// There is no `companyId`.
    #[error("companyId is missing")]
    NoCompany,
    /// There is no `redirect`, though the mode is REDIRECT.
    #[error("redirect is missing")]
    NoRedirect,
    /// `redirect` leads somewhere else.
    #[error("{0}")]
    Redirect(#[from] RedirectError),
    /// A parameter comes twice.
    #[error("a parameter is repeated")]
    Repeated,
}

impl ConsentError {
    /// Returns what can be done: the customer connects again, from SmartRecruiters. A redirect that
    /// is refused though it came from there is a setting of ours.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::NoRedirect | Self::Redirect(_) => Remedy::FixConfiguration,
            Self::Company | Self::Malformed | Self::NoCompany | Self::Repeated => {
                Remedy::Reauthorize
            }
        }
    }

    /// Returns a stable name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Company => "sr_partner::consent::company",
            Self::Malformed => "sr_partner::consent::malformed",
            Self::NoCompany => "sr_partner::consent::no_company",
            Self::NoRedirect => "sr_partner::consent::no_redirect",
            Self::Redirect(_) => "sr_partner::consent::redirect",
            Self::Repeated => "sr_partner::consent::repeated",
        }
    }
}
