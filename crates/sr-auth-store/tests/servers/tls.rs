//! TLS with real servers: only with who it should be, and never less.

use sr_auth_core::Secret;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_store::{Backend, BackendError, BackendFault, PostgresBackend, RedisBackend};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_postgres::NoTls;

use crate::fixture::{adopt, fresh_name, load, variable};

/// What has the server prove who it is, and whether it can.
const CASES: [(&str, &str, &str, bool); 3] = [
    ("its authority and its name", "AUTHORITY", "localhost", true),
    ("another authority", "STRANGER", "localhost", false),
    ("a name that is not in its certificate", "AUTHORITY", "127.0.0.1", false),
];

fn authority(name: &str) -> Vec<u8> {
    std::fs::read(variable(&format!("SR_AUTH_TEST_{name}"))).unwrap()
}

fn address_at(host: &str, mode: &str) -> String {
    let address = variable("SR_AUTH_TEST_POSTGRES");
    format!("{}?sslmode={mode}", address.replace("127.0.0.1", host))
}

async fn check(name: &str, opened: Result<impl Backend, BackendError>, expected: bool) {
    match opened {
        Ok(backend) => {
            assert!(expected, "{name}");
            backend.apply(adopt()).await.unwrap();
            assert_eq!(backend.apply(load()).await.unwrap().outcome.name(), "Loaded", "{name}");
        }
        Err(error) => {
            let seen = (error.fault(), error.failure());
            let untrusted = (BackendFault::Untrusted, StoreFailure::NotDone);
            assert_eq!((seen, expected), (untrusted, false), "{name}: {error:?}");
        }
    }
}

#[tokio::test]
async fn postgres_is_asked_for_its_certificate() {
    for (name, trusted, host, expected) in CASES {
        let builder = PostgresBackend::builder(&Secret::new(address_at(host, "require"))).unwrap();
        let builder = builder.root_certificates(&authority(trusted));
        check(name, builder.schema(&fresh_name()).unwrap().open().await, expected).await;
    }
}

#[tokio::test]
async fn redis_is_asked_for_its_certificate() {
    for (name, trusted, host, expected) in CASES {
        let address = variable("SR_AUTH_TEST_REDIS_TLS").replace("localhost", host);
        let builder = RedisBackend::builder(&Secret::new(address)).unwrap();
        let builder = builder.root_certificates(&authority(trusted)).name(&fresh_name()).unwrap();
        check(name, builder.open().await, expected).await;
    }
}

#[tokio::test]
async fn postgres_confirms_that_it_is_spoken_to_through_tls() {
    let (through, plain) = (fresh_name(), fresh_name());
    let mut opened = Vec::new();
    for (name, mode) in [(&through, "require"), (&plain, "disable")] {
        let address = format!("{}&application_name={name}", address_at("localhost", mode));
        let builder = PostgresBackend::builder(&Secret::new(address)).unwrap();
        let builder = builder.root_certificates(&authority("AUTHORITY")).schema(name).unwrap();
        opened.push(builder.open().await.unwrap());
    }
    let (client, connection) =
        tokio_postgres::connect(&variable("SR_AUTH_TEST_POSTGRES"), NoTls).await.unwrap();
    tokio::spawn(connection);
    for (name, expected) in [(&through, true), (&plain, false)] {
        let select = "select ssl from pg_stat_ssl join pg_stat_activity using (pid) \
                      where application_name = $1";
        let rows = client.query(select, &[name]).await.unwrap();
        assert!(!rows.is_empty() && rows.iter().all(|it| it.get::<_, bool>(0) == expected));
    }
}

/// Whoever stands in the way may say that the server knows no TLS.
#[tokio::test]
async fn nothing_is_told_to_a_server_that_says_it_knows_no_tls() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 8];
        stream.read_exact(&mut request).await.unwrap();
        stream.write_all(b"N").await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        (request, rest)
    });
    let address = format!("postgres://planner:canary@127.0.0.1:{port}/a?sslmode=require");
    let error = PostgresBackend::open(&Secret::new(address)).await.unwrap_err();
    assert_eq!(error.fault(), BackendFault::Unreachable, "{error:?}");
    // Its length, and the number that asks for TLS.
    let asked = [0, 0, 0, 8, 4, 210, 22, 47];
    assert_eq!(heard.await.unwrap(), (asked, Vec::new()));
}
