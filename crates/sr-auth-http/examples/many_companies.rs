//! Many companies in one process: a token for each, one task for all.

use std::error::Error;
use std::io::{Write as _, stdout};
use std::num::NonZeroU32;

use sr_auth_core::fleet::Settings;
use sr_auth_core::store::GrantKey;
use sr_auth_http::TokenSources;
use sr_testkit::{Sandbox, SandboxSettings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(SandboxSettings::default()).await?;
    let at_once = NonZeroU32::new(50).ok_or("not zero")?;
    let sources = TokenSources::client_credentials()
        .endpoints(sandbox.endpoints()?)
        .settings(Settings::default().with_capacity(at_once))
        .build()?;
    let mut events = sources.events();

    // In a real program each company has client credentials of its own.
    let client = sandbox.credentials().service();
    for number in 0..60 {
        let company = GrantKey::new(&format!("company-{number}"))?;
        let auth = sources.client(&company, client.clone()).authorization().await?;
        if number == 0 {
            writeln!(stdout(), "{company}: {}", auth.name())?;
        }
    }
    if let Some(news) = events.next().await {
        writeln!(stdout(), "the first thing that happened: {news:?}")?;
    }
    sources.shutdown().await;
    Ok(())
}

#[cfg(test)]
#[test]
fn it_runs() {
    main().expect("it runs against the sandbox");
}
