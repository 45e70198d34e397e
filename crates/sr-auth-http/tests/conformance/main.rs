//! The shipped transport keeps to the contract, and the checks find transports that do not.

mod broken;

use broken::{Broken, Fault};
use sr_auth_http::ReqwestTransport;
use sr_auth_http::conformance::{Rule, check};

#[tokio::test(flavor = "multi_thread")]
async fn c26_c36_the_reqwest_transport_keeps_to_the_contract() {
    let report = check(&ReqwestTransport::new().unwrap()).await.unwrap();
    assert!(report.conforms(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_transport_is_found_out_by_the_rule_that_it_breaks() {
    let cases = [
        ("sends again what may have arrived", Fault::Repeats, Rule::Once),
        ("follows redirects", Fault::FollowsRedirects, Rule::RedirectNotFollowed),
        ("always says not sent", Fault::AlwaysBeforeSend, Rule::MaybeSent),
        ("always says maybe sent", Fault::AlwaysAfterSend, Rule::NotSent),
        ("reads bodies to their end", Fault::IgnoresBodyLimit, Rule::BodyCut),
        ("reads bodies to their end, then cuts", Fault::CutsTooLate, Rule::BodyCut),
        ("ignores the fence", Fault::IgnoresFence, Rule::Fenced),
        ("waits for ever", Fault::IgnoresTime, Rule::Timely),
        ("shows the last request", Fault::ShowsRequests, Rule::SecretsHidden),
        ("trims bodies", Fault::TrimsBodies, Rule::RequestUnchanged),
        ("turns an odd status into an error", Fault::JudgesStatus, Rule::AnswerUnchanged),
    ];
    // All at once: most of the time of a run is spent waiting.
    let runs: Vec<_> = cases
        .into_iter()
        .map(|(name, fault, rule)| {
            let run = tokio::spawn(async move { check(&Broken::new(fault)).await });
            (name, rule, run)
        })
        .collect();
    for (name, rule, run) in runs {
        let report = run.await.unwrap().unwrap();
        assert!(report.breaks(rule), "a transport that {name}: {report}");
    }
}
