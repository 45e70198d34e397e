//! Which of the two exchanges of the service: the general one, or its older Assessment sibling.

/// Which exchange an application uses.
///
/// Both trade master credentials for a company's own; they differ in where the company is named and
/// in how SmartRecruiters says that it has disabled the integration.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Profile {
    /// The Assessment partner integration: the company stands in the path, and the end of an
    /// integration is a `DELETE` to the partner.
    Assessment,
    /// The General Partner Integration: the company stands in the body, and the end of an
    /// integration is an event that is posted to `callbackUrl`.
    #[default]
    General,
}

impl Profile {
    /// The path of the general exchange.
    pub const GENERAL_PATH: &str = "/apps-integrations/partner-api/integrations";
    /// The path of the Assessment exchange, in front of the company.
    pub const ASSESSMENT_PATH: &str = "/assessment-api/v202010/integration/company/";
}
