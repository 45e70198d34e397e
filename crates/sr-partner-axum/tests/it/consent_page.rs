//! What the consent page shows, to whom, and what comes of its form.

use std::sync::atomic::Ordering;

use http::StatusCode;
use sr_auth_core::store::Generation;
use sr_partner::TenantId;
use sr_partner::consent::ConsentDisplayMode::{Popup, Redirect};
use sr_partner::store::IntegrationRecord;
use sr_partner_axum::ConfirmError;

use crate::scene::{COMPANY, Scene, cookie, fields, header, text, ticket_of};

#[tokio::test]
async fn p06_looking_at_the_page_changes_nothing() {
    let scene = Scene::new(Redirect).await;
    for _ in 0..3 {
        let page = scene.ask(scene.visit("acme"), "").await;
        assert_eq!(page.status(), StatusCode::OK, "{}", text(&page));
    }
    assert_eq!(scene.record().await, IntegrationRecord::default());
    assert!(scene.sandbox.with(|it| it.integrations(&scene.key())).is_empty());
    scene.stop().await;
}

#[tokio::test]
async fn p06_a_form_counts_only_in_the_session_and_from_the_page_that_it_was_made_for() {
    let scene = Scene::new(Redirect).await;
    let ticket = scene.ticket("acme").await;
    let changed = ticket.replacen(|_: char| true, "X", 1);
    let post = || scene.post("/connect").header("cookie", cookie("acme"));
    let form =
        |it: http::request::Builder| it.header("content-type", "application/x-www-form-urlencoded");
    let good = fields(&ticket, "allow");
    let session = "__Host-planner=acme.another-browser";
    let cases = [
        ("another site", form(post()).header("sec-fetch-site", "cross-site"), good.clone(), 403),
        ("another port", form(post()).header("sec-fetch-site", "same-site"), good.clone(), 403),
        (
            "another origin",
            form(post()).header("origin", "https://evil.example"),
            good.clone(),
            403,
        ),
        ("a hidden origin", form(post()).header("origin", "null"), good.clone(), 403),
        (
            "another account",
            form(scene.post("/connect").header("cookie", cookie("globex"))),
            good.clone(),
            403,
        ),
        (
            "another session",
            form(scene.post("/connect").header("cookie", session)),
            good.clone(),
            403,
        ),
        ("nobody", form(scene.post("/connect")), good.clone(), 403),
        (
            "without authority",
            form(scene.post("/connect").header("cookie", cookie("intern"))),
            good.clone(),
            403,
        ),
        ("a changed ticket", form(post()), fields(&changed, "allow"), 403),
        ("no ticket", form(post()), "decision=allow".to_owned(), 400),
        ("no decision", form(post()), format!("ticket={ticket}"), 400),
        ("an unknown decision", form(post()), fields(&ticket, "maybe"), 400),
        ("not a form", post().header("content-type", "text/plain"), good.clone(), 400),
        ("too long", form(post()), format!("{good}&more={}", "a".repeat(30_000)), 400),
        (
            "no answer about sessions",
            form(scene.post("/connect").header("cookie", cookie("broken"))),
            good,
            503,
        ),
    ];
    for (name, request, body, status) in cases {
        let answer = scene.ask(request, &body).await;
        assert_eq!(answer.status().as_u16(), status, "{name}: {}", text(&answer));
        assert_eq!(header(&answer, "location"), None, "{name}");
    }
    assert_eq!(scene.record().await, IntegrationRecord::default());
    let page = scene.press("acme", &ticket, "allow").await;
    assert!(text(&page).contains("Is this your company?"), "the ticket itself is good");
    scene.stop().await;
}

#[tokio::test]
async fn p07_the_page_names_both_parties_and_the_scopes_of_both_directions() {
    for mode in [Popup, Redirect] {
        let scene = Scene::new(mode).await;
        let page = text(&scene.ask(scene.visit("acme"), "").await);
        for expected in [
            "<html lang=\"en\">",
            "<h1>Connect Interview &amp; Planner with SmartRecruiters</h1>",
            "<dd id=\"company\">Acme &quot;Logistics&quot; <code>60d1a4e2</code></dd>",
            "<dd id=\"account\">acme &lt;Ltd&gt; &amp; Sons</dd>",
            "<li><code>company_read</code>: name the company</li>",
            "<li><code>jobs_read</code>: show open &lt;jobs&gt;</li>",
            "<li><code>interviews_read</code>: see &lt;interviews&gt;</li>",
            "<button type=\"submit\" name=\"decision\" value=\"allow\">Allow and connect</button>",
            "<button type=\"submit\" name=\"decision\" value=\"decline\">Decline</button>",
        ] {
            assert!(page.contains(expected), "{expected} is missing: {page}");
        }
        assert!(!page.contains("<script"), "works without JavaScript: {page}");
        scene.stop().await;
    }
}

#[tokio::test]
async fn p08_a_company_of_another_account_is_not_taken_over_without_its_owners_word() {
    let scene = Scene::new(Redirect).await;
    scene.connect("seller").await;
    let refused = scene.ask(scene.visit("globex"), "").await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    assert!(!text(&refused).contains("<form"), "{}", text(&refused));
    assert!(!text(&refused).contains("seller"), "nobody learns whose it is: {}", text(&refused));
    let agreed = text(&scene.ask(scene.visit("buyer"), "").await);
    assert!(agreed.contains("whose owner has agreed"), "{agreed}");
    assert_eq!(scene.record().await.binding.unwrap().tenant.as_str(), "seller");
    scene.sandbox.with(|it| it.switches_mut().set("repeated_integration=replaces")).unwrap();
    scene.connect("buyer").await;
    assert_eq!(scene.record().await.binding.unwrap().tenant.as_str(), "buyer");
    scene.stop().await;
}

/// Nothing in a visit says whose company it is: the application does, when the page is shown and when
/// the form comes back.
#[tokio::test]
async fn p08_an_account_is_connected_with_no_company_that_the_application_knows_is_not_its_own() {
    let scene = Scene::new(Redirect).await;
    let shown = scene.ask(scene.visit("stranger"), "").await;
    assert_eq!(shown.status(), StatusCode::FORBIDDEN, "{}", text(&shown));
    assert!(!text(&shown).contains("Logistics"), "{}", text(&shown));

    scene.invites.store(true, Ordering::Relaxed);
    let ticket = scene.ticket("stranger").await;
    scene.invites.store(false, Ordering::Relaxed);
    let pressed = scene.press("stranger", &ticket, "allow").await;
    assert_eq!(pressed.status(), StatusCode::FORBIDDEN, "{}", text(&pressed));
    assert_eq!(scene.record().await.generation, Generation::default(), "nothing has begun");

    // Credentials that wait are not confirmed, and may be destroyed.
    scene.invites.store(true, Ordering::Relaxed);
    let page = scene.press("stranger", &ticket, "allow").await;
    scene.invites.store(false, Ordering::Relaxed);
    let waiting = ticket_of(&page);
    let confirmed = scene.press("stranger", &waiting, "confirm").await;
    assert_eq!(confirmed.status(), StatusCode::FORBIDDEN, "{}", text(&confirmed));
    assert!(scene.record().await.binding.is_none());
    let undone = scene.press("stranger", &waiting, "undo").await;
    assert_eq!(undone.status(), StatusCode::OK, "{}", text(&undone));
    assert!(scene.record().await.attempt.is_none());
    scene.stop().await;
}

#[tokio::test]
async fn p08_a_page_that_was_open_before_another_account_connected_is_stale() {
    let scene = Scene::new(Redirect).await;
    let old = scene.ticket("globex").await;
    scene.connect("acme").await;
    let answer = scene.press("globex", &old, "allow").await;
    assert_eq!(answer.status(), StatusCode::CONFLICT, "{}", text(&answer));
    assert_eq!(scene.record().await.binding.unwrap().tenant.as_str(), "acme");
    scene.stop().await;
}

#[tokio::test]
async fn declining_connects_nothing_and_sends_nobody_back() {
    let scene = Scene::new(Redirect).await;
    let ticket = scene.ticket("acme").await;
    let answer = scene.press("acme", &ticket, "decline").await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(&answer, "location"), None);
    assert!(text(&answer).contains("<h1>Declined</h1>"));
    assert_eq!(scene.record().await, IntegrationRecord::default());
    scene.stop().await;
}

#[tokio::test]
async fn an_owner_may_undo_what_waits_or_come_back_to_it() {
    let scene = Scene::new(Redirect).await;
    let ticket = scene.ticket("acme").await;
    let page = scene.press("acme", &ticket, "allow").await;
    let undo = ticket_of(&page);
    // Another account sees a company that nobody has connected, and cannot confirm it.
    let foreign = scene.ticket("globex").await;
    let answer = scene.press("globex", &foreign, "confirm").await;
    assert_eq!(answer.status(), StatusCode::CONFLICT, "{}", text(&answer));
    let again = scene.ask(scene.visit("acme"), "").await;
    assert!(text(&again).contains("Is this your company?"), "{}", text(&again));
    let undone = scene.press("acme", &undo, "undo").await;
    assert!(text(&undone).contains("<h1>Undone</h1>"), "{}", text(&undone));
    let late = scene.press("acme", &ticket_of(&again), "confirm").await;
    assert_eq!(late.status(), StatusCode::CONFLICT, "{}", text(&late));
    assert!(scene.record().await.binding.is_none() && scene.record().await.attempt.is_none());
    assert_eq!(scene.told(), [format!("{COMPANY} #1 awaits acme")]);
    scene.stop().await;
}

#[tokio::test]
async fn p18_a_failure_stays_on_our_own_page() {
    let scene = Scene::new(Redirect).await;
    let ticket = scene.ticket("acme").await;
    // The customer has taken the consent back meanwhile.
    scene.sandbox.with(|it| it.disable_integration(&scene.key()));
    let answer = scene.press("acme", &ticket, "allow").await;
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(header(&answer, "location"), None);
    assert!(text(&answer).contains("refused the integration with status 403"), "{}", text(&answer));
    scene.stop().await;
}

/// A person without the authority, with a form of somebody who has it.
#[tokio::test]
async fn p06_whoever_may_not_connect_is_shown_nothing_and_decides_nothing() {
    let scene = Scene::new(Redirect).await;
    let page = scene.ask(scene.visit("intern"), "").await;
    assert_eq!(page.status(), StatusCode::FORBIDDEN, "{}", text(&page));
    assert!(!text(&page).contains("<form"), "{}", text(&page));
    let ticket = scene.ticket("acme").await;
    for decision in ["allow", "confirm", "undo", "decline"] {
        let pressed = scene.press("intern", &ticket, decision).await;
        assert_eq!(pressed.status(), StatusCode::FORBIDDEN, "{decision}");
        assert!(text(&pressed).contains("Your role does not include"), "{decision}");
    }
    scene.stop().await;
}

/// What waits is confirmed and destroyed by its own account, under its own number.
#[tokio::test]
async fn p09_what_waits_is_for_its_own_account_and_its_own_number_only() {
    let scene = Scene::new(Redirect).await;
    let [acme, other] = ["acme", "other"].map(|it| TenantId::new(it).unwrap());
    let (key, service) = (scene.key(), &scene.service);
    let ticket = scene.ticket("acme").await;
    scene.press("acme", &ticket, "allow").await;
    let [waits, next] = [1, 2].map(Generation::from_number);
    let nothing = Err(ConfirmError::Nothing);
    for (name, number, tenant) in [("account", waits, &other), ("number", next, &acme)] {
        assert_eq!(service.confirm(&key, number, tenant).await, nothing, "{name}");
        assert_eq!(service.give_up(&key, number, tenant).await, nothing, "{name}");
    }
    let seen = scene.ask(scene.visit("other"), "").await;
    assert!(!text(&seen).contains("Is this your company?"), "{}", text(&seen));
    service.confirm(&key, waits, &acme).await.unwrap();
    service.confirm(&key, waits, &acme).await.unwrap();
    assert_eq!(service.confirm(&key, waits, &other).await, nothing, "it is live by now");
    assert_eq!(service.confirm(&key, next, &acme).await, nothing, "it is live by now");
    scene.stop().await;
}
