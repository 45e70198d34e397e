//! A loopback TLS server with certificates made for the test.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use sr_auth_core::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A certificate authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
pub(crate) struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Signs a certificate for a server of this name.
    pub(crate) fn server(&self, name: &str) -> Identity {
        self.sign(params(name, ExtendedKeyUsagePurpose::ServerAuth))
    }

    /// Signs a certificate for a server on loopback that ended years ago.
    pub(crate) fn expired_server(&self) -> Identity {
        let mut params = params("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth);
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        self.sign(params)
    }

    /// Signs a certificate for a client.
    pub(crate) fn client(&self) -> Identity {
        self.sign(params("client.example", ExtendedKeyUsagePurpose::ClientAuth))
    }

    fn sign(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        Identity { certificate: params.signed_by(&key, &self.0).unwrap(), key }
    }

    fn store(&self) -> RootCertStore {
        let mut store = RootCertStore::empty();
        store.add(self.0.der().clone()).unwrap();
        store
    }
}

impl Identity {
    /// Makes a certificate for a server on loopback that nobody but itself has signed.
    pub(crate) fn self_signed() -> Self {
        let key = KeyPair::generate().unwrap();
        let params = params("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth);
        Self { certificate: params.self_signed(&key).unwrap(), key }
    }

    pub(crate) fn pem(&self) -> Secret {
        Secret::new(format!("{}{}", self.key.serialize_pem(), self.certificate.pem()))
    }

    fn chain(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        (vec![self.certificate.der().clone()], key)
    }
}

fn params(name: &str, purpose: ExtendedKeyUsagePurpose) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.extended_key_usages = vec![purpose];
    params
}

/// A TLS server that answers every request the same and remembers what it read.
pub(crate) struct TlsServer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<u8>>>,
    _tasks: JoinSet<()>,
}

impl TlsServer {
    /// Starts a server; with `clients`, it wants a certificate of that authority.
    pub(crate) async fn start(
        identity: &Identity,
        clients: Option<&Authority>,
        answer: &str,
    ) -> Self {
        let (chain, key) = identity.chain();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = match clients {
            Some(authority) => {
                let roots = Arc::new(authority.store());
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                config.with_client_cert_verifier(verifier.build().unwrap())
            }
            None => config.with_no_client_auth(),
        };
        let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, acceptor, Arc::clone(&requests), answer.to_owned()));
        Self { address, requests, _tasks: tasks }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn origin(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Returns everything that clients wrote inside of their connections.
    pub(crate) fn requests(&self) -> String {
        String::from_utf8(self.requests.lock().unwrap().clone()).unwrap()
    }
}

async fn serve(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    requests: Arc<Mutex<Vec<u8>>>,
    answer: String,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let mut stream = match acceptor.accept(stream).into_fallible().await {
            Ok(stream) => stream,
            Err((_, mut refused)) => {
                // Closing with bytes unread would reset the connection, and could overtake the
                // alert that tells the client why.
                let _gone = refused.shutdown().await;
                let _gone = tokio::io::copy(&mut refused, &mut tokio::io::sink()).await;
                continue;
            }
        };
        let mut buffer = vec![0; 16 * 1024];
        // A request of these tests arrives in one record.
        let Ok(count) = stream.read(&mut buffer).await else { continue };
        requests.lock().unwrap().extend(buffer.iter().take(count));
        let _gone = stream.write_all(answer.as_bytes()).await;
        let _gone = stream.shutdown().await;
    }
}
