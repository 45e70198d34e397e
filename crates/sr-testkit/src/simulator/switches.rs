//! What the service does not document, as switches: the defaults are the documented, strict answer.

mod choices;

pub use choices::{
    AccessTokenLife, AnswerScope, AutoDecision, BasicAuthentication, CodeReplay, DeclineSpaces,
    ErrorBody, ExchangeRedirect, ExpiresIn, InvalidClientStatus, LoopbackPort, MissingScope,
    OldAccessToken, PartnerAuthentication, Pkce, RefreshTokenType, RepeatedIntegration,
    RequestScope, ResponseType, SecondToken, SpentRefreshToken, Successor, TokenErrors, TokenShape,
    UnconsentedIntegration, UnreadableBody,
};

use choices::{name_of, read, read_retries, read_seconds};

/// How the simulator behaves where the documentation of SmartRecruiters is silent.
///
/// [`Default`] is what is documented, and the stricter reading where nothing is.
/// [`all`](Self::all) lists every switch for a person, and [`set`](Self::set) takes what that
/// person types.
///
/// # Examples
///
/// ```
/// use sr_testkit::{SpentRefreshToken, Switches};
///
/// let mut switches = Switches::default();
/// switches.set("spent_refresh_token=grace:60")?;
/// assert_eq!(switches.spent_refresh_token, SpentRefreshToken::Grace { seconds: 60 });
/// assert!(switches.set("spent_refresh_token=maybe").is_err());
/// # Ok::<(), sr_testkit::SwitchError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Switches {
    /// How long an access token lives, and what `expires_in` says.
    pub access_token_life: AccessTokenLife,
    /// Whether an answer of the token endpoint carries `scope`.
    pub answer_scope: AnswerScope,
    /// Whether consent is given or refused without a person.
    pub auto_decision: AutoDecision,
    /// Whether the token endpoint takes `Authorization: Basic`.
    pub basic: BasicAuthentication,
    /// What a second presentation of a code does to the tokens of the first.
    pub code_replay: CodeReplay,
    /// How the description of a declined consent is written into the callback.
    pub decline_spaces: DeclineSpaces,
    /// Whether the code exchange must repeat `redirect_uri`.
    pub exchange_redirect: ExchangeRedirect,
    /// How `expires_in` is written.
    pub expires_in: ExpiresIn,
    /// The status of `invalid_client`.
    pub invalid_client_status: InvalidClientStatus,
    /// Whether a registered loopback redirect URI matches on any port (RFC 8252 §7.3).
    pub loopback_port: LoopbackPort,
    /// The shape of the 403 answer to a call without a needed scope.
    pub missing_scope: MissingScope,
    /// What a refresh does to the access token before it.
    pub old_access_token: OldAccessToken,
    /// How SmartRecruiters authenticates at a partner's token endpoint.
    pub partner_authentication: PartnerAuthentication,
    /// How often a request to a partner is repeated that did not do what it was for, 9 times at
    /// most; `None` is never.
    pub partner_retries: Option<u32>,
    /// What becomes of PKCE parameters (RFC 7636).
    pub pkce: Pkce,
    /// Whether the answer to a refresh carries `token_type`.
    pub refresh_token_type: RefreshTokenType,
    /// What a second exchange for the same company does.
    pub repeated_integration: RepeatedIntegration,
    /// What `scope` in a token request does.
    pub request_scope: RequestScope,
    /// Whether an authorization request needs `response_type`.
    pub response_type: ResponseType,
    /// The seconds in the `Retry-After` of a 429 answer; `None` sends no such header.
    pub retry_after: Option<u32>,
    /// What a second client-credentials token does to the first.
    pub second_token: SecondToken,
    /// What the reuse of a spent refresh token does.
    pub spent_refresh_token: SpentRefreshToken,
    /// Whether a refresh brings a new refresh token.
    pub successor: Successor,
    /// The body of a 429 answer.
    pub throttled_body: ErrorBody,
    /// The shape of token errors.
    pub token_errors: TokenErrors,
    /// Requests to the token endpoint that one client may make in a second; `None` is no limit.
    pub token_limit: Option<u32>,
    /// What access tokens look like.
    pub token_shape: TokenShape,
    /// The body of a 401 answer of the resource server.
    pub unauthorized_body: ErrorBody,
    /// What an exchange without the customer's consent gets.
    pub unconsented_integration: UnconsentedIntegration,
    /// What a JSON body at the token endpoint gets.
    pub unreadable_body: UnreadableBody,
}

/// One switch as a person sees it.
#[derive(Clone, Copy, Debug)]
pub struct Switch {
    name: &'static str,
    values: &'static str,
    meaning: &'static str,
    value: fn(&Switches) -> String,
    set: fn(&mut Switches, &str) -> bool,
}

impl Switch {
    /// Returns the name, as in `name=value`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the values it can have, the default first, separated by ` | `.
    #[must_use]
    pub const fn values(&self) -> &'static str {
        self.values
    }

    /// Returns one sentence on what it decides.
    #[must_use]
    pub const fn meaning(&self) -> &'static str {
        self.meaning
    }

    /// Returns the value that it has in `switches`.
    #[must_use]
    pub fn value(&self, switches: &Switches) -> String {
        (self.value)(switches)
    }
}

/// Why a switch was not set.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchError {
    /// The text is not `name=value`.
    #[error("a switch is written name=value")]
    NotAPair,
    /// There is no such switch.
    #[error("there is no switch of that name")]
    UnknownName,
    /// The switch has no such value.
    #[error("the switch {name} takes {values}")]
    UnknownValue {
        /// The switch.
        name: &'static str,
        /// What it takes.
        values: &'static str,
    },
}

impl Switches {
    /// Returns every switch, in alphabetical order.
    #[must_use]
    pub const fn all() -> &'static [Switch] {
        ALL
    }

    /// Sets one switch from `name=value`.
    ///
    /// # Errors
    ///
    /// [`SwitchError::NotAPair`], [`SwitchError::UnknownName`] and [`SwitchError::UnknownValue`];
    /// nothing is changed then.
    pub fn set(&mut self, text: &str) -> Result<(), SwitchError> {
        let (name, value) = text.split_once('=').ok_or(SwitchError::NotAPair)?;
        let switch =
            ALL.iter().find(|it| it.name == name.trim()).ok_or(SwitchError::UnknownName)?;
        if (switch.set)(self, value.trim()) {
            return Ok(());
        }
        Err(SwitchError::UnknownValue { name: switch.name, values: switch.values })
    }
}

const fn switch(
    name: &'static str,
    values: &'static str,
    meaning: &'static str,
    value: fn(&Switches) -> String,
    set: fn(&mut Switches, &str) -> bool,
) -> Switch {
    Switch { name, values, meaning, value, set }
}

fn seconds_or_none(value: Option<u32>) -> String {
    value.map_or_else(|| "none".to_owned(), |seconds| seconds.to_string())
}

#[rustfmt::skip]
const ALL: &[Switch] = &[
    switch("access_token_life", "1799 | <seconds>", "how long an access token lives, in seconds: 1 to 86400",
        |it| it.access_token_life.to_string(), |it, text| it.access_token_life.read(text)),
    switch("answer_scope", "absent | granted | empty", "whether a token answer carries scope",
        |it| name_of(it.answer_scope), |it, text| read(&mut it.answer_scope, text)),
    switch("auto_decision", "ask | authorize | decline", "whether consent needs a person",
        |it| name_of(it.auto_decision), |it, text| read(&mut it.auto_decision, text)),
    switch("basic", "accepted | ignored | not_for_refresh", "whether the token endpoint takes Authorization: Basic",
        |it| name_of(it.basic), |it, text| read(&mut it.basic, text)),
    switch("code_replay", "refused | revokes_issued", "what a second presentation of a code does",
        |it| name_of(it.code_replay), |it, text| read(&mut it.code_replay, text)),
    switch("decline_spaces", "encoded | raw", "whether error_description in a callback is percent-encoded, or has raw spaces as on the page",
        |it| name_of(it.decline_spaces), |it, text| read(&mut it.decline_spaces, text)),
    switch("exchange_redirect", "optional | required", "whether the code exchange must repeat redirect_uri",
        |it| name_of(it.exchange_redirect), |it, text| read(&mut it.exchange_redirect, text)),
    switch("expires_in", "number | text | float | zero | negative | huge | absent", "how a token answer writes expires_in",
        |it| name_of(it.expires_in), |it, text| read(&mut it.expires_in, text)),
    switch("invalid_client_status", "401 | 400", "the status of invalid_client at the token endpoint",
        |it| name_of(it.invalid_client_status), |it, text| read(&mut it.invalid_client_status, text)),
    switch("loopback_port", "exact | any", "whether a registered loopback redirect URI matches on any port (RFC 8252)",
        |it| name_of(it.loopback_port), |it, text| read(&mut it.loopback_port, text)),
    switch("missing_scope", "challenge | exception_code | exception_message", "the shape of the 403 for a missing scope: a challenge, or where OAuthPermissionsException stands",
        |it| name_of(it.missing_scope), |it, text| read(&mut it.missing_scope, text)),
    switch("old_access_token", "lives | dies", "what a refresh does to the access token before it",
        |it| name_of(it.old_access_token), |it, text| read(&mut it.old_access_token, text)),
    switch("partner_authentication", "body | basic", "how SmartRecruiters authenticates at a partner's token endpoint",
        |it| name_of(it.partner_authentication), |it, text| read(&mut it.partner_authentication, text)),
    switch("partner_retries", "none | <times>", "how often a request to a partner that failed is sent again, after a second each: 1 to 9",
        |it| seconds_or_none(it.partner_retries), |it, text| read_retries(&mut it.partner_retries, text)),
    switch("pkce", "ignored | verified | required", "what becomes of PKCE parameters (S256 only)",
        |it| name_of(it.pkce), |it, text| read(&mut it.pkce, text)),
    switch("refresh_token_type", "absent | present", "whether the answer to a refresh carries token_type",
        |it| name_of(it.refresh_token_type), |it, text| read(&mut it.refresh_token_type, text)),
    switch("repeated_integration", "refused | replaces | adds | same", "what a second exchange of credentials for the same company does",
        |it| name_of(it.repeated_integration), |it, text| read(&mut it.repeated_integration, text)),
    switch("request_scope", "ignored | refused | honoured", "what scope in a token request does",
        |it| name_of(it.request_scope), |it, text| read(&mut it.request_scope, text)),
    switch("response_type", "optional | required | ignored", "whether an authorization request needs response_type=code",
        |it| name_of(it.response_type), |it, text| read(&mut it.response_type, text)),
    switch("retry_after", "none | <seconds>", "the Retry-After header of a 429 answer",
        |it| seconds_or_none(it.retry_after), |it, text| read_seconds(&mut it.retry_after, text)),
    switch("second_token", "coexists | kills_first", "what a second client-credentials token does to the first",
        |it| name_of(it.second_token), |it, text| read(&mut it.second_token, text)),
    switch("spent_refresh_token", "refused | revokes_family | grace:<seconds>", "what the reuse of a spent refresh token does",
        |it| it.spent_refresh_token.to_text(), |it, text| it.spent_refresh_token.read(text)),
    switch("successor", "always | kept | omitted", "whether a refresh brings a new refresh token, and if not, whether the old one stays valid",
        |it| name_of(it.successor), |it, text| read(&mut it.successor, text)),
    switch("throttled_body", "message | empty | html", "the body of a 429 answer",
        |it| name_of(it.throttled_body), |it, text| read(&mut it.throttled_body, text)),
    switch("token_errors", "rfc | smartrecruiters | empty | empty_object", "the shape of token errors; the last is 200 with {}",
        |it| name_of(it.token_errors), |it, text| read(&mut it.token_errors, text)),
    switch("token_limit", "none | <per second>", "requests to the token endpoint that a client may make in a second",
        |it| seconds_or_none(it.token_limit), |it, text| read_seconds(&mut it.token_limit, text)),
    switch("token_shape", "documented | dcra1 | dcrd10 | hex | uuid | long", "what access tokens look like",
        |it| name_of(it.token_shape), |it, text| read(&mut it.token_shape, text)),
    switch("unauthorized_body", "message | empty | html", "the body of a 401 answer of the resource server",
        |it| name_of(it.unauthorized_body), |it, text| read(&mut it.unauthorized_body, text)),
    switch("unconsented_integration", "403 | 404 | accepted", "what an exchange without the customer's consent gets",
        |it| name_of(it.unconsented_integration), |it, text| read(&mut it.unconsented_integration, text)),
    switch("unreadable_body", "refused | empty_object | accept_json", "what a JSON body at the token endpoint gets: 400, 200 with {}, or a token",
        |it| name_of(it.unreadable_body), |it, text| read(&mut it.unreadable_body, text)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_takes_back_what_it_shows_and_lists_its_default_first() {
        assert!(ALL.is_sorted_by_key(|it| it.name));
        for switch in Switches::all() {
            let mut switches = Switches::default();
            let shown = switch.value(&switches);
            assert!(switch.values().starts_with(&shown), "{}: {shown}", switch.name());
            for value in switch.values().split(" | ") {
                let value = value
                    .replace("<seconds>", "7")
                    .replace("<per second>", "7")
                    .replace("<times>", "7");
                switches.set(&format!("{}={value}", switch.name())).unwrap();
                assert_eq!(switch.value(&switches), value, "{}", switch.name());
            }
        }
    }

    #[test]
    fn what_is_no_switch_is_refused_and_changes_nothing() {
        let values = "accepted | ignored | not_for_refresh";
        let unknown_value = SwitchError::UnknownValue { name: "basic", values };
        let too_often =
            SwitchError::UnknownValue { name: "partner_retries", values: "none | <times>" };
        let cases = [
            ("no pair", "basic", SwitchError::NotAPair),
            ("no such name", "basics=accepted", SwitchError::UnknownName),
            ("no such value", "basic=yes", unknown_value),
            ("more than is taken", "partner_retries=10", too_often),
        ];
        for (name, text, expected) in cases {
            let mut switches = Switches::default();
            assert_eq!(switches.set(text), Err(expected), "{name}");
            assert_eq!(switches, Switches::default(), "{name}");
        }
    }
}
