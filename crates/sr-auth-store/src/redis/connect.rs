//! Addresses, the connection, the script.

use std::fmt;
use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, Pipeline, RedisError, Script,
    ServerErrorKind, TlsCertificates, Value, cmd,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::{Remedy, Secret};
use tokio::time::timeout;

use super::fault;
use super::proof::PATTERN;
use crate::stored::call::{Call, Parameter};
use crate::{BackendError, BackendFault, random, tls};

/// How the keys and values of a store are laid out.
const VERSION: &str = "1";

/// A script, and the keys that it is given, the store first. The server keeps it, and knows it by its
/// digest.
pub(super) struct Program {
    pub(super) keys: &'static [&'static str],
    pub(super) script: LazyLock<Script>,
    pub(super) text: &'static str,
}

/// Grants; the key of one comes after the others.
pub(super) static GRANTS: Program = Program {
    keys: &["store", "due", "changes", "owners"],
    script: LazyLock::new(|| Script::new(GRANTS.text)),
    text: concat!(include_str!("common.lua"), include_str!("script.lua")),
};

/// What an application may set.
pub(super) struct Settings {
    pub(super) accepts_plaintext: bool,
    pub(super) answer_within: Duration,
    pub(super) connect_within: Duration,
    pub(super) has_to_exist: bool,
    pub(super) root_certificates: Option<Vec<u8>>,
    address: Client,
    name: String,
}

impl Settings {
    /// Reads an address.
    pub(super) fn parse(address: &Secret) -> Result<Self, BackendError> {
        // Not the error of the library, which may repeat a part of the address.
        let address = Client::open(address.expose()).map_err(|_| misconfigured())?;
        let (answer_within, connect_within) = (Duration::from_secs(5), Duration::from_secs(5));
        Ok(Self {
            accepts_plaintext: false,
            answer_within,
            connect_within,
            has_to_exist: false,
            root_certificates: None,
            address,
            name: "sr-auth".to_owned(),
        })
    }

    /// Makes the client; nothing is opened yet.
    fn client(&self) -> Result<Client, BackendError> {
        let info = self.address.get_connection_info();
        if !self.accepts_plaintext && is_plaintext_elsewhere(info.addr()) {
            return Err(misconfigured());
        }
        if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return Ok(self.address.clone());
        }
        // The library panics where a program has chosen no cryptography, or has two to choose from.
        if CryptoProvider::get_default().is_none() {
            // Somebody else may have been faster.
            let _chosen = aws_lc_rs::default_provider().install_default();
        }
        let Some(roots) = &self.root_certificates else { return Ok(self.address.clone()) };
        if tls::roots(roots).is_none() {
            return Err(misconfigured());
        }
        let certificates = TlsCertificates { client_tls: None, root_cert: Some(roots.clone()) };
        Client::build_with_tls(info.clone(), certificates).map_err(|_| misconfigured())
    }

    pub(super) fn set_name(&mut self, name: &str) -> Result<(), BackendError> {
        let is_letter = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
        if name.is_empty() || name.len() > 63 || !name.chars().all(is_letter) {
            return Err(misconfigured());
        }
        name.clone_into(&mut self.name);
        Ok(())
    }
}

/// A connection that all share, and that is opened again when it was lost.
pub(super) struct Link {
    answer_within: Duration,
    manager: ConnectionManager,
    name: String,
}

impl Link {
    /// Connects, and makes the store if there is none.
    ///
    /// # Errors
    ///
    /// As [`RedisBuilder::open`](super::RedisBuilder::open).
    pub(super) async fn open(settings: Settings) -> Result<Self, BackendError> {
        let client = settings.client()?;
        let Settings { answer_within, connect_within, has_to_exist, name, .. } = settings;
        try_once(&client, connect_within).await?;
        // What waits longer than an answer may take is given up here, not below.
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(connect_within))
            .set_max_delay(Duration::from_millis(500))
            .set_number_of_retries(usize::MAX)
            .set_response_timeout(None);
        let connect = ConnectionManager::new_with_config(client, config);
        let manager = timeout(connect_within, connect).await;
        let late = |_| BackendError::new(BackendFault::Unreachable, StoreFailure::NotDone);
        let manager = manager.map_err(late)?.map_err(|it| fault::after_sending(it, true))?;
        let link = Self { answer_within, manager, name };
        if has_to_exist {
            link.check_existence().await?;
        }
        link.prepare().await?;
        Ok(link)
    }

    /// Fails where there is no store.
    async fn check_existence(&self) -> Result<(), BackendError> {
        let known = cmd("EXISTS").arg(format!("{{{}}}:store", self.name)).to_owned();
        if self.ask(&known).await? == Value::Int(1) {
            return Ok(());
        }
        Err(BackendError::new(BackendFault::NotAStore, StoreFailure::NotDone))
    }

    async fn prepare(&self) -> Result<(), BackendError> {
        let identity: [u8; 16] = random::bytes()
            .ok_or_else(|| BackendError::new(BackendFault::NoRandomness, StoreFailure::NotDone))?;
        let parameters = vec![
            Parameter::Bytes(Some(identity.to_vec())),
            Parameter::Text(Some(VERSION.to_owned())),
        ];
        let call = Call { is_read: false, name: "open", parameters };
        let answer = self.call(&GRANTS, &call, 0, None, false).await;
        // A value of another kind may stand under our name.
        let foreign = BackendError::new(BackendFault::NotAStore, StoreFailure::NotDone);
        let is_foreign = |error: &BackendError| error.fault() == BackendFault::Corrupted;
        let (version, _) =
            answer.map_err(|error| if is_foreign(&error) { foreign } else { error })?;
        if version == Value::BulkString(VERSION.as_bytes().to_vec()) {
            return Ok(());
        }
        Err(BackendError::new(BackendFault::Incompatible, StoreFailure::NotDone))
    }

    /// Calls a script in one round trip; with a proof, the settings of the server come back with
    /// the answer.
    ///
    /// # Errors
    ///
    /// What the server says, and [`BackendFault::Unreachable`] when it says nothing.
    pub(super) async fn call(
        &self,
        program: &Program,
        call: &Call,
        after: i64,
        key: Option<&str>,
        with_proof: bool,
    ) -> Result<(Value, Value), BackendError> {
        let mut pipeline = Pipeline::new();
        pipeline.add_command(self.command(program, call, after, key));
        if with_proof {
            pipeline.cmd("CONFIG").arg("GET").arg(PATTERN);
        }
        let mut answer = self.send(&pipeline).await;
        if answer.as_ref().is_err_and(is_unknown_script) {
            // It was restarted, or is asked for the first time: nothing was done.
            let load = cmd("SCRIPT").arg("LOAD").arg(program.text).to_owned();
            self.ask(&load).await?;
            answer = self.send(&pipeline).await;
        }
        let answers = answer.map_err(|error| fault::after_sending(error, call.is_read))?;
        let mut answers = answers.into_iter();
        Ok((answers.next().unwrap_or(Value::Nil), answers.next().unwrap_or(Value::Nil)))
    }

    /// Asks for something that changes nothing.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub(super) async fn ask(&self, command: &Cmd) -> Result<Value, BackendError> {
        let mut pipeline = Pipeline::new();
        pipeline.add_command(command.clone());
        let answers = self.send(&pipeline).await.map_err(|it| fault::after_sending(it, true))?;
        Ok(answers.into_iter().next().unwrap_or(Value::Nil))
    }

    async fn send(&self, pipeline: &Pipeline) -> Result<Vec<Value>, RedisError> {
        let mut manager = self.manager.clone();
        match timeout(self.answer_within, pipeline.query_async(&mut manager)).await {
            Ok(answers) => answers,
            Err(_late) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        }
    }

    fn command(&self, program: &Program, call: &Call, after: i64, key: Option<&str>) -> Cmd {
        let name = &self.name;
        let mut command = cmd("EVALSHA");
        let count = program.keys.len() + usize::from(key.is_some());
        command.arg(program.script.get_hash()).arg(count);
        for of in program.keys {
            command.arg(format!("{{{name}}}:{of}"));
        }
        if let Some(key) = key {
            command.arg(format!("{{{name}}}:grant:{key}"));
        }
        command.arg(call.name).arg(after);
        for parameter in &call.parameters {
            match parameter {
                Parameter::Bytes(bytes) => command.arg(bytes.as_deref().unwrap_or_default()),
                Parameter::Flag(flag) => command.arg(i32::from(*flag)),
                Parameter::Number(None) => command.arg(""),
                Parameter::Number(Some(number)) => command.arg(*number),
                Parameter::Text(None) => command.arg(""),
                Parameter::Text(Some(text)) => command.arg(text),
            };
        }
        command
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Connects once, as the connection that is kept tries again and does not say why.
///
/// # Errors
///
/// What does not change by itself: a server that refuses us, or that is not trusted.
async fn try_once(client: &Client, within: Duration) -> Result<(), BackendError> {
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(within));
    let once = client.get_multiplexed_async_connection_with_config(&config).await;
    let error = once.map(drop).map_err(|it| fault::after_sending(it, true));
    match error {
        Err(error) if error.remedy() == Remedy::FixConfiguration => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Tells whether somebody on the way could read what is said, or change it.
fn is_plaintext_elsewhere(address: &ConnectionAddr) -> bool {
    let ConnectionAddr::Tcp(host, _) = address else { return false };
    let host = host.trim_matches(['[', ']']);
    host != "localhost" && !host.parse().is_ok_and(|it: IpAddr| it.is_loopback())
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

const fn misconfigured() -> BackendError {
    BackendError::new(BackendFault::Misconfigured, StoreFailure::NotDone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_inside_its_hash_tag() {
        let mut settings = Settings::parse(&Secret::new("redis://localhost/".to_owned())).unwrap();
        let long = "a".repeat(64);
        let cases = [
            ("plain", "sr-auth", true),
            ("with digits", "Grants_2", true),
            ("too long", long.as_str(), false),
            ("empty", "", false),
            ("a brace", "a}b", false),
            ("a colon", "a:b", false),
        ];
        for (name, store, expected) in cases {
            assert_eq!(settings.set_name(store).is_ok(), expected, "{name}");
        }
    }

    #[test]
    fn what_leaves_this_machine_goes_through_tls() {
        let cases = [
            ("loopback", "redis://127.0.0.1/", true),
            ("loopback, version 6", "redis://[::1]:6379/", true),
            ("by name", "redis://localhost/", true),
            ("a socket", "unix:/run/redis.sock", true),
            ("elsewhere", "redis://db.example.com/", false),
            ("elsewhere, with TLS", "rediss://db.example.com/", true),
        ];
        for (name, address, expected) in cases {
            let mut settings = Settings::parse(&Secret::new(address.to_owned())).unwrap();
            assert_eq!(settings.client().is_ok(), expected, "{name}");
            settings.accepts_plaintext = true;
            assert!(settings.client().is_ok(), "{name}, accepted");
        }
    }

    #[test]
    fn roots_that_are_none_are_refused() {
        for pem in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let address = Secret::new("rediss://db.example.com/".to_owned());
            let mut settings = Settings::parse(&address).unwrap();
            settings.root_certificates = Some(pem.as_bytes().to_vec());
            let fault = settings.client().map(drop).map_err(|error| error.fault());
            assert_eq!(fault, Err(BackendFault::Misconfigured), "{pem}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_read_is_not_repeated() {
        let address = Secret::new("redis://a:canary@host:port/".to_owned());
        let error = Settings::parse(&address).map(drop).unwrap_err();
        assert_eq!(error.fault(), BackendFault::Misconfigured);
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
