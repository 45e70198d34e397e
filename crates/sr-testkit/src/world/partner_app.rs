//! The applications of partners that SmartRecruiters has approved.

use sr_auth_core::ScopeSet;
use sr_partner::AppId;
use sr_partner::registration::InboundUrls;

/// A partner's application, as the Partner & API Team has set it up.
///
/// # Examples
///
/// ```
/// use sr_auth_core::{ScopeSet, Secret};
/// use sr_partner::AppId;
/// use sr_testkit::{Client, PartnerApp, World};
///
/// let mut world = World::new();
/// let app = AppId::new("planner")?;
/// world.add_client(Client::master("master", Secret::new("9165228a".into()), &app));
/// world.add_partner_app(PartnerApp::new(app, ScopeSet::parse("jobs_read")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PartnerApp {
    pub(crate) id: AppId,
    pub(crate) inbound: Option<InboundUrls>,
    pub(crate) scopes: ScopeSet,
}

impl PartnerApp {
    /// Takes an application whose customers' credentials have these scopes.
    #[must_use]
    pub const fn new(id: AppId, scopes: ScopeSet) -> Self {
        Self { id, inbound: None, scopes }
    }

    /// Sets where SmartRecruiters calls the partner.
    #[must_use]
    pub fn with_inbound(self, inbound: InboundUrls) -> Self {
        Self { inbound: Some(inbound), ..self }
    }

    /// Returns the id.
    #[must_use]
    pub const fn id(&self) -> &AppId {
        &self.id
    }

    /// Returns where SmartRecruiters calls the partner, if it does.
    #[must_use]
    pub const fn inbound(&self) -> Option<&InboundUrls> {
        self.inbound.as_ref()
    }
}
