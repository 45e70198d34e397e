//! Steps with a user: consent through all arrows of the three-legged overview, and a refusal.

use std::net::Ipv4Addr;
use std::time::Duration;

use sr_auth_core::grant::{AuthorizationRequest, AuthorizationSettings, PendingAuthorization};
use sr_auth_core::wire::callback::{Callback, CallbackError};
use sr_auth_core::{ClientCredentials, Endpoints, RedirectUri, ScopeSet, Timestamp, TokenSet};
use sr_auth_http::entropy;
use sr_testkit::DemoCredentials;

use super::report::Report;
use super::stage::{Stage, json};
use super::user_agent::Shown;
use crate::browser;
use crate::exit::{Exit, Failure};
use crate::loopback::Loopback;

/// What the application asks for.
const SCOPES: &str = "candidates_read jobs_read user_me_read";

/// How long the played browser may take; a real one has a person before it.
const PLAYED_WITHIN: Duration = Duration::from_secs(10);

/// What the user answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Decision {
    Authorize,
    Decline,
}

/// A way to the authorize page and back.
pub(super) struct RoundTrip {
    pub(super) callback: Callback,
    pub(super) pending: PendingAuthorization,
    pub(super) received_at: Timestamp,
    pub(super) settings: AuthorizationSettings,
}

pub(super) async fn authorized(
    stage: &Stage,
    report: &mut Report,
) -> Result<Option<TokenSet>, Failure> {
    report.step("Authorization code: a user lets the application act for them")?;
    let trip = if stage.browser {
        in_real_browser(stage, report).await?
    } else {
        round_trip(stage, report, Decision::Authorize, true).await?
    };
    let client = stage.tokens(trip.settings.client())?;
    let grant = trip.pending.accept(&trip.settings, &trip.callback, trip.received_at);
    let Some(grant) = report.obtained(grant, "the callback is ours: `state` is the one we sent")?
    else {
        return Ok(None);
    };
    report.say("7. The application sends code, client id and secret to the token endpoint.")?;
    let tokens = client.authorization_code(grant).await;
    report.show(&stage.log)?;
    report.say("8. It gets an access token and, as always here, a refresh token.")?;
    let Some(tokens) = report.obtained(tokens, "the code was exchanged in time")? else {
        return Ok(None);
    };
    report.check(tokens.refresh().is_some(), "there is a refresh token, good for one use")?;
    report.say("9. The application sends the access token with its request.")?;
    let me = stage.read_with(tokens.access(), "/user-api/v201804/users/me").await;
    report.show(&stage.log)?;
    report.say("10. The resource server answers for this user.")?;
    if let Some(me) = report.obtained(me, "the user's own data can be read")? {
        let id = json(&me).and_then(|it| it.get("id")?.as_str().map(str::to_owned));
        let right = id.is_some_and(|id| stage.browser || id == DemoCredentials::ADMINISTRATOR);
        report.check(right, "it is the user who agreed")?;
    }
    Ok(Some(tokens))
}

pub(super) async fn declined(stage: &Stage, report: &mut Report) -> Result<(), Failure> {
    report.step("A declined consent: the number in `code` is no code")?;
    let before = stage.token_requests();
    let trip = round_trip(stage, report, Decision::Decline, false).await?;
    let outcome = trip.pending.accept(&trip.settings, &trip.callback, trip.received_at);
    let declined = matches!(outcome, Err(CallbackError::Declined { .. }));
    report.check(declined, "the application learns that the user declined")?;
    if let Err(error) = outcome {
        report.told(&error.into())?;
    }
    report.check(stage.token_requests() == before, "nothing was sent to the token endpoint")?;
    Ok(())
}

/// Goes to the authorize page and back with a browser that the demo plays.
pub(super) async fn round_trip(
    stage: &Stage,
    report: &mut Report,
    decision: Decision,
    narrated: bool,
) -> Result<RoundTrip, Failure> {
    let (application, pending, settings) = begin(stage).await?;
    let start = application.redirect_uri().replace("/callback", "/");
    let waiting = async {
        let (callback, farewell) = application.callback(pending.state()).await?;
        let received_at = stage.clock.now();
        farewell.serve().await;
        Ok((callback, received_at))
    };
    let browsing = async {
        let mut scene = Scene { narrated, report, stage };
        scene.play(&start, decision).await
    };
    let both = async { tokio::try_join!(waiting, browsing) };
    let played = tokio::time::timeout(PLAYED_WITHIN, both).await;
    let ((callback, received_at), ()) = played.unwrap_or_else(|_| Err(nobody_came()))?;
    Ok(RoundTrip { callback, pending, received_at, settings })
}

/// Goes there and back in the browser of the person at the keyboard.
async fn in_real_browser(stage: &Stage, report: &Report) -> Result<RoundTrip, Failure> {
    let (application, pending, settings) = begin(stage).await?;
    let start = application.redirect_uri().replace("/callback", "/");
    report.say("1. to 6. happen in your browser: choose who you are, and press Authorize.")?;
    report.say(&format!("The application is at {start}"))?;
    if !browser::open(&start).await {
        report.say("No browser could be opened: open that address yourself.")?;
    }
    let called_back =
        tokio::time::timeout(PendingAuthorization::LIFE, application.callback(pending.state()));
    let (callback, farewell) = called_back.await.unwrap_or_else(|_| Err(nobody_came()))?;
    let received_at = stage.clock.now();
    tokio::spawn(farewell.serve());
    Ok(RoundTrip { callback, pending, received_at, settings })
}

/// Has the application open its redirect endpoint and prepare an authorization.
async fn begin(
    stage: &Stage,
) -> Result<(Loopback, PendingAuthorization, AuthorizationSettings), Failure> {
    let application = Loopback::bind(Ipv4Addr::LOCALHOST.into(), 0, "/callback").await?;
    let client: ClientCredentials = stage.sandbox.credentials().application().clone();
    let redirect_uri = RedirectUri::parse(&application.redirect_uri())?;
    let settings = AuthorizationSettings::new(client, stage.endpoints.clone(), redirect_uri)
        .with_scopes(ScopeSet::parse(SCOPES)?)?;
    let request = AuthorizationRequest::new(&settings, entropy()?, stage.clock.now())?;
    application.start_at(request.url());
    Ok((application, request.into_pending(), settings))
}

fn nobody_came() -> Failure {
    let advice = "start the demo again";
    Failure::new(Exit::Failed, "sr_auth::demo", "the browser did not come back in time", advice)
}

/// The browser's part of a consent.
struct Scene<'a> {
    narrated: bool,
    report: &'a mut Report,
    stage: &'a Stage,
}

impl Scene<'_> {
    async fn play(&mut self, start: &str, decision: Decision) -> Result<(), Failure> {
        let browser = &self.stage.user_agent;
        self.say("1. The user begins at the application.")?;
        let began = browser.get(start).await?;
        self.report.show(&self.stage.log)?;
        self.say("2. The application sends the browser to the authorization server.")?;
        let target = began.target();
        let sent_on = target.as_ref().is_some_and(|it| it.path() == Endpoints::AUTHORIZATION_PATH);
        self.check(sent_on, "the browser is sent to the authorization endpoint")?;
        let asked = browser.follow(&began).await?;
        self.report.show(&self.stage.log)?;
        let page = asked.page();
        self.say("3. The user signs in there (in the sandbox: chooses who they are).")?;
        let user = DemoCredentials::ADMINISTRATOR;
        self.check(page.offers("user", user), "the page knows the user")?;
        self.say("4. The page shows who asks, and for which scopes.")?;
        let scopes = SCOPES.split(' ').all(|scope| page.codes.contains(scope));
        self.check(scopes, &format!("\"{}\" lists the scopes: {SCOPES}", page.heading))?;
        let (word, value) = match decision {
            Decision::Authorize => ("Authorize", "authorize"),
            Decision::Decline => ("Decline", "decline"),
        };
        self.say(&format!("5. The user presses {word}."))?;
        self.check(page.offers("decision", value), "the page has that button")?;
        let choices = [("user", user), ("decision", value)];
        let answered = browser.submit(&asked, &page, &choices).await?;
        self.report.show(&self.stage.log)?;
        self.say("6. The browser is sent back to the application, with a code.")?;
        let returned = browser.follow(&answered).await?;
        self.report.show(&self.stage.log)?;
        self.check_callback(&returned, decision)?;
        let last = browser.follow(&returned).await?;
        self.report.show(&self.stage.log)?;
        self.check(last.url.query().is_none(), "the code has left the address bar")
    }

    fn check_callback(&mut self, returned: &Shown, decision: Decision) -> Result<(), Failure> {
        let parameter = |name: &str| {
            let found = returned.url.query_pairs().find(|(it, _)| it == name);
            found.map(|(_, value)| value.into_owned())
        };
        match decision {
            Decision::Authorize => {
                let code = parameter("code").is_some() && parameter("error").is_none();
                self.check(code, "the callback carries a code and no error")
            }
            Decision::Decline => {
                let error = parameter("error").as_deref() == Some("access_denied");
                let number = parameter("code").as_deref() == Some("500");
                let sentence = "the callback carries error=access_denied, and code=500 beside it";
                self.report.check(error && number, sentence).map(drop)
            }
        }
    }

    fn say(&self, text: &str) -> Result<(), Failure> {
        if self.narrated { self.report.say(text) } else { Ok(()) }
    }

    /// Checks in silence what was shown before, and speaks only when it does not hold.
    fn check(&mut self, holds: bool, sentence: &str) -> Result<(), Failure> {
        if self.narrated || !holds {
            self.report.check(holds, sentence)?;
        }
        Ok(())
    }
}
