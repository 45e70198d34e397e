//! The pages of SmartRecruiters, as a browser gets them.

use http::{Method, Response};
use sr_auth_core::SecretBytes;
use sr_partner::{AppId, CompanyId, IntegrationKey};
use sr_testkit::{Connection, DemoCredentials};

use crate::fixture::{Scene, form, header, member, request, scene, text};

const ACME: &str = "60d1a4e2";
const APP: &str = DemoCredentials::PARTNER_APP;

fn key() -> IntegrationKey {
    let app = AppId::new(APP).expect("valid");
    IntegrationKey { app, company: CompanyId::new(ACME).expect("valid") }
}

/// Posts a form and follows where it leads within these pages.
fn post(scene: &mut Scene, uri: &str, body: &str) -> (Response<SecretBytes>, String) {
    let mut request = form(uri, body);
    request.headers_mut().insert("host", "127.0.0.1:8700".parse().expect("a header"));
    let answer = scene.send(&request);
    let location = header(&answer, "location");
    (answer, location)
}

/// Exchanges credentials as the partner of the demo does.
fn exchange(scene: &mut Scene) -> Response<SecretBytes> {
    let master = scene.credentials.partner().client().clone();
    let (id, secret) = (master.id().as_str(), crate::fixture::secret(&master));
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let token = member(&scene.send(&form("/identity/oauth/token", &body)), "access_token");
    let body = format!(
        r#"{{"appId":"{APP}","companyId":"{ACME}","clientId":"ours","clientSecret":"secret-of-ours"}}"#
    );
    let path = sr_partner::Profile::GENERAL_PATH;
    let mut exchange = request(Method::POST, path, &body);
    let bearer = format!("Bearer {token}").parse().expect("a header");
    exchange.headers_mut().insert("authorization", bearer);
    scene.send(&exchange)
}

#[test]
fn every_page_is_found_is_well_formed_and_protects_itself() {
    let mut scene = scene(&[]);
    let pages = [
        "/pages/apps",
        "/pages/apps?company=71e2b5f3",
        "/pages/apps/example-partner?company=60d1a4e2",
        "/pages/credentials?company=60d1a4e2",
        "/pages/partners",
    ];
    for uri in pages {
        let page = scene.get(uri);
        let html = text(&page);
        assert_eq!(page.status(), 200, "{uri}");
        assert_eq!(html.matches("<h1>").count(), 1, "{uri}: one heading of the first level");
        for part in ["<html lang=\"en\">", "<main>", "<nav aria-label=\"Pages\">", "<title>"] {
            assert!(html.contains(part), "{uri}: {part}");
        }
        assert!(!html.contains("<script") && !html.contains(" style="), "{uri}: something inline");
        assert_eq!(fields_without_label(&html), Vec::<String>::new(), "{uri}");
        let policy = header(&page, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{uri}: {policy}");
        assert!(policy.ends_with("base-uri 'none'; frame-ancestors 'none'"), "{uri}: {policy}");
        assert_eq!(header(&page, "referrer-policy"), "no-referrer", "{uri}");
        assert_eq!(header(&page, "cache-control"), "no-store", "{uri}");
    }
    for uri in ["/pages/", "/pages/apps/none", "/pages/apps?company=none", "/pages/apps/a/b/c"] {
        assert_eq!(scene.get(uri).status(), 404, "{uri}");
    }
    let put = scene.send(&request(Method::PUT, "/pages/apps", ""));
    assert_eq!((put.status().as_u16(), header(&put, "allow").as_str()), (405, "GET, POST"));
}

/// Returns the ids of fields that no label names.
fn fields_without_label(html: &str) -> Vec<String> {
    let fields = html.split("<input ").skip(1).chain(html.split("<select ").skip(1));
    let fields = fields.map(|it| it.split('>').next().unwrap_or_default());
    let fields = fields.filter(|it| !it.contains("type=\"hidden\""));
    let id = |field: &str| {
        let (_, rest) = field.split_once("id=\"")?;
        rest.split_once('"').map(|(id, _)| id.to_owned())
    };
    let ids = fields.map(|field| id(field).unwrap_or_else(|| field.to_owned()));
    ids.filter(|id| !html.contains(&format!("<label for=\"{id}\">"))).collect()
}

#[test]
fn connecting_by_redirect_goes_to_the_partner_and_names_the_way_back() {
    let mut scene = scene(&[]);
    assert_eq!(scene.simulator.connection(&key()), Connection::NotConnected);
    let (answer, to) = post(&mut scene, "/pages/apps/example-partner/connect", "company=60d1a4e2");
    assert_eq!(answer.status(), 303);
    let back =
        "http%3A%2F%2F127.0.0.1%3A8700%2Fpages%2Fapps%2Fexample-partner%3Fcompany%3D60d1a4e2";
    assert_eq!(to, format!("http://localhost:8800/connect?companyId=60d1a4e2&redirect={back}"));
    assert_eq!(scene.simulator.connection(&key()), Connection::Consented);
    let page = scene.get("/pages/apps/example-partner?company=60d1a4e2");
    assert!(text(&page).contains("Waiting for the partner"));
    let policy = header(&page, "content-security-policy");
    assert!(policy.contains("form-action 'self' http://localhost:8800;"), "{policy}");
    assert_eq!(exchange(&mut scene).status(), 200);
    let page = text(&scene.get("/pages/apps/example-partner?company=60d1a4e2"));
    assert!(page.contains("Connected") && page.contains("<code>ours</code>"), "{page}");
}

#[test]
fn connecting_in_a_pop_up_frames_the_partner_until_it_has_exchanged() {
    let mut scene = scene(&[]);
    let form = "name=Pop&consentUrl=http%3A%2F%2Flocalhost%3A8801%2Fconnect%3Fx%3D1\
                &consentDisplayMode=POPUP&scope=jobs_read&appId=pop";
    let (registered, _) = post(&mut scene, "/pages/partners", form);
    assert_eq!(registered.status(), 303, "{}", text(&registered));
    let popup = "/pages/apps/pop/popup?company=60d1a4e2";
    assert_eq!(scene.get(popup).status(), 404, "nobody has agreed");
    let (_, to) = post(&mut scene, "/pages/apps/pop/connect", "company=60d1a4e2");
    assert_eq!(to, popup);
    let page = scene.get(popup);
    let html = text(&page);
    let frame = "src=\"http://localhost:8801/connect?x=1&amp;companyId=60d1a4e2\"></iframe>";
    assert!(html.contains(frame), "{html}");
    assert!(html.contains("<script src=\"/pages/popup.js\" type=\"module\"></script>"));
    let policy = header(&page, "content-security-policy");
    assert!(policy.contains("frame-src http://localhost:8801;"), "{policy}");
    assert!(policy.contains("script-src 'self'; connect-src 'self';"), "{policy}");
    let before = scene.simulator.journal().count();
    let state = scene.get("/pages/apps/pop/state?company=60d1a4e2");
    assert_eq!(text(&state), r#"{"connection":"consented","exchanges":0}"#);
    assert_eq!(scene.simulator.journal().count(), before, "looking leaves no trace");
    assert_eq!(
        header(&scene.get("/pages/popup.js"), "content-type"),
        "text/javascript; charset=utf-8"
    );
}

#[test]
fn a_credential_is_shown_once_works_and_is_revoked() {
    let mut scene = scene(&[]);
    let form = "company=60d1a4e2&kind=oauth_client&name=Export+%3Cb%3E&description=nightly\
                &role=STANDARD&scope=jobs_read&scope=users_read";
    let (made, to) = post(&mut scene, "/pages/credentials", form);
    assert_eq!(made.status(), 303, "{}", text(&made));
    let page = text(&scene.get(&to));
    assert!(page.contains("<h2 id=\"shown\">Export &lt;b&gt;</h2>"), "{page}");
    let (id, secret) = (code(&page, "client-id"), code(&page, "client-secret"));
    let token = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    assert_eq!(scene.post_form(&token).status(), 200);
    let again = text(&scene.get(&to));
    assert!(again.contains("shown before") && !again.contains(&secret), "{again}");
    assert!(again.contains("Standard: jobs_read, users_read"), "{again}");
    let revoke = format!("company=60d1a4e2&id={id}");
    let (revoked, _) = post(&mut scene, "/pages/credentials/revoke", &revoke);
    assert_eq!(revoked.status(), 303);
    assert_eq!(scene.post_form(&token).status(), 401);
    let foreign = scene.credentials.locked_out().id().as_str().to_owned();
    post(&mut scene, "/pages/credentials/revoke", &format!("company=60d1a4e2&id={foreign}"));
    assert!(scene.simulator.world().client(&foreign).is_some(), "another company's");
}

#[test]
fn an_api_key_is_made_shown_and_revoked() {
    let mut scene = scene(&[]);
    let form = "company=60d1a4e2&kind=api_key&name=Test";
    let (_, to) = post(&mut scene, "/pages/credentials", form);
    let page = text(&scene.get(&to));
    let key = code(&page, "api-key");
    let call = |scene: &mut Scene| {
        let mut request = request(Method::GET, "/jobs", "");
        request.headers_mut().insert("x-smarttoken", key.parse().expect("a header"));
        scene.send(&request).status().as_u16()
    };
    assert_eq!(call(&mut scene), 200);
    let listed = scene.simulator.credentials_of(ACME);
    let id = &listed.iter().find(|it| it.name == "Test").expect("it is listed").id;
    assert!(!key.contains(id.as_str()), "the id says nothing of the key");
    post(&mut scene, "/pages/credentials/revoke", &format!("company=60d1a4e2&id={id}"));
    assert_eq!(call(&mut scene), 401);
}

#[test]
fn what_is_missing_in_a_form_is_told_and_the_rest_is_kept() {
    let mut scene = scene(&[]);
    let cases = [
        (
            "/pages/credentials",
            "company=60d1a4e2&kind=oauth_client&name=Export&role=STANDARD",
            "Export",
        ),
        ("/pages/credentials", "company=60d1a4e2&kind=api_key&name=+&description=kept", "kept"),
        ("/pages/partners", "name=Planner&consentUrl=nowhere&scope=jobs_read", "nowhere"),
        ("/pages/partners", "name=Planner&consentUrl=https%3A%2F%2Fp.example%2F", "p.example"),
        (
            "/pages/partners",
            "name=P&consentUrl=https%3A%2F%2Fp.example%2F&scope=jobs_read&callbackUrl=https%3A%2F%2Fc.example",
            "c.example",
        ),
    ];
    for (uri, body, kept) in cases {
        let (answer, _) = post(&mut scene, uri, body);
        let html = text(&answer);
        assert_eq!(answer.status(), 422, "{body}");
        assert!(html.contains("role=\"alert\"") && html.contains(kept), "{body}: {html}");
    }
    let broken = post(&mut scene, "/pages/partners", "name=%zz").0;
    assert_eq!(broken.status(), 400);
}

#[test]
fn a_registration_brings_an_id_and_master_credentials_once() {
    let mut scene = scene(&[]);
    let form = "name=Planner&consentUrl=https%3A%2F%2Fp.example%2Fconnect&scope=jobs_read\
                &oauthTokenUrl=https%3A%2F%2Fp.example%2Ftoken&callbackUrl=https%3A%2F%2Fp.example%2Fc\
                &grantedScopes=a+b&visibleTo=60d1a4e2&logo=https%3A%2F%2Fcdn.example%2Flogo.png";
    let (_, to) = post(&mut scene, "/pages/partners", form);
    let page = text(&scene.get(&to));
    let (app, id) = (code(&page, "application-id"), code(&page, "client-id"));
    let secret = code(&page, "client-secret");
    let token = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    assert_eq!(scene.post_form(&token).status(), 200);
    assert!(!text(&scene.get(&to)).contains(&secret), "shown once");
    let seen = scene.get("/pages/apps?company=60d1a4e2");
    let policy = header(&seen, "content-security-policy");
    assert!(policy.contains("img-src https://cdn.example;"), "{policy}");
    assert!(text(&seen).contains(&app));
    assert!(!text(&scene.get("/pages/apps?company=71e2b5f3")).contains(&app), "a private one");
    let again = format!("{form}&appId={app}");
    post(&mut scene, "/pages/partners", &again);
    assert_eq!(scene.post_form(&token).status(), 401, "the first credentials are worth nothing");
}

/// Returns what is shown under an id.
fn code(page: &str, id: &str) -> String {
    let (_, rest) = page.split_once(&format!("<code id=\"{id}\">")).expect(id);
    rest.split('<').next().unwrap_or_default().to_owned()
}
