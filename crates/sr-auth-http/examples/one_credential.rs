//! One credential, kept: the first call fetches a token, the others copy a finished header.

use std::error::Error;
use std::io::{Write as _, stdout};

use sr_auth_http::{ReqwestTransport, TokenSource};
use sr_testkit::{Sandbox, SandboxSettings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Yours are `Endpoints::production()`, the default, and what the Credential Manager showed.
    let sandbox = Sandbox::start(SandboxSettings::default()).await?;
    let client = sandbox.credentials().service().clone();

    let source = TokenSource::client_credentials(client)
        .endpoints(sandbox.endpoints()?)
        .transport(std::sync::Arc::new(ReqwestTransport::new()?))
        .build()?;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    for _ in 0..3 {
        let auth = source.authorization().await?;
        let url = format!("{}/jobs", sandbox.origin());
        let answer = http.get(url).header(auth.name(), auth.value()).send().await?;
        writeln!(stdout(), "{}", answer.status())?;
        if !answer.status().is_success() {
            return Err("the API has refused the call".into());
        }
    }
    let exchanges =
        sandbox.with(|it| it.journal().filter(|it| it.path.ends_with("/token")).count());
    writeln!(stdout(), "three calls, {exchanges} token request")?;
    source.shutdown().await;
    Ok(())
}

#[cfg(test)]
#[test]
fn it_runs() {
    main().expect("it runs against the sandbox");
}
