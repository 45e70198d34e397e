//! Partners, integrations and credentials over a socket, with calls that really leave.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sr_testkit::{Sandbox, SandboxSettings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::{FORM, JSON, member, send, start};

const ACME: &str = "60d1a4e2";

/// What answers as a partner's service: a token for everybody, and `hello` for whoever has it.
struct Service {
    origin: String,
    /// The first lines of requests, each with whether it brought the token.
    seen: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Service {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port exists");
        let origin = format!("http://{}", listener.local_addr().expect("it listens"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let line = answer(stream).await;
                log.lock().expect("nobody panicked").extend(line);
            }
        });
        Self { origin, seen, task }
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().expect("nobody panicked"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let mut part = [0; 4096];
    loop {
        let read = stream.read(&mut part).await.ok()?;
        request.extend(part.iter().take(read));
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.to_lowercase();
        let length = length.split("content-length: ").nth(1).and_then(|it| it.lines().next());
        if read > 0 && body.len() < length.and_then(|it| it.parse().ok()).unwrap_or(0) {
            continue;
        }
        let line = head.lines().next()?.to_owned();
        let knows = head.contains("Bearer t0ken-of-the-partner");
        let json = if line.contains("/token") {
            r#"{"access_token":"t0ken-of-the-partner","token_type":"Bearer","expires_in":60}"#
        } else {
            "hello"
        };
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{json}", json.len());
        stream.write_all(answer.as_bytes()).await.ok()?;
        return Some(format!("{line} {}", if knows { "with the token" } else { "" }));
    }
}

/// Registers an application of a service, connects it and exchanges credentials.
async fn connect(sandbox: &Sandbox, origin: &str) -> String {
    let form = format!(
        r#"{{"name":"P","consentUrl":"{origin}/connect","oauthTokenUrl":"{origin}/token",
            "callbackUrl":"{origin}/callback","scopes":["company_read"],"reason":"a test"}}"#
    );
    let master = send(sandbox, "POST /__sandbox/apps", &[JSON], &form).await;
    assert_eq!(master.status(), "200", "{}", master.body);
    let (app, id) = (member(&master.body, "appId"), member(&master.body, "clientId"));
    let named = format!(r#"{{"appId":"{app}","companyId":"{ACME}"}}"#);
    let visit = send(sandbox, "POST /__sandbox/connect", &[JSON], &named).await;
    let visit = member(&visit.body, "visit");
    assert!(visit.starts_with(&format!("{origin}/connect?companyId={ACME}&redirect=")), "{visit}");
    let secret = member(&master.body, "clientSecret");
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let token = send(sandbox, "POST /identity/oauth/token", &[FORM], &form).await;
    let bearer = format!("Bearer {}", member(&token.body, "access_token"));
    let body = format!(
        r#"{{"appId":"{app}","companyId":"{ACME}","clientId":"ours","clientSecret":"secret-ours"}}"#
    );
    let path = "POST /apps-integrations/partner-api/integrations";
    let exchanged = send(sandbox, path, &[JSON, ("Authorization", &bearer)], &body).await;
    assert_eq!(exchanged.status(), "200", "{}", exchanged.body);
    app
}

#[tokio::test]
async fn smartrecruiters_calls_the_partner_and_tells_it_of_a_disable() {
    let (sandbox, service) = (start().await, Service::start().await);
    let app = connect(&sandbox, &service.origin).await;
    let call = format!(r#"{{"appId":"{app}","companyId":"{ACME}","path":"/api?x=1"}}"#);
    let called = send(&sandbox, "POST /__sandbox/call", &[JSON], &call).await;
    assert!(called.body.contains(r#""body":"hello""#), "{}", called.body);
    assert!(!called.body.contains("t0ken"), "{}", called.body);
    let seen = ["POST /token HTTP/1.1 ", "GET /api?x=1 HTTP/1.1 with the token"];
    assert_eq!(service.seen(), seen);
    let named = format!(r#"{{"appId":"{app}","companyId":"{ACME}"}}"#);
    let disabled = send(&sandbox, "POST /__sandbox/disable", &[JSON], &named).await;
    assert_eq!(disabled.status(), "200", "{}", disabled.body);
    assert_eq!(service.seen(), ["POST /token HTTP/1.1 ", "POST /callback HTTP/1.1 with the token"]);
    let again = send(&sandbox, "POST /__sandbox/disable", &[JSON], &named).await;
    assert_eq!(again.status(), "400", "there is nothing to disable");
    let calls = send(&sandbox, "GET /__sandbox/calls", &[], "").await;
    assert_eq!(calls.body.matches("\"status\":200").count(), 4, "{}", calls.body);
    let all = send(&sandbox, "GET /__sandbox/integrations", &[], "").await;
    assert!(!all.body.contains("\"connected\""), "{}", all.body);
}

#[tokio::test]
async fn the_buttons_of_a_page_reach_the_partner_before_the_next_page_is_shown() {
    let (sandbox, service) = (start().await, Service::start().await);
    let app = connect(&sandbox, &service.origin).await;
    let own = [FORM, ("Sec-Fetch-Site", "same-origin")];
    let company = format!("company={ACME}");
    let path = format!("POST /pages/apps/{app}/call");
    let called = send(&sandbox, &path, &own, &format!("{company}&path=%2Fapi")).await;
    assert_eq!(called.status(), "303");
    let line = format!("GET /pages/apps/{app}?company={ACME}");
    let page = send(&sandbox, &line, &[], "").await;
    assert!(page.body.contains("<pre>hello</pre>"), "{}", page.body);
    let foreign = [FORM, ("Sec-Fetch-Site", "cross-site")];
    let disable = format!("POST /pages/apps/{app}/disable");
    assert_eq!(send(&sandbox, &disable, &foreign, &company).await.status(), "403");
    assert_eq!(send(&sandbox, &disable, &own, &company).await.status(), "303");
    let page = send(&sandbox, &line, &[], "").await;
    assert!(page.body.contains("INTEGRATION_DISABLED"), "{}", page.body);
    assert!(page.body.contains("Not connected"), "{}", page.body);
}

#[tokio::test]
async fn a_partner_that_is_gone_does_not_keep_a_customer_from_disabling() {
    let sandbox = start().await;
    let service = Service::start().await;
    let app = connect(&sandbox, &service.origin).await;
    drop(service);
    let named = format!(r#"{{"appId":"{app}","companyId":"{ACME}"}}"#);
    let set = r#"{"partner_retries":"1"}"#;
    send(&sandbox, "PUT /__sandbox/switches", &[JSON], set).await;
    let before = sandbox.now();
    let disabled = send(&sandbox, "POST /__sandbox/disable", &[JSON], &named).await;
    assert_eq!(disabled.body.matches("\"status\":null").count(), 2, "{}", disabled.body);
    assert!(sandbox.now().since(before) >= Duration::from_secs(1), "a pause between the two");
}

#[tokio::test]
async fn credentials_are_made_listed_and_revoked_by_programs() {
    let sandbox = start().await;
    let wrong = [
        r#"{"companyId":"60d1a4e2","kind":"oauth_client","name":"x"}"#,
        r#"{"companyId":"60d1a4e2","kind":"oauth_client","name":"x","scopes":"a","role":"BOSS"}"#,
        r#"{"companyId":"nobody","kind":"api_key","name":"x"}"#,
        r#"{"companyId":"60d1a4e2","kind":"password","name":"x","scopes":"a"}"#,
    ];
    for body in wrong {
        let answer = send(&sandbox, "POST /__sandbox/credentials", &[JSON], body).await;
        assert_eq!(answer.status(), "400", "{body}");
    }
    let body = r#"{"companyId":"60d1a4e2","kind":"oauth_client","name":"x","scopes":"jobs_read"}"#;
    let made = send(&sandbox, "POST /__sandbox/credentials", &[JSON], body).await;
    let (id, secret) = (member(&made.body, "clientId"), member(&made.body, "clientSecret"));
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let token = send(&sandbox, "POST /identity/oauth/token", &[FORM], &form).await;
    assert_eq!(token.status(), "200");
    let list = "GET /__sandbox/credentials?companyId=60d1a4e2";
    let listed = send(&sandbox, list, &[], "").await;
    assert!(listed.body.contains(&id) && !listed.body.contains(&secret), "{}", listed.body);
    let revoke = format!("DELETE /__sandbox/credentials/{id}?companyId=60d1a4e2");
    assert_eq!(send(&sandbox, &revoke, &[], "").await.status(), "204");
    assert_eq!(send(&sandbox, &revoke, &[], "").await.status(), "404");
    let token = send(&sandbox, "POST /identity/oauth/token", &[FORM], &form).await;
    assert_eq!(token.status(), "401");
}

#[tokio::test]
async fn an_application_that_cannot_be_registered_is_refused_with_the_reason() {
    let sandbox = Sandbox::start(SandboxSettings::default()).await.expect("a free port exists");
    let good = r#""name":"P","consentUrl":"https://p.example/","scopes":["jobs_read"]"#;
    let cases = [
        (format!("{{{good}}}"), "200", "clientSecret"),
        (format!(r#"{{{good},"consentDisplayMode":"TAB"}}"#), "400", "REDIRECT or POPUP"),
        (format!(r#"{{{good},"callbackUrl":"https://p.example/c"}}"#), "400", "oauthTokenUrl"),
        (format!(r#"{{{good},"colour":"red"}}"#), "400", "colour"),
        (good.replace("https://p.example/", "nowhere"), "400", "message"),
    ];
    for (body, status, told) in cases {
        let answer = send(&sandbox, "POST /__sandbox/apps", &[JSON], &body).await;
        assert_eq!(
            (answer.status(), answer.body.contains(told)),
            (status, true),
            "{}",
            answer.body
        );
    }
}
