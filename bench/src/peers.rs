//! Other libraries that keep a token: from their cache to the header, as their users do it.
//!
//! Each asks for a token once and is answered by us. What is counted is what follows: the question
//! for the token that it keeps, the check of its end, and the header.

mod azure;
mod smithy;
mod tame;
mod yup;

use std::hint::black_box;

use http::HeaderValue;
use tokio::runtime::Builder;

use crate::server::Server;

/// What they are asked to ask for.
const SCOPES: [&str; 1] = ["jobs_read"];

/// What they are answered where no server is asked.
const ANSWER: &str = r#"{"access_token":"DCRD10-000102030405060708090a0b0c0d0e0f","token_type":"Bearer","expires_in":1799}"#;

/// Does a work, so that its instructions can be counted.
pub(crate) fn work(name: &str, operations: u32) -> bool {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        match name {
            "header-aws-smithy" => {
                let peer = smithy::Smithy::new();
                for _ in 0..operations {
                    drop(black_box(black_box(&peer).header().await));
                }
            }
            "header-azure-identity" => {
                let peer = azure::Azure::new();
                for _ in 0..operations {
                    drop(black_box(black_box(&peer).header().await));
                }
            }
            "header-tame-oauth" => {
                let peer = tame::Tame::new();
                (0..operations).for_each(|_| drop(black_box(black_box(&peer).header())));
            }
            "header-yup-oauth2" => {
                let server = Server::start();
                let peer = yup::Yup::new(&server.origin).await;
                for _ in 0..operations {
                    drop(black_box(black_box(&peer).header().await));
                }
            }
            _ => return false,
        }
        true
    })
}

/// Makes the header of a token that a peer hands out as a text.
fn bearer(token: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("Bearer {token}")).expect("a header")
}
