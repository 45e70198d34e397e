//! Your own code under test: a sandbox in place of the service, and a clock that your test moves.

use std::error::Error;
use std::io::{Write as _, stdout};
use std::time::Duration;

use sr_auth_http::{ApiClient, ApiError, Clock, ReqwestTransport, TokenSource};
use sr_testkit::{Effect, Fault, Sandbox, SandboxSettings, Target};

/// The code under test: how many jobs there are, as far as the API says.
async fn count_jobs(api: &ApiClient) -> Result<u64, ApiError> {
    let answer = api.get("/jobs").await?;
    let text = String::from_utf8_lossy(answer.body().expose()).into_owned();
    let digits = text.split("\"totalFound\":").nth(1).unwrap_or_default();
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    Ok(digits.parse().unwrap_or_default())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start(SandboxSettings::default()).await?;
    let clock = Clock::manual(sandbox.now());
    let transport = std::sync::Arc::new(ReqwestTransport::new()?);
    let source = TokenSource::client_credentials(sandbox.credentials().service().clone())
        .clock(clock.clone())
        .endpoints(sandbox.endpoints()?)
        .build()?;
    let api = ApiClient::new(sandbox.endpoints()?.api().clone(), source.clone(), transport);

    let jobs = count_jobs(&api).await?;
    writeln!(stdout(), "{jobs} jobs")?;
    let first = source.authorization().await?;

    // Half an hour passes in no time: the token has ended, and the next call fetches another.
    let half_an_hour = Duration::from_secs(1_800);
    sandbox.advance(half_an_hour);
    clock.advance(half_an_hour);
    if count_jobs(&api).await? != jobs || source.authorization().await?.value() == first.value() {
        return Err("half an hour has passed".into());
    }

    // What goes wrong is asked for.
    sandbox.with(|it| it.inject(Fault::new(Target::Resources, Effect::Status { status: 429 })));
    match count_jobs(&api).await {
        Err(ApiError::Refused(refused)) => writeln!(stdout(), "refused: {}", refused.refusal())?,
        other => return Err(format!("it should be refused: {other:?}").into()),
    }
    Ok(())
}

#[cfg(test)]
#[test]
fn it_runs() {
    main().expect("it runs against the sandbox");
}
