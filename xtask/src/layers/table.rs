//! The table: who may use whom, which features exist, and where a foreign crate is at home.

/// A member and everything that it may have.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    /// Members that it uses, each with the feature that brings it, if one does.
    pub(super) uses: &'static [Use],
    /// Members that only its tests use, each with the features that they need.
    pub(super) tests_use: &'static [(&'static str, &'static [&'static str])],
    pub(super) features: &'static [&'static str],
    /// Features that are on unless switched off.
    pub(super) default_features: &'static [&'static str],
}

/// An edge of the table.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) to: &'static str,
    /// The edge is there only with some feature.
    pub(super) is_optional: bool,
    /// Features of the used member that the edge must ask for.
    pub(super) features: &'static [&'static str],
}

const fn always(to: &'static str) -> Use {
    Use { to, is_optional: false, features: &[] }
}

const fn with(to: &'static str, features: &'static [&'static str]) -> Use {
    Use { to, is_optional: false, features }
}

const fn optional(to: &'static str) -> Use {
    Use { to, is_optional: true, features: &[] }
}

pub(super) const TABLE: [Row; 8] = [
    Row { name: "sr-auth-core", uses: &[], tests_use: &[], features: &[], default_features: &[] },
    Row {
        name: "sr-partner",
        uses: &[always("sr-auth-core")],
        tests_use: &[],
        features: &[],
        default_features: &[],
    },
    Row {
        name: "sr-auth-store",
        uses: &[always("sr-auth-core"), optional("sr-partner")],
        tests_use: &[],
        features: &["partner", "postgres", "redis", "sqlite"],
        default_features: &[],
    },
    Row {
        name: "sr-auth-http",
        uses: &[always("sr-auth-core"), always("sr-auth-store")],
        tests_use: &[
            ("sr-testkit", &["server"]),
            ("sr-auth-store", &["postgres", "redis", "sqlite"]),
        ],
        features: &["conformance", "metrics", "reqwest", "reqwest-middleware", "tower"],
        default_features: &["reqwest"],
    },
    Row {
        name: "sr-partner-axum",
        uses: &[
            always("sr-auth-core"),
            always("sr-partner"),
            with("sr-auth-store", &["partner"]),
            always("sr-auth-http"),
        ],
        tests_use: &[
            ("sr-auth-http", &["reqwest"]),
            ("sr-testkit", &["server"]),
            ("sr-auth-store", &["sqlite"]),
        ],
        features: &[],
        default_features: &[],
    },
    Row {
        name: "sr-testkit",
        uses: &[always("sr-auth-core"), always("sr-partner"), optional("sr-auth-store")],
        tests_use: &[("sr-auth-store", &["postgres", "redis", "sqlite"])],
        features: &["conformance", "server"],
        default_features: &[],
    },
    Row {
        name: "sr-auth-cli",
        uses: &[
            always("sr-auth-core"),
            always("sr-auth-http"),
            with("sr-auth-store", &["partner", "postgres", "redis", "sqlite"]),
            always("sr-partner"),
            always("sr-partner-axum"),
            always("sr-testkit"),
        ],
        tests_use: &[],
        features: &[],
        default_features: &[],
    },
    Row { name: "xtask", uses: &[], tests_use: &[], features: &[], default_features: &[] },
];

/// Crates that perform no I/O, keep no clock and draw no random number.
pub(crate) const PURE: [&str; 2] = ["sr-auth-core", "sr-partner"];

/// What a pure crate neither names in its manifest nor reaches through another crate.
pub(super) const IMPURE: [&str; 28] = [
    "arc-swap",
    "async-std",
    "axum",
    "dashmap",
    "deadpool-postgres",
    "futures-executor",
    "hyper",
    "hyper-util",
    "mio",
    "native-tls",
    "openssl",
    "parking_lot",
    "postgres",
    "redis",
    "reqwest",
    "rusqlite",
    "rustix",
    "rustls",
    "smol",
    "socket2",
    "tempfile",
    "tokio",
    "tokio-postgres",
    "tower",
    "tower-http",
    "tracing",
    "ureq",
    "webbrowser",
];

/// What a pure crate reaches through `oauth2` alone, and names nowhere.
///
/// That crate builds requests from values that we hand to it; its own random constructors are
/// disallowed in `clippy.toml`.
pub(super) const ONLY_BELOW_OAUTH2: [&str; 4] = ["chrono", "getrandom", "rand", "rand_core"];

/// Foreign crates that only some members may name outside their tests.
///
/// A crate below 1.0 breaks its users with each minor version, so its types are public only in a
/// member, or behind a feature, that carries its name.
pub(super) const HOMES: [(&str, &[&str]); 20] = [
    ("anyhow", &["sr-auth-cli", "xtask"]),
    ("axum", &["sr-auth-cli", "sr-partner-axum", "sr-testkit"]),
    ("cargo_metadata", &["xtask"]),
    ("clap", &["sr-auth-cli", "xtask"]),
    ("deadpool-postgres", &["sr-auth-store"]),
    // Below reqwest: the transport tells its errors apart.
    ("hyper", &["sr-auth-http", "sr-partner-axum", "sr-testkit"]),
    ("hyper-util", &["sr-partner-axum", "sr-testkit"]),
    ("insta", &[]),
    ("metrics", &["sr-auth-http"]),
    ("oauth2", &["sr-auth-core"]),
    ("proptest", &["sr-testkit"]),
    ("redis", &["sr-auth-store"]),
    ("reqwest", &["sr-auth-http"]),
    ("reqwest-middleware", &["sr-auth-http"]),
    ("rusqlite", &["sr-auth-store"]),
    ("tokio-postgres", &["sr-auth-store"]),
    ("tower-layer", &["sr-auth-http", "sr-partner-axum"]),
    ("tower-service", &["sr-auth-http", "sr-partner-axum"]),
    ("webbrowser", &["sr-auth-cli"]),
    ("xshell", &["xtask"]),
];
