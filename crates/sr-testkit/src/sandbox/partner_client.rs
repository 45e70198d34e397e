//! SmartRecruiters' calls of partners, really sent: plain HTTP to this machine.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::header::HOST;
use http::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use sr_auth_core::{Machine as _, SecretBytes, Timestamp};
use tokio::net::TcpStream;

use super::Shared;
use crate::simulator::{PartnerCall, PartnerCallInput, PartnerCallOutput, PartnerCallRecord};

/// How long a partner may take to answer. No time-out is documented.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// How much of an answer is read, in bytes.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Makes all calls that wait, one after the other, and returns what became of them.
///
/// They are made to the end even if nobody waits for that: a page that is left must not keep a
/// partner from learning that an integration was disabled.
pub(super) async fn make_calls(shared: &Arc<Shared>) -> Vec<PartnerCallRecord> {
    let mut records = Vec::new();
    loop {
        let call = shared.simulator().poll_partner_call();
        let Some(call) = call else { return records };
        let made = tokio::spawn(make(Arc::clone(shared), call)).await;
        // A panic was told where it happened.
        records.extend(made.unwrap_or_default());
    }
}

async fn make(shared: Arc<Shared>, mut call: PartnerCall) -> Vec<PartnerCallRecord> {
    let mut records = Vec::new();
    loop {
        match (call.poll_output(), call.poll_timeout()) {
            (Some(PartnerCallOutput::Transmit(request)), _) => {
                let input = match send(request).await {
                    Ok(answer) => PartnerCallInput::Answered(answer),
                    Err(why) => PartnerCallInput::Failed(why),
                };
                call.handle_input(shared.clock.now(), input);
            }
            (Some(PartnerCallOutput::Record(record)), _) => {
                shared.simulator().note_partner_call(record.clone());
                records.push(record);
            }
            (None, Some(due)) => {
                wait_until(&shared, due).await;
                call.handle_input(shared.clock.now(), PartnerCallInput::Timeout);
            }
            (None, None) => return records,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "between two requests real time passes")]
async fn wait_until(shared: &Shared, due: Timestamp) {
    // The clock of the sandbox may be moved meanwhile, so that it is looked at again.
    let rest = due.since(shared.clock.now()).min(Duration::from_millis(100));
    tokio::time::sleep(rest).await;
}

async fn send(request: Request<SecretBytes>) -> Result<Response<SecretBytes>, &'static str> {
    let exchange = tokio::time::timeout(ANSWER_WITHIN, exchange(request));
    exchange.await.unwrap_or(Err("the partner did not answer in time"))
}

/// Sends a request on a connection of its own, and reads its answer.
async fn exchange(request: Request<SecretBytes>) -> Result<Response<SecretBytes>, &'static str> {
    let (host, port) = target(request.uri())?;
    let unreachable = "the partner cannot be reached";
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|_| unreachable)?;
    let opened = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = opened.map_err(|_| unreachable)?;
    // It ends when the sender is dropped; how, is told by the answer or its absence.
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(on_the_wire(request)?).await;
    let (head, body) = answer.map_err(|_| "the partner closed the connection")?.into_parts();
    let body = axum::body::to_bytes(Body::new(body), ANSWER_LIMIT).await;
    connection.abort();
    let body = body.map_err(|_| "the answer cannot be read to its end, or is too long")?;
    Ok(Response::from_parts(head, SecretBytes::new(body.to_vec())))
}

/// Returns where a request goes: this machine, without TLS, and nowhere else.
fn target(uri: &Uri) -> Result<(String, u16), &'static str> {
    let host = uri.host().unwrap_or_default();
    let is_local = matches!(host, "127.0.0.1" | "[::1]") || host.eq_ignore_ascii_case("localhost");
    if uri.scheme_str() != Some("http") || !is_local {
        return Err("the sandbox calls partners on this machine only, over plain http");
    }
    Ok((host.trim_matches(['[', ']']).to_owned(), uri.port_u16().unwrap_or(80)))
}

/// Writes a request as HTTP/1.1 has it: the host in a header, and the path alone as its target.
fn on_the_wire(request: Request<SecretBytes>) -> Result<Request<Body>, &'static str> {
    let unusable = "the URL cannot be used";
    let (mut head, body) = request.into_parts();
    let authority = head.uri.authority().ok_or(unusable)?.as_str();
    head.headers.insert(HOST, authority.parse().map_err(|_| unusable)?);
    let path = head.uri.path_and_query().map_or("/", |it| it.as_str());
    head.uri = path.parse().map_err(|_| unusable)?;
    Ok(Request::from_parts(head, Body::from(body.expose().to_vec())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_called() {
        let cases = [
            ("http://127.0.0.1:8800/oauth/token", Some(("127.0.0.1", 8800))),
            ("http://LOCALHOST/x", Some(("LOCALHOST", 80))),
            ("http://[::1]:1/x", Some(("::1", 1))),
            ("https://127.0.0.1/x", None),
            ("http://planner.example/x", None),
            ("http://127.0.0.1.planner.example/x", None),
            ("/x", None),
        ];
        for (uri, expected) in cases {
            let found = target(&uri.parse().unwrap()).ok();
            let expected = expected.map(|(host, port)| (host.to_owned(), port));
            assert_eq!(found, expected, "{uri}");
        }
    }

    #[test]
    fn a_request_names_its_host_and_keeps_its_query() {
        let request = Request::get("http://127.0.0.1:8800/a?b=c").body(SecretBytes::default());
        let request = on_the_wire(request.unwrap()).unwrap();
        assert_eq!((request.uri().to_string().as_str()), "/a?b=c");
        assert_eq!(request.headers()[HOST], "127.0.0.1:8800");
    }
}
