//! Every request of a reqwest client signed.

use std::error::Error;
use std::io::{Write as _, stdout};

use sr_auth_http::{AuthorizeMiddleware, Public, TokenSource};
use sr_testkit::{Sandbox, SandboxSettings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(SandboxSettings::default()).await?;
    let endpoints = sandbox.endpoints()?;
    let source = TokenSource::client_credentials(sandbox.credentials().service().clone())
        .endpoints(endpoints.clone())
        .build()?;
    let api = AuthorizeMiddleware::new(endpoints.api().clone(), source).pace().replay();
    let http = api.client(reqwest::Client::builder())?;

    let jobs = http.get(format!("{}/jobs", sandbox.origin()));
    let postings = format!("{}/v1/companies/AcmeLogistics/postings", sandbox.origin());
    let postings = http.get(postings).with_extension(Public);
    for (name, request) in [("signed", jobs), ("public", postings)] {
        let answer = request.send().await?;
        writeln!(stdout(), "{name}: {}", answer.status())?;
        if !answer.status().is_success() {
            return Err("the API has refused the call".into());
        }
    }
    Ok(())
}

#[cfg(test)]
#[test]
fn it_runs() {
    main().expect("it runs against the sandbox");
}
