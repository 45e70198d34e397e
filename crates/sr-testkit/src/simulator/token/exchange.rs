//! The three grants of the token endpoint.

use std::sync::Arc;

use serde_json::json;
use sr_auth_core::{ScopeSet, Secret, Timestamp};

use super::{Members, Refusal};
use crate::simulator::fingerprint::lookup;
use crate::simulator::form::Form;
use crate::simulator::ledger::{Access, AccessNumber, Code, GrantId, Presented};
use crate::simulator::switches::{
    AnswerScope, CodeReplay, ExchangeRedirect, ExpiresIn, OldAccessToken, Pkce, RefreshTokenType,
    SecondToken, SpentRefreshToken, Successor, TokenShape,
};
use crate::simulator::{Issued, Simulator};
use crate::world::{Client, ClientKind};

const fn invalid_grant(reason: &'static str) -> Refusal {
    Refusal::new("invalid_grant", reason)
}

impl Simulator {
    pub(super) fn exchange(
        &mut self,
        now: Timestamp,
        client: &Client,
        form: &Form<'_>,
    ) -> Result<Members, Refusal> {
        let service = matches!(client.kind, ClientKind::Master { .. } | ClientKind::Service { .. });
        let unauthorized = Refusal::new("unauthorized_client", "the client may not use this grant");
        match form.filled("grant_type") {
            Some("client_credentials") if service => self.client_credentials(now, client, form),
            Some("authorization_code") if !service => self.authorization_code(now, client, form),
            Some("refresh_token") if !service => self.refresh(now, client, form),
            Some("authorization_code" | "client_credentials" | "refresh_token") => {
                Err(unauthorized)
            }
            Some(_) => Err(Refusal::new("unsupported_grant_type", "no such grant type")),
            None => Err(Refusal::new("invalid_request", "grant_type is missing")),
        }
    }

    fn client_credentials(
        &mut self,
        now: Timestamp,
        client: &Client,
        form: &Form<'_>,
    ) -> Result<Members, Refusal> {
        let scopes = self.narrowed(form, &client.scopes)?;
        if self.switches.second_token == SecondToken::KillsFirst {
            self.ledger.kill_access_of_client(&client.id);
        }
        let token = self.issue_access(now, client, None, &scopes);
        let mut members = vec![("access_token", json!(token)), ("token_type", json!("bearer"))];
        self.finish(&mut members, &scopes);
        self.issued = Some(Issued::new(None, token, None));
        Ok(members)
    }

    fn authorization_code(
        &mut self,
        now: Timestamp,
        client: &Client,
        form: &Form<'_>,
    ) -> Result<Members, Refusal> {
        let text = form.filled("code").ok_or(Refusal::new("invalid_request", "code is missing"))?;
        let code = self.ledger.code_mut(text).ok_or(invalid_grant("no such code"))?;
        if code.client != client.id {
            return Err(invalid_grant("the code belongs to another client"));
        }
        let earlier = std::mem::replace(&mut code.presented, Presented::InVain);
        let code = code.clone();
        if !matches!(earlier, Presented::Never) {
            return Err(self.replayed(text, earlier));
        }
        self.check_code(now, &code, form)?;
        let scopes = self.narrowed(form, &code.scopes)?;
        let (id, user) = (Arc::clone(&client.id), Arc::clone(&code.user));
        let grant = self.ledger.add_grant(id, user, Arc::clone(&code.scopes));
        self.remember(text, Presented::With(grant));
        let token = self.issue_access(now, client, Some(grant), &scopes);
        let mut members = vec![("token_type", json!("bearer")), ("access_token", json!(token))];
        self.finish(&mut members, &scopes);
        let refresh = self.issue_refresh(now, grant);
        members.push(("refresh_token", json!(refresh)));
        self.issued = Some(Issued::new(Some(grant), token, Some(refresh)));
        Ok(members)
    }

    fn replayed(&mut self, code: &str, earlier: Presented) -> Refusal {
        let revokes = self.switches.code_replay == CodeReplay::RevokesIssued;
        if let (Presented::With(grant), true) = (earlier, revokes) {
            self.ledger.revoke(grant);
        }
        self.remember(code, earlier);
        invalid_grant("the code was used before")
    }

    fn remember(&mut self, code: &str, presented: Presented) {
        if let Some(code) = self.ledger.code_mut(code) {
            code.presented = presented;
        }
    }

    fn check_code(&self, now: Timestamp, code: &Code, form: &Form<'_>) -> Result<(), Refusal> {
        if now >= code.issued_at.after(Self::CODE_LIFE) {
            return Err(invalid_grant("the code is older than 30 seconds"));
        }
        if !self.world.user(&code.user).is_some_and(|user| user.active) {
            return Err(invalid_grant("the user is gone"));
        }
        match (form.filled("redirect_uri"), self.switches.exchange_redirect) {
            (Some(uri), _) if uri != code.redirect_uri => {
                return Err(invalid_grant("redirect_uri differs from that of the request"));
            }
            (None, ExchangeRedirect::Required) => {
                return Err(Refusal::new("invalid_request", "redirect_uri is missing"));
            }
            (Some(_), _) | (None, ExchangeRedirect::Optional) => {}
        }
        if self.switches.pkce == Pkce::Ignored {
            return Ok(());
        }
        match (&code.challenge, form.filled("code_verifier")) {
            (None, None) => Ok(()),
            (Some(challenge), Some(verifier)) if *challenge == s256(verifier) => Ok(()),
            (Some(_), Some(_)) => Err(invalid_grant("code_verifier does not fit")),
            (Some(_), None) => Err(invalid_grant("code_verifier is missing")),
            (None, Some(_)) => Err(invalid_grant("code_verifier without a challenge")),
        }
    }

    fn refresh(
        &mut self,
        now: Timestamp,
        client: &Client,
        form: &Form<'_>,
    ) -> Result<Members, Refusal> {
        let missing = Refusal::new("invalid_request", "refresh_token is missing");
        let text = form.filled("refresh_token").ok_or(missing)?;
        let key = lookup(text);
        let token = self.ledger.refresh(&key).ok_or(invalid_grant("no such refresh token"))?;
        let grant = self.ledger.grant(token.grant).ok_or(invalid_grant("no such grant"))?;
        if grant.client != client.id {
            return Err(invalid_grant("the refresh token belongs to another client"));
        }
        if grant.revoked {
            return Err(invalid_grant("the grant was revoked"));
        }
        if !self.world.user(&grant.user).is_some_and(|user| user.active) {
            return Err(invalid_grant("the user is gone"));
        }
        let granted = Arc::clone(&grant.scopes);
        // Before its age: a reuse is a sign of theft however old the token is.
        if let Some(spent_at) = token.spent_at {
            self.judge_reuse(now, spent_at, token.grant)?;
        }
        if !token.is_young(now) {
            return Err(invalid_grant("the refresh token is older than 28 days"));
        }
        let scopes = self.narrowed(form, &granted)?;
        if self.switches.successor != Successor::Kept {
            self.ledger.spend(now, &key);
        }
        if self.switches.old_access_token == OldAccessToken::Dies {
            self.ledger.kill_access_of_grant(token.grant);
        }
        let access = self.issue_access(now, client, Some(token.grant), &scopes);
        let mut members = vec![("access_token", json!(access))];
        if self.switches.refresh_token_type == RefreshTokenType::Present {
            members.push(("token_type", json!("bearer")));
        }
        self.finish(&mut members, &scopes);
        let refresh = (self.switches.successor == Successor::Always)
            .then(|| self.issue_refresh(now, token.grant));
        members.extend(refresh.as_ref().map(|it| ("refresh_token", json!(it))));
        self.issued = Some(Issued::new(Some(token.grant), access, refresh));
        Ok(members)
    }

    fn judge_reuse(
        &mut self,
        now: Timestamp,
        spent_at: Timestamp,
        grant: GrantId,
    ) -> Result<(), Refusal> {
        let used = invalid_grant("the refresh token was used before");
        match self.switches.spent_refresh_token {
            SpentRefreshToken::Refused => Err(used),
            SpentRefreshToken::RevokesFamily => {
                self.ledger.revoke(grant);
                Err(used)
            }
            SpentRefreshToken::Grace { seconds } => {
                let age = now.since(spent_at);
                (age.as_secs() < u64::from(seconds)).then_some(()).ok_or(used)
            }
        }
    }

    pub(in crate::simulator) fn issue_access(
        &mut self,
        now: Timestamp,
        client: &Client,
        grant: Option<GrantId>,
        scopes: &Arc<ScopeSet>,
    ) -> String {
        let shape = match (self.switches.token_shape, grant) {
            (TokenShape::Documented, None) => TokenShape::Dcrd10,
            (TokenShape::Documented, Some(_)) => TokenShape::Hex,
            (shape, _) => shape,
        };
        let token = match shape {
            TokenShape::Dcra1 => format!("DCRA1-{}", self.secrets.hex(32)),
            TokenShape::Dcrd10 => format!("DCRD10-{}", self.secrets.hex(32)),
            TokenShape::Documented | TokenShape::Hex => self.secrets.hex(32),
            TokenShape::Uuid => self.secrets.uuid(),
            TokenShape::Long => format!("{}-._~+/{}==", self.secrets.hex(64), "Az9".repeat(643)),
        };
        let access = Access {
            client: Arc::clone(&client.id),
            expires_at: now.after(self.switches.access_token_life.as_duration()),
            grant,
            number: AccessNumber::default(),
            scopes: Arc::clone(scopes),
        };
        self.ledger.add_access(now, &token, access);
        token
    }

    pub(in crate::simulator) fn issue_refresh(&mut self, now: Timestamp, grant: GrantId) -> String {
        let token = self.secrets.hex(40);
        self.ledger.add_refresh(now, &token, grant);
        token
    }

    /// Adds what the switches say about the life and the scopes of a token.
    fn finish(&self, members: &mut Members, scopes: &ScopeSet) {
        let life = self.switches.access_token_life.as_secs();
        let expires_in = match self.switches.expires_in {
            ExpiresIn::Absent => None,
            ExpiresIn::Float => Some(json!(f64::from(life))),
            ExpiresIn::Huge => Some(json!(u64::MAX)),
            ExpiresIn::Negative => Some(json!(-1)),
            ExpiresIn::Number => Some(json!(life)),
            ExpiresIn::Text => Some(json!(life.to_string())),
            ExpiresIn::Zero => Some(json!(0)),
        };
        members.extend(expires_in.map(|value| ("expires_in", value)));
        match self.switches.answer_scope {
            AnswerScope::Absent => {}
            AnswerScope::Empty => members.push(("scope", json!(""))),
            AnswerScope::Granted => members.push(("scope", json!(scopes.to_string()))),
        }
    }
}

/// The challenge of a verifier (RFC 7636 §4.2).
fn s256(verifier: &str) -> String {
    use base64::Engine as _;
    let digest = Secret::new(verifier.to_owned()).digest();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest.as_bytes())
}
