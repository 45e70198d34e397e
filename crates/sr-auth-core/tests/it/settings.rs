//! Credentials, scopes and keys: what their constructors refuse.

use sr_auth_core::{
    AccessToken, ApiKey, ClientCredentials, Fault, GrantedScope, KnownScope, PartnerApiKey,
    RefreshToken, Scope, ScopeSet, Setting, StaticCredential,
};

use crate::fixture::{at, secret, settings};

#[test]
fn texts_that_cannot_be_credentials_are_refused_before_anything_is_sent() {
    let cases = [
        ("empty", "", Fault::Empty),
        ("a line break from copying", "s3cr3t\n", Fault::ControlCharacter),
        ("a NUL", "s3\0cr3t", Fault::ControlCharacter),
    ];
    for (name, text, fault) in cases {
        let client = ClientCredentials::new("id", secret(text)).expect_err(name);
        assert_eq!((client.setting(), client.fault()), (Setting::ClientSecret, fault), "{name}");
        assert_eq!(ClientCredentials::new(text, secret("s")).expect_err(name).fault(), fault);
        assert_eq!(ClientCredentials::with_certificate(text).expect_err(name).fault(), fault);
        assert_eq!(ApiKey::new(secret(text)).expect_err(name).fault(), fault);
        assert_eq!(PartnerApiKey::new(secret(text)).expect_err(name).fault(), fault);
        let token = AccessToken::new(secret(text), at(0), GrantedScope::AsRequested);
        assert_eq!(token.expect_err(name).fault(), fault);
    }
    for text in ["clé", "two words"] {
        assert_eq!(ApiKey::new(secret(text)).expect_err(text).fault(), Fault::NotPrintable);
    }
    assert_eq!(RefreshToken::new(secret(""), at(0)).expect_err("empty").fault(), Fault::Empty);
}

#[test]
fn c22_keys_of_any_shape_travel_in_the_header_only() {
    for text in
        ["DCRA1-d0b1128084fb427ead0b1128084fb427", "d0b1128084fb427ead0b1128084fb427", "pp-b880"]
    {
        let key = StaticCredential::from(ApiKey::new(secret(text)).expect("valid"));
        let partner = StaticCredential::from(PartnerApiKey::new(secret(text)).expect("valid"));
        for credential in [key, partner] {
            let mut headers = http::HeaderMap::new();
            headers.insert("authorization", http::HeaderValue::from_static("Bearer older"));
            credential.authorization().expect("a header").apply_to(&mut headers);
            assert_eq!(headers.len(), 1, "one method at a time");
            let value = headers.get("x-smarttoken").expect("the header of both kinds");
            assert_eq!(value.as_bytes(), text.as_bytes());
            assert!(value.is_sensitive());
        }
    }
    assert!(StaticCredential::None.authorization().is_none());
}

#[test]
fn c29_there_is_no_way_to_ask_for_everything() {
    let empty = settings().with_scopes(ScopeSet::default()).expect_err("empty");
    assert_eq!((empty.setting(), empty.fault()), (Setting::Scope, Fault::Empty));
    assert_eq!(ScopeSet::default().iter().count(), 0);
}

#[test]
fn names_and_sets_show_what_they_hold() {
    let scopes = ScopeSet::parse("jobs_read users_read").expect("valid");
    let contains = |name: &str| scopes.contains(&Scope::new(name).expect("valid"));
    assert!(contains("jobs_read") && !contains("jobs_manage"));
    let client = ClientCredentials::new("82e4424135fe", secret("s")).expect("valid");
    assert_eq!(client.id().to_string(), "82e4424135fe");
    let key = StaticCredential::from(ApiKey::new(secret("k")).expect("valid"));
    let header = key.authorization().expect("a header");
    assert_eq!(format!("{header:?}"), "Authorization(x-smarttoken: ••••)");
}

#[test]
fn unknown_scopes_are_a_warning_and_never_a_refusal() {
    let scopes = ScopeSet::parse("jobs_read candidates:read brand_new").expect("open texts");
    let unknown: Vec<_> = scopes.unrecognised().map(Scope::as_str).collect();
    assert_eq!(unknown, ["brand_new", "candidates:read"]);
    assert_eq!(KnownScope::all().len(), 51);
    for (text, fault) in
        [("", Fault::Empty), ("a b", Fault::NotPrintable), ("a\"b", Fault::NotPrintable)]
    {
        assert_eq!(Scope::new(text).expect_err(text).fault(), fault);
    }
}

#[test]
fn a_refresh_token_ends_28_days_after_its_request_was_sent() {
    let token = RefreshToken::new(secret("r1"), at(1_000)).expect("valid");
    assert_eq!(token.expires_at(), at(1_000 + 28 * 86_400));
}
