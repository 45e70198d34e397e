//! Another library that keeps a token: from its cache to the header, as its users do it.

use std::hint::black_box;

use http::{HeaderValue, Response};
use tame_oauth::gcp::end_user::{EndUserCredentials, EndUserCredentialsInfo};
use tame_oauth::gcp::{TokenOrRequest, TokenProvider as _};

const SCOPES: [&str; 1] = ["jobs_read"];

/// What it is answered when it asks for a token, as it does once.
const ANSWER: &str = r#"{"access_token":"DCRD10-000102030405060708090a0b0c0d0e0f","token_type":"Bearer","expires_in":1799}"#;

/// Does a work, so that its instructions can be counted.
pub(crate) fn work(name: &str, operations: u32) -> bool {
    if name != "header-tame-oauth" {
        return false;
    }
    let peer = Tame::new();
    (0..operations).for_each(|_| drop(black_box(black_box(&peer).header())));
    true
}

/// tame-oauth, which leaves the exchange to its user.
struct Tame(EndUserCredentials);

impl Tame {
    fn new() -> Self {
        let provider = EndUserCredentials::new(EndUserCredentialsInfo {
            client_id: "82e4424135fe".to_owned(),
            client_secret: "9165228a82e4".to_owned(),
            refresh_token: "DCRR10-00".to_owned(),
            client_type: "authorized_user".to_owned(),
        });
        let asked = provider.get_token(&SCOPES).expect("it asks");
        let TokenOrRequest::Request { scope_hash, .. } = asked else {
            panic!("it has no token yet")
        };
        let answer = Response::new(ANSWER.as_bytes().to_vec());
        provider.parse_token_response(scope_hash, answer).expect("a token");
        Self(provider)
    }

    fn header(&self) -> HeaderValue {
        match self.0.get_token(&SCOPES) {
            Ok(TokenOrRequest::Token(token)) => token.try_into().expect("a header"),
            Ok(TokenOrRequest::Request { .. }) | Err(_) => panic!("the token is kept"),
        }
    }
}
