//! A server on loopback that answers at once, in a process of its own: so what it costs is not
//! counted.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::{env, io, thread};

/// What a POST is answered.
const TOKEN: &str = r#"{"access_token":"DCRD10-000102030405060708090a0b0c0d0e0f","token_type":"Bearer","expires_in":1799,"scope":"candidates_read jobs_read"}"#;

/// A server in another process, which ends with this value.
pub(crate) struct Server {
    child: Child,
    /// While it is open, the server answers.
    _stdin: Option<ChildStdin>,
    pub(crate) origin: String,
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let program = env::current_exe().expect("this program is a file");
        let mut command = Command::new(program);
        let command = command.arg("server").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("this program starts once more");
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let mut port = String::new();
        stdout.read_line(&mut port).expect("the server says its port");
        let origin = format!("http://127.0.0.1:{}", port.trim());
        Self { child, _stdin: stdin, origin, _stdout: stdout }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended needs no end.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Says the port, and answers until the standard input ends, as it does when whoever began this has
/// died.
pub(crate) fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that leaves is done.
            thread::spawn(move || answer(&stream).unwrap_or_default());
        }
    });
    io::copy(&mut io::stdin(), &mut io::sink()).map(drop)
}

fn answer(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let length = TOKEN.len();
    let token = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\ncontent-length: {length}\r\n\r\n{TOKEN}"
    );
    let mut reader = BufReader::new(stream);
    loop {
        let (mut line, mut length, mut posts) = (String::new(), 0, false);
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            posts |= line.starts_with("POST ");
            let lower = line.to_ascii_lowercase();
            if let Some(said) = lower.strip_prefix("content-length:") {
                length = said.trim().parse().unwrap_or_default();
            }
        }
        reader.read_exact(&mut vec![0; length])?;
        stream.write_all(if posts {
            token.as_bytes()
        } else {
            b"HTTP/1.1 204 No Content\r\n\r\n"
        })?;
    }
}
