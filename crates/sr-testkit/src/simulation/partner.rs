//! Partners and SmartRecruiters together: processes that run the real machines of `sr-partner` over
//! its store, browsers, tenants who race for a company, and the simulator as SmartRecruiters, which
//! also calls the partner.
//!
//! ```text
//!  browser ──▶ IntegrationExchange ──▶ POST …/integrations ──▶ simulator
//!                 │                                               │ token, notification, API call
//!                 └──▶ store model ◀── TokenIssuance, Notification, Admission ◀──┘
//! ```
//!
//! The harness is that of the fleets: choices, network, store weather, queue, trace.

mod coverage;
mod oracle;
mod run;
mod scenario;
mod storage;

pub(super) use coverage::PartnerCoverage;
pub(super) use run::Run;
pub(super) use scenario::PartnerScenario;
pub use storage::PartnerDefect;
