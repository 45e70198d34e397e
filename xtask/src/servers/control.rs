//! A port at which tests have a server killed and started again.
//!
//! A line says `kill NAME` or `start NAME`, and is answered with `ok` when that is done, or with
//! what went wrong.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};

use super::server::Servers;

/// The servers, and the port; dropping it ends them.
pub(super) struct Control {
    address: SocketAddr,
    servers: Arc<Mutex<Option<Servers>>>,
}

impl Control {
    /// Opens the port.
    ///
    /// # Errors
    ///
    /// Fails when no port of the loopback can be had.
    pub(super) fn open(servers: Servers) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let servers = Arc::new(Mutex::new(Some(servers)));
        let shared = Arc::clone(&servers);
        // It ends with this program; what it could still start is ended before.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // One at a time: a test that asks waits for the answer.
                drop(serve(&stream, &shared));
            }
        });
        Ok(Self { address, servers })
    }

    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        drop(self.servers.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

fn serve(stream: &TcpStream, servers: &Mutex<Option<Servers>>) -> std::io::Result<()> {
    let mut to = stream;
    for line in BufReader::new(stream).lines() {
        let outcome = {
            let mut servers = servers.lock().unwrap_or_else(PoisonError::into_inner);
            obey(&line?, servers.as_mut())
        };
        match outcome {
            Ok(()) => writeln!(to, "ok")?,
            // On one line: the log of a server has many.
            Err(error) => writeln!(to, "{}", format!("{error:#}").replace('\n', " | "))?,
        }
    }
    Ok(())
}

fn obey(line: &str, servers: Option<&mut Servers>) -> anyhow::Result<()> {
    let servers = servers.context("the servers have been ended")?;
    match line.split_once(' ') {
        Some(("kill", name)) => servers.kill(name),
        Some(("start", name)) => servers.start_one(name),
        _ => bail!("`{line}` is neither `kill NAME` nor `start NAME`"),
    }
}
