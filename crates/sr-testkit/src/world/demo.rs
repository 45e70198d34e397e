//! The world of the sandbox and of most tests.

use sr_auth_core::{
    ApiKey, ClientAuthentication, ClientCredentials, PartnerApiKey, RedirectUri, Scope, ScopeSet,
    Secret,
};
use sr_partner::AppId;
use sr_partner::consent::ConsentDisplayMode;
use sr_partner::registration::{AppRegistration, InboundUrls, MasterCredentials, RequestedScope};

use super::{Candidate, Client, Company, Job, Key, KeyHolder, PartnerApp, SystemRole, User, World};
use crate::simulator::Generator;

/// The credentials of [`World::demo`].
#[derive(Clone, Debug)]
pub struct DemoCredentials {
    api_key: ApiKey,
    api_key_secret: Secret,
    application: ClientCredentials,
    locked_out: ClientCredentials,
    narrow: ClientCredentials,
    partner: MasterCredentials,
    partner_api_key: PartnerApiKey,
    partner_api_key_secret: Secret,
    redirect_uri: RedirectUri,
    service: ClientCredentials,
}

impl DemoCredentials {
    /// The readable name of the company with API access.
    pub const COMPANY: &str = "AcmeLogistics";
    /// The readable name of the company without API access.
    pub const COMPANY_WITHOUT_ACCESS: &str = "GlobexFoods";
    /// The id of a user with the role Administrator.
    pub const ADMINISTRATOR: &str = "user-admin";
    /// The id of a user with the role Standard, who sees own jobs only.
    pub const STANDARD_USER: &str = "user-standard";
    /// The id of the partner's application that customers can connect.
    pub const PARTNER_APP: &str = "example-partner";
    /// Where that application listens: its `consentUrl` is `/connect` there, its `oauthTokenUrl`
    /// `/oauth/token` and its `callbackUrl` `/callback`.
    pub const PARTNER_ORIGIN: &str = "http://localhost:8800";
    /// The redirect URIs of the application; the first two are on loopback.
    pub const REDIRECT_URIS: [&str; 3] = [
        "http://127.0.0.1/callback",
        "http://localhost/callback",
        "https://yourapp.example/callback",
    ];

    /// Returns the API key of the company.
    #[must_use]
    pub const fn api_key(&self) -> &ApiKey {
        &self.api_key
    }

    /// Returns the API key of the company as a text.
    #[must_use]
    pub const fn api_key_secret(&self) -> &Secret {
        &self.api_key_secret
    }

    /// Returns the key of a job board.
    #[must_use]
    pub const fn partner_api_key(&self) -> &PartnerApiKey {
        &self.partner_api_key
    }

    /// Returns the key of a job board as a text.
    #[must_use]
    pub const fn partner_api_key_secret(&self) -> &Secret {
        &self.partner_api_key_secret
    }

    /// Returns a client-credentials client with many scopes and the role Administrator.
    #[must_use]
    pub const fn service(&self) -> &ClientCredentials {
        &self.service
    }

    /// Returns a client-credentials client that may read jobs and nothing else.
    #[must_use]
    pub const fn narrow(&self) -> &ClientCredentials {
        &self.narrow
    }

    /// Returns a client-credentials client of the company without API access.
    #[must_use]
    pub const fn locked_out(&self) -> &ClientCredentials {
        &self.locked_out
    }

    /// Returns a partner's application, for the authorization code grant.
    #[must_use]
    pub const fn application(&self) -> &ClientCredentials {
        &self.application
    }

    /// Returns the master credentials of the partner's application that customers can connect.
    #[must_use]
    pub const fn partner(&self) -> &MasterCredentials {
        &self.partner
    }

    /// Returns the first redirect URI of the application.
    #[must_use]
    pub const fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    fn draw(seed: u64) -> Self {
        // Another stream than the simulator's, which may have the same seed.
        let secrets = &mut Generator::new(!seed);
        let api_key_secret = Secret::new(format!("DCRA1-{}", secrets.hex(32)));
        let partner_api_key_secret = Secret::new(format!("pp-{}", secrets.hex(64)));
        let [first, ..] = Self::REDIRECT_URIS;
        Self {
            api_key: ApiKey::new(api_key_secret.clone()).expect(VALID),
            api_key_secret,
            application: draw_client(secrets),
            locked_out: draw_client(secrets),
            narrow: draw_client(secrets),
            partner: draw_master(seed),
            partner_api_key: PartnerApiKey::new(partner_api_key_secret.clone()).expect(VALID),
            partner_api_key_secret,
            redirect_uri: RedirectUri::parse(first).expect("the URIs of this file are valid"),
            service: draw_client(secrets),
        }
    }
}

const VALID: &str = "the generator draws printable text";

fn draw_master(seed: u64) -> MasterCredentials {
    // A third stream, so that the credentials of a seed stay what they are.
    let secrets = &mut Generator::new(seed.rotate_left(32) ^ !seed);
    let app = AppId::new(DemoCredentials::PARTNER_APP).expect("the id of this file is valid");
    MasterCredentials::new(app, draw_client(secrets))
}

fn draw_client(secrets: &mut Generator) -> ClientCredentials {
    let (id, secret) = (secrets.hex(32), Secret::new(secrets.hex(32)));
    ClientCredentials::new(&id, secret).expect(VALID)
}

const ACME: &str = "60d1a4e2";
const GLOBEX: &str = "71e2b5f3";

const SERVICE_SCOPES: &str = "audit_events_read candidates_create candidates_read company_read \
    configuration_read jobs_manage jobs_publications_manage jobs_read user_me_read users_read";
const APPLICATION_SCOPES: &str = "audit_events_read candidates_create candidates_offers_read \
    candidates_read company_read jobs_manage jobs_read user_me_read users_read";

fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).expect("the scopes of this file are valid")
}

pub(super) fn build(seed: u64) -> (World, DemoCredentials) {
    let credentials = DemoCredentials::draw(seed);
    let mut world = World::new();
    add_companies(&mut world);
    add_clients(&mut world, &credentials);
    (world, credentials)
}

fn add_companies(world: &mut World) {
    world.add_company(Company::new(ACME, DemoCredentials::COMPANY, "Acme Logistics"));
    let globex = Company::new(GLOBEX, DemoCredentials::COMPANY_WITHOUT_ACCESS, "Globex Foods");
    world.add_company(globex.without_api_access());
    let people = [
        (DemoCredentials::ADMINISTRATOR, ACME, "Admin", "User", SystemRole::Administrator),
        ("user-extended", ACME, "Extended", "User", SystemRole::Extended),
        (DemoCredentials::STANDARD_USER, ACME, "Standard", "User", SystemRole::Standard),
        ("user-globex", GLOBEX, "Globex", "User", SystemRole::Administrator),
    ];
    for (id, company, first, last, role) in people {
        world.add_user(User::new(id, company, first, last, role));
    }
    let (admin_user, standard) = (DemoCredentials::ADMINISTRATOR, DemoCredentials::STANDARD_USER);
    let driver = Job::new("job-1001", ACME, Some(admin_user), "Truck Driver", "Kraków");
    let planner =
        Job::new("job-1002", ACME, Some("user-extended"), "Route Planner", "San Francisco");
    let clerk = Job::new("job-1003", ACME, Some(standard), "Warehouse Clerk", "Hamburg");
    let baker = Job::new("job-2001", GLOBEX, Some("user-globex"), "Baker", "Lyon");
    for job in [driver.published(), planner, clerk.published(), baker.published()] {
        world.add_job(job);
    }
    let candidates = [
        ("cand-1", ACME, Some("job-1001"), "First", "Candidate"),
        ("cand-2", ACME, Some("job-1003"), "Second", "Candidate"),
        ("cand-3", ACME, None, "Third", "Candidate"),
        ("cand-4", GLOBEX, Some("job-2001"), "Fourth", "Candidate"),
    ];
    for (id, company, job, first, last) in candidates {
        world.add_candidate(Candidate::new(id, company, job, first, last));
    }
}

fn add_clients(world: &mut World, credentials: &DemoCredentials) {
    let admin = SystemRole::Administrator;
    let services = [
        (&credentials.service, "Nightly export", ACME, admin, SERVICE_SCOPES),
        (&credentials.narrow, "Careers page", ACME, SystemRole::Extended, "jobs_read"),
        (&credentials.locked_out, "Globex export", GLOBEX, admin, SERVICE_SCOPES),
    ];
    for (client, name, company, role, names) in services {
        let (id, secret) = (client.id().as_str(), secret_of(client));
        world.add_client(Client::service(id, secret, name, company, role, scopes(names)));
    }
    let (id, secret) = (credentials.application.id(), secret_of(&credentials.application));
    let (name, uris) = ("Interview Planner", DemoCredentials::REDIRECT_URIS);
    let approved = scopes(APPLICATION_SCOPES);
    let application = Client::application(id.as_str(), secret, name, &uris, approved);
    world.add_client(application.with_default_scopes(scopes("jobs_read user_me_read")));
    let master = credentials.partner.client();
    let id = master.id().as_str();
    world.add_client(Client::master(id, secret_of(master), credentials.partner.app()));
    let partner = PartnerApp::registered(credentials.partner.app().clone(), partner());
    world.add_partner_app(partner);
    let company = KeyHolder::Company(ACME.to_owned());
    let key = Key::new(company, credentials.api_key_secret.clone());
    world.add_key(key.named("First steps", "Made with the sandbox"));
    let partner = KeyHolder::Partner("Example Job Board".to_owned());
    world.add_key(Key::new(partner, credentials.partner_api_key_secret.clone()));
}

/// The application of a partner, as it was registered.
fn partner() -> AppRegistration {
    let origin = DemoCredentials::PARTNER_ORIGIN;
    let scopes = [
        ("candidates_read", "show candidates beside their interviews"),
        ("company_read", "confirm which company has connected"),
        ("jobs_read", "show the jobs that interviews are for"),
    ];
    let scopes = scopes.map(|(name, reason)| {
        let scope = Scope::new(name).expect("the scopes of this file are valid");
        RequestedScope::new(scope, reason).expect("the reasons of this file are valid")
    });
    let inbound = InboundUrls::new(&format!("{origin}/oauth/token"))
        .and_then(|urls| urls.with_callback(&format!("{origin}/callback")))
        .expect("the URLs of this file are valid");
    let mode = ConsentDisplayMode::Redirect;
    AppRegistration::new("Example Partner", &format!("{origin}/connect"), mode, scopes)
        .and_then(|it| it.with_description("Plans interviews, from a partner on your own machine."))
        .expect("the texts of this file are valid")
        .called_by_smartrecruiters(inbound, self::scopes("interviews_read"))
}

fn secret_of(client: &ClientCredentials) -> Secret {
    match client.authentication() {
        ClientAuthentication::Basic(secret) | ClientAuthentication::Body(secret) => secret.clone(),
        ClientAuthentication::Certificate | _ => Secret::new(String::new()),
    }
}
