//! What a grant is called: environment, client and a name that the user chose.

use std::fmt;

use sr_auth_core::store::GrantKey;
use sr_auth_core::{ConfigError, Endpoints};
use url::form_urlencoded::byte_serialize;

use crate::exit::Failure;

/// Names a grant so that whatever must not share a token has another name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct GrantName {
    pub(crate) client: String,
    pub(crate) environment: String,
    pub(crate) name: String,
}

impl GrantName {
    /// What a grant is called that was given no name.
    const DEFAULT: &str = "default";

    /// The longest name of a file, less what SQLite puts behind it.
    const FILE_LIMIT: usize = 240;

    pub(super) fn new(
        endpoints: &Endpoints,
        client: &str,
        name: Option<&str>,
    ) -> Result<Self, Failure> {
        let name = name.unwrap_or(Self::DEFAULT);
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(Failure::usage(
                "the name of the grant is empty or holds control characters",
                "choose a plain word for --name",
            ));
        }
        let (client, environment) = (client.to_owned(), environment(endpoints));
        Ok(Self { client, environment, name: name.to_owned() })
    }

    /// Returns the name of the file for this client in this environment.
    pub(super) fn file(&self) -> Result<String, Failure> {
        let file = format!("{}@{}.db", encoded(&self.client), encoded(&self.environment));
        if file.len() > Self::FILE_LIMIT {
            return Err(Failure::usage(
                "client id and addresses are too long to name a file with",
                "use --no-store, and keep the refresh token with --refresh-token-file",
            ));
        }
        Ok(file)
    }

    /// Returns the name of the grant in that file.
    pub(super) fn key(&self) -> Result<GrantKey, ConfigError> {
        let parts = [&self.environment, &self.client, &self.name].map(|it| encoded(it));
        GrantKey::new(&parts.join("/"))
    }
}

impl fmt::Display for GrantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, environment, name } = self;
        write!(f, "client {client} at {environment}, name {name}")
    }
}

/// Leaves letters, digits and `*-._` as they are, so that parts can be joined by other characters.
fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// Names an environment: by the addresses that a token is of, unless the vendor has a name for them.
fn environment(endpoints: &Endpoints) -> String {
    let is = |it: &Endpoints| it.token() == endpoints.token() && it.api() == endpoints.api();
    if is(&Endpoints::production()) {
        return "production".to_owned();
    }
    if is(&Endpoints::sandbox()) {
        return "sandbox".to_owned();
    }
    let (token, api) = (endpoints.token().as_str(), endpoints.api().as_str());
    match token.strip_suffix(Endpoints::TOKEN_PATH) {
        Some(origin) if origin == api.trim_end_matches('/') => origin.to_owned(),
        Some(_) | None => format!("{token} {api}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sr_auth_core::{AllowedHosts, ApiOrigin};

    use super::*;

    #[test]
    fn what_must_not_share_a_token_has_another_name_and_other_clients_another_file() {
        let production = Endpoints::production();
        let host = AllowedHosts::Named;
        let elsewhere = ApiOrigin::parse("https://api.example.com", host).expect("it is one");
        let elsewhere = production.clone().with_api(elsewhere);
        let local = Endpoints::at_origin("http://127.0.0.1:8080").expect("it is one");
        let cases = [
            (&production, "id", None, "id@production.db", "production/id/default"),
            (&production, "id", Some("work"), "id@production.db", "production/id/work"),
            (&production, "id/x", None, "id%2Fx@production.db", "production/id%2Fx/default"),
            (&production, "id", Some("x/y"), "id@production.db", "production/id/x%2Fy"),
            (
                &local,
                "id",
                None,
                "id@http%3A%2F%2F127.0.0.1%3A8080.db",
                "http%3A%2F%2F127.0.0.1%3A8080/id/default",
            ),
        ];
        for (endpoints, client, name, file, key) in cases {
            let name = GrantName::new(endpoints, client, name).expect("it is a name");
            assert_eq!(name.file().expect("it is short"), file);
            assert_eq!(name.key().expect("it is short").as_str(), key);
        }
        let places = [&production, &elsewhere, &Endpoints::sandbox(), &local].map(environment);
        assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), 4, "{places:?}");
        assert!(GrantName::new(&production, "id", Some("")).is_err());
        assert!(GrantName::new(&production, "id", Some("a\nb")).is_err());
        let long = GrantName::new(&production, &"x".repeat(300), None).expect("it is a name");
        assert!(long.file().is_err());
    }
}
