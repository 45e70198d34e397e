//! Runs the program as a person would, with nothing in its environment but what a test puts there.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use sr_auth_core::{ClientAuthentication, ClientCredentials};
use sr_testkit::{Sandbox, SandboxSettings};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// How long anything may take.
pub(crate) const WITHIN: Duration = Duration::from_secs(20);

/// A run of the program that is being prepared.
///
/// It has an empty home of its own, which goes with it.
pub(crate) struct Program(Command, TempDir);

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) err: String,
    pub(crate) out: String,
}

impl Program {
    pub(crate) fn new(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sr-auth"));
        command.args(arguments).env_clear().env("COLUMNS", "100").env("LANG", "C.UTF-8");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        let home = tempfile::tempdir().expect("a directory can be made");
        command.env("HOME", home.path());
        Self(command, home)
    }

    /// Runs it below a shell that does this first, such as to set a limit.
    pub(crate) fn below(script: &str, arguments: &[&str]) -> Self {
        let Self(program, home) = Self::new(arguments);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &format!("{script}; exec \"$0\" \"$@\"")]);
        command.arg(program.as_std().get_program()).args(program.as_std().get_args());
        command.env_clear().env("COLUMNS", "100").env("LANG", "C.UTF-8");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("HOME", home.path()).kill_on_drop(true);
        Self(command, home)
    }

    /// Runs it in a home that others share.
    pub(crate) fn at_home(mut self, home: &Path) -> Self {
        self.0.env("HOME", home);
        self
    }

    pub(crate) fn without_home(mut self) -> Self {
        self.0.env_remove("HOME");
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// Points the program at a sandbox.
    pub(crate) fn at(self, sandbox: &Sandbox) -> Self {
        self.env("SR_AUTH_ORIGIN", &sandbox.origin())
    }

    /// Gives the program client credentials.
    pub(crate) fn with(self, client: &ClientCredentials) -> Self {
        self.env("SR_AUTH_CLIENT_ID", client.id().as_str())
            .env("SR_AUTH_CLIENT_SECRET", &secret_of(client))
    }

    /// Points the program at a sandbox, with the client that may do most.
    pub(crate) fn for_service(self, sandbox: &Sandbox) -> Self {
        self.at(sandbox).with(sandbox.credentials().service())
    }

    /// Points the program at a sandbox, as the application.
    pub(crate) fn for_application(self, sandbox: &Sandbox) -> Self {
        let client = sandbox.credentials().application();
        self.at(sandbox)
            .env("SR_AUTH_APP_CLIENT_ID", client.id().as_str())
            .env("SR_AUTH_APP_CLIENT_SECRET", &secret_of(client))
    }

    pub(crate) async fn run(self) -> Ended {
        self.run_with("").await
    }

    /// Runs it with this on standard input.
    pub(crate) async fn run_with(mut self, input: &str) -> Ended {
        self.0.stdin(Stdio::piped());
        let mut child = self.0.spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        // A program that does not read closes the pipe, which is its right.
        let _written = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = timeout(WITHIN, child.wait_with_output()).await.expect("it ends in time");
        let output = output.expect("it can be waited for");
        Ended {
            code: output.status.code().expect("no signal ended it"),
            err: String::from_utf8(output.stderr).expect("it writes text"),
            out: String::from_utf8(output.stdout).expect("it writes text"),
        }
    }

    /// Starts it, to talk with it while it runs.
    pub(crate) fn start(mut self) -> Running {
        self.0.stdin(Stdio::piped());
        let mut child = self.0.spawn().expect("the program starts");
        let stdin = child.stdin.take();
        let out = Some(BufReader::new(child.stdout.take().expect("it is piped")).lines());
        let err = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        Running { child, err, _home: self.1, out, stdin, told: String::new() }
    }
}

/// A run that is under way.
pub(crate) struct Running {
    child: Child,
    err: Lines<BufReader<ChildStderr>>,
    _home: TempDir,
    out: Option<Lines<BufReader<ChildStdout>>>,
    stdin: Option<ChildStdin>,
    told: String,
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Waits for the line of standard error that holds an address, and returns the address.
    pub(crate) async fn url(&mut self) -> String {
        loop {
            let line = timeout(WITHIN, self.err.next_line()).await.expect("it comes in time");
            let line = line.expect("it is text").expect("the URL comes before the end");
            self.told.push_str(&line);
            self.told.push('\n');
            if let Some(url) = line.trim().strip_prefix("http") {
                return format!("http{url}");
            }
        }
    }

    /// Waits for a line of standard output that holds this text.
    pub(crate) async fn line_with(&mut self, text: &str) -> String {
        loop {
            let out = self.out.as_mut().expect("it is open");
            let line = timeout(WITHIN, out.next_line()).await.expect("it comes in time");
            let line = line.expect("it is text").expect("the line comes before the end");
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Types a line.
    pub(crate) async fn type_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("it is open");
        stdin.write_all(format!("{line}\n").as_bytes()).await.expect("it reads");
        stdin.flush().await.expect("it reads");
    }

    /// Sends a signal, by name.
    pub(crate) async fn signal(&self, name: &str) {
        let script = format!("kill -{name} {}", self.id());
        let sent = Command::new("/bin/sh").args(["-c", &script]).status().await;
        assert!(sent.expect("there is a shell").success());
    }

    /// Reads standard output no more, and has the program know it.
    pub(crate) fn close_output(&mut self) {
        self.out = None;
    }

    /// Waits for the end without reading anything; returns the exit code.
    pub(crate) async fn end_unread(mut self) -> i32 {
        let ended = timeout(WITHIN, self.child.wait()).await.expect("it ends in time");
        ended.expect("it can be waited for").code().expect("no signal ended it")
    }

    /// Closes standard input and waits for the end; returns everything that was not read before.
    pub(crate) async fn end(mut self) -> Ended {
        drop(self.stdin.take());
        self.end_by_itself().await
    }

    /// Waits for the end while standard input stays open.
    pub(crate) async fn end_by_itself(mut self) -> Ended {
        let reading = async {
            let (mut out, mut err) = (String::new(), self.told);
            let (mut out_pipe, mut err_pipe) =
                (self.out.expect("it is open").into_inner(), self.err.into_inner());
            let both =
                tokio::join!(out_pipe.read_to_string(&mut out), err_pipe.read_to_string(&mut err));
            both.0.expect("it writes text");
            both.1.expect("it writes text");
            let status = self.child.wait().await.expect("it can be waited for");
            Ended { code: status.code().expect("no signal ended it"), err, out }
        };
        timeout(WITHIN, reading).await.expect("it ends in time")
    }
}

/// Starts a sandbox; each switch is `name=value`.
pub(crate) async fn sandbox(switches: &[&str]) -> Sandbox {
    let mut settings = SandboxSettings::default();
    for switch in switches {
        settings.switches.set(switch).expect("there is such a switch");
    }
    Sandbox::start(settings).await.expect("a port is free")
}

pub(crate) fn secret_of(client: &ClientCredentials) -> String {
    match client.authentication() {
        ClientAuthentication::Basic(secret) | ClientAuthentication::Body(secret) => {
            secret.expose().to_owned()
        }
        ClientAuthentication::Certificate | _ => {
            unreachable!("clients of the sandbox have secrets")
        }
    }
}

/// Sends one request, byte for byte, and returns the whole answer.
pub(crate) async fn raw(authority: &str, request: &str) -> String {
    let talking = async {
        let mut stream = TcpStream::connect(authority).await.expect("it listens");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("it answers");
        String::from_utf8(answer).expect("it answers in text")
    };
    timeout(WITHIN, talking).await.expect("it answers in time")
}

/// Fetches a URL of plain http.
pub(crate) async fn fetch(url: &str) -> String {
    let rest = url.strip_prefix("http://").expect("it is plain http");
    let (authority, path) = rest.split_once('/').expect("it has a path");
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    raw(authority, &request).await
}

/// Returns the authority of a URL.
pub(crate) fn authority(url: &str) -> &str {
    url.split('/').nth(2).expect("it has an authority")
}

/// Returns a header of an answer.
pub(crate) fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer.split("\r\n").take_while(|line| !line.is_empty()).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

#[track_caller]
pub(crate) fn check_status(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "not {status}: {answer}");
}

/// Posts a form, as `curl -d` does.
pub(crate) async fn post_form(authority: &str, path: &str, form: &str) -> String {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    raw(authority, &request).await
}
