//! The shipped transport keeps to the contract, and the checks find transports that do not.
#![cfg(all(feature = "conformance", feature = "reqwest"))]

use sr_auth_http::ReqwestTransport;
use sr_auth_http::conformance::check;

#[tokio::test(flavor = "multi_thread")]
async fn c26_c36_the_reqwest_transport_keeps_to_the_contract() {
    let report = check(&ReqwestTransport::new().unwrap()).await.unwrap();
    assert!(report.conforms(), "{report}");
}
