//! One connection to the redirect endpoint: one request, one answer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sr_auth_core::Secret;
use sr_auth_core::wire::callback::Callback;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::page;

/// The longest head of a request, in bytes: a callback and the headers of a browser.
const HEAD_LIMIT: usize = Callback::LIMIT + 16 * 1024;

/// How long a request may take to arrive, and an answer to leave.
const WITHIN: Duration = Duration::from_secs(10);

/// What a connection brought.
#[derive(Debug)]
pub(super) enum Served {
    /// The callback of the authorization that is awaited.
    Callback(Callback),
    /// The page after the callback was fetched.
    Done,
    /// Something else, which was refused.
    Other,
}

/// What is answered at which path.
#[derive(Debug)]
pub(super) struct Routes {
    authority: String,
    callback: String,
    progress: Mutex<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    /// Whether the callback has come.
    called_back: bool,
    /// The `state` of the callback that is awaited.
    expected: Option<Secret>,
    /// Where the path `/` leads.
    start: Option<Secret>,
}

impl Progress {
    fn awaits(&self, callback: &Callback) -> bool {
        match (&self.expected, callback.state()) {
            (Some(expected), Ok(state)) => expected.matches(&state),
            _ => false,
        }
    }
}

impl Routes {
    pub(super) fn new(address: SocketAddr, callback: &str) -> Self {
        let authority = address.to_string();
        Self { authority, callback: callback.to_owned(), progress: Mutex::default() }
    }

    pub(super) fn redirect_uri(&self) -> String {
        format!("http://{}{}", self.authority, self.callback)
    }

    pub(super) fn start_at(&self, url: &str) {
        // A panic of another connection says nothing about this value.
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.start = Some(Secret::new(url.to_owned()));
    }

    /// Has the callback with this `state` taken, and no other.
    pub(super) fn expect(&self, state: &Secret) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.expected = Some(state.clone());
    }

    /// Reads the request, unless it is closed before that has come, and answers it.
    pub(super) async fn serve(
        &self,
        mut stream: TcpStream,
        closed: oneshot::Receiver<Infallible>,
    ) -> Served {
        let head = tokio::select! {
            head = timeout(WITHIN, read_head(&mut stream)) => head,
            _ = closed => return Served::Other,
        };
        let Ok(Some(head)) = head else { return Served::Other };
        let (answer, served) = self.answer(&head);
        // A browser that left does not matter: what it brought has arrived.
        let _sent = timeout(WITHIN, async {
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await
        })
        .await;
        served
    }

    fn answer(&self, head: &str) -> (Zeroizing<String>, Served) {
        let refuse = |status| (Zeroizing::new(page::refusal(status)), Served::Other);
        let Some(request) = Request::read(head) else { return refuse("400 Bad Request") };
        if !request.host.eq_ignore_ascii_case(&self.authority) {
            return refuse("403 Forbidden");
        }
        if request.method != "GET" {
            return refuse("405 Method Not Allowed");
        }
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let path = request.target.split_once('?').map_or(request.target, |(path, _)| path);
        if path == self.callback {
            if progress.called_back {
                return refuse("410 Gone");
            }
            let callback = Callback::new(request.target);
            // Any page can send a browser here: only the answer to our own question counts.
            if !progress.awaits(&callback) {
                return refuse("400 Bad Request");
            }
            progress.called_back = true;
            (Zeroizing::new(page::redirect(self.done())), Served::Callback(callback))
        } else if path == self.done() && progress.called_back {
            (Zeroizing::new(page::done()), Served::Done)
        } else if let ("/", false, Some(url)) = (path, progress.called_back, &progress.start) {
            (Zeroizing::new(page::redirect(url.expose())), Served::Other)
        } else {
            refuse("404 Not Found")
        }
    }

    fn done(&self) -> &'static str {
        if self.callback == "/done" { "/received" } else { "/done" }
    }
}

/// What matters of a request.
#[derive(Debug, Eq, PartialEq)]
struct Request<'a> {
    host: &'a str,
    method: &'a str,
    target: &'a str,
}

impl<'a> Request<'a> {
    /// Reads a head; `None` unless it is HTTP/1.x with a path and exactly one `Host`.
    fn read(head: &'a str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, target, version) = (first.next()?, first.next()?, first.next()?);
        if first.next().is_some() || !version.starts_with("HTTP/1.") || !target.starts_with('/') {
            return None;
        }
        let mut hosts = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("host").then_some(value.trim())
        });
        let host = hosts.next()?;
        hosts.next().is_none().then_some(Self { host, method, target })
    }
}

/// Reads up to the empty line; `None` when it does not come, or is no text.
async fn read_head(stream: &mut TcpStream) -> Option<Zeroizing<String>> {
    // Large enough from the start: a buffer that grows would leave copies of the code behind.
    let mut head = Zeroizing::new(vec![0; HEAD_LIMIT]);
    let mut length = 0;
    loop {
        let read = stream.read(head.get_mut(length..)?).await.ok()?;
        if read == 0 {
            return None;
        }
        // The empty line may have begun in what came before.
        let unseen = length.saturating_sub(3);
        length += read;
        let mut windows = head.get(unseen..length)?.windows(4);
        if let Some(end) = windows.position(|window| window == b"\r\n\r\n") {
            let text = str::from_utf8(head.get(..unseen + end)?).ok()?;
            return Some(Zeroizing::new(text.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        let address = "127.0.0.1:8123".parse().expect("it is an address");
        let routes = Routes::new(address, "/callback");
        routes.expect(&Secret::new("2".to_owned()));
        routes
    }

    #[track_caller]
    fn check(routes: &Routes, name: &str, head: &str, expected: &str) -> Served {
        let (answer, served) = routes.answer(head);
        assert_eq!(answer.lines().next(), Some(format!("HTTP/1.1 {expected}").as_str()), "{name}");
        served
    }

    #[test]
    fn c31_only_a_get_of_the_callback_at_this_very_address_is_taken() {
        let routes = routes();
        let here = "Host: 127.0.0.1:8123";
        let cases = [
            (
                "a name that leads here",
                "GET /callback?code=1",
                "Host: evil.example:8123",
                "403 Forbidden",
            ),
            ("localhost", "GET /callback?code=1", "Host: localhost:8123", "403 Forbidden"),
            ("another port", "GET /callback?code=1", "Host: 127.0.0.1:8124", "403 Forbidden"),
            ("no host", "GET /callback?code=1", "X: y", "400 Bad Request"),
            ("two hosts", "GET /callback", "Host: 127.0.0.1:8123\r\nHost: a", "400 Bad Request"),
            ("a full URL", "GET http://127.0.0.1:8123/callback", here, "400 Bad Request"),
            ("a post", "POST /callback?code=1", here, "405 Method Not Allowed"),
            ("another path", "GET /favicon.ico", here, "404 Not Found"),
            ("a longer path", "GET /callback/x?code=1", here, "404 Not Found"),
            ("the last page first", "GET /done", here, "404 Not Found"),
            ("no start page", "GET /", here, "404 Not Found"),
            ("nothing in it", "GET /callback", here, "400 Bad Request"),
            ("no state", "GET /callback?code=1", here, "400 Bad Request"),
            ("another's", "GET /callback?code=1&state=3", here, "400 Bad Request"),
            ("two states", "GET /callback?code=1&state=2&state=2", here, "400 Bad Request"),
        ];
        for (name, line, host, expected) in cases {
            let served = check(&routes, name, &format!("{line} HTTP/1.1\r\n{host}"), expected);
            assert!(matches!(served, Served::Other), "{name}");
        }
    }

    #[test]
    fn c31_a_second_callback_is_refused() {
        let routes = routes();
        let head = "GET /callback?code=1&state=2 HTTP/1.1\r\nhost: 127.0.0.1:8123";
        let Served::Callback(callback) = check(&routes, "the first", head, "303 See Other") else {
            panic!("the first callback is taken");
        };
        assert_eq!(callback.state().expect("it has one").expose(), "2");
        assert!(matches!(check(&routes, "the second", head, "410 Gone"), Served::Other));
        let done = "GET /done HTTP/1.1\r\nHost: 127.0.0.1:8123";
        assert!(matches!(check(&routes, "the page", done, "200 OK"), Served::Done));
    }

    #[test]
    fn c33_the_code_leaves_the_address_bar_and_no_page_has_foreign_content() {
        let routes = routes();
        let head = "GET /callback?code=c0de&state=2 HTTP/1.1\r\nHost: 127.0.0.1:8123";
        let (redirect, _) = routes.answer(head);
        let (page, _) = routes.answer("GET /done HTTP/1.1\r\nHost: 127.0.0.1:8123");
        assert!(redirect.contains("\r\nLocation: /done\r\n"));
        for answer in [&redirect, &page] {
            for header in [
                "Cache-Control: no-store",
                "Content-Security-Policy: default-src 'none'; ",
                "Referrer-Policy: no-referrer",
                "Connection: close",
            ] {
                assert!(answer.contains(header), "{header}");
            }
            for foreign in ["c0de", "src=", "href=", "<script", "<style", "http://", "https://"] {
                assert!(!answer.contains(foreign), "{foreign}");
            }
        }
    }
}
