//! The foreign programs, and what each must show.

/// A foreign client or server.
#[derive(Debug)]
pub(super) struct Peer {
    /// What is shown with the secret in the body, and again with Basic.
    both: &'static [&'static str],
    pub(super) name: &'static str,
    /// What is shown once.
    once: &'static [&'static str],
    pub(super) role: Role,
    pub(super) runs_on: Interpreter,
    pub(super) script: &'static str,
}

/// Which side of the protocol is foreign.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    /// It gets tokens from the sandbox.
    Client,
    /// It gives tokens to our client.
    Server,
}

/// What runs a script.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Interpreter {
    Node,
    Python,
}

impl Peer {
    /// Returns the lines that it must say.
    pub(super) fn expected(&self) -> Vec<String> {
        let said = |way: &'static str| {
            self.both.iter().filter_map(move |line| {
                line.split_once(' ').map(|(word, case)| format!("{word} {way}: {case}"))
            })
        };
        said("body").chain(said("basic")).chain(self.once.iter().map(ToString::to_string)).collect()
    }
}

/// Those that are run, in order.
pub(super) const PEERS: [Peer; 3] = [
    Peer {
        both: &[
            "ok client credentials, and a resource",
            "ok wrong secret is invalid_client",
            "ok token of a partner's endpoint opens the partner's API",
            "ok wrong secret at a partner's endpoint is invalid_client",
            "ok authorization code, and a resource",
            "ok spent code is invalid_grant",
            "ok refresh brings a new pair, and the access token works",
            "ok spent refresh token is invalid_grant",
            "ok second refresh",
            "saw bodyFormat json is refused",
            "saw token_type is missing after a refresh",
            "saw a refresh token that is not replaced is dropped",
            "saw a declined callback has 500 as its code, and nothing stops its exchange",
        ],
        name: "simple-oauth2",
        once: &[],
        role: Role::Client,
        runs_on: Interpreter::Node,
        script: "simple-oauth2.mjs",
    },
    Peer {
        both: &[
            "ok client credentials, and a resource",
            "ok wrong secret is invalid_client",
            "ok token of a partner's endpoint opens the partner's API",
            "ok wrong secret at a partner's endpoint is invalid_client",
            "ok foreign state is refused",
            "ok authorization code, and a resource",
            "ok refresh brings a new pair, and the access token works",
            "ok spent refresh token is invalid_grant",
            "ok declined consent is told, although 500 stands in its code",
            "saw a refresh sends no client authentication unless it is given again",
            "saw token_type is missing after a refresh",
            "saw OAUTHLIB_STRICT_TOKEN_TYPE loses the grant at the first refresh",
            "saw a refresh token that is not replaced is kept",
        ],
        name: "requests-oauthlib",
        once: &[],
        role: Role::Client,
        runs_on: Interpreter::Python,
        script: "requests_oauthlib_peer.py",
    },
    Peer {
        both: &[
            "ok client credentials",
            "ok wrong secret is invalid_client",
            "ok foreign state is refused",
            "ok declined consent is told",
            "ok another issuer is refused",
            "ok authorization code",
            "ok resource",
            "ok refresh, after a refusal that spent nothing",
            "ok second refresh",
            "ok spent refresh token is invalid_grant",
            "ok reuse ended the family",
            "ok an hour of rotations, every token taken",
        ],
        name: "oidc-provider",
        once: &["ok basic: PKCE is required"],
        role: Role::Server,
        runs_on: Interpreter::Node,
        script: "oidc-provider.mjs",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_heard_and_is_written_in_the_script() {
        for peer in &PEERS {
            let own = crate::workspace::own_folder();
            let script = std::fs::read_to_string(own.join("interop").join(peer.script)).unwrap();
            let example = own.join("../crates/sr-auth-http/examples/foreign_server");
            let read = |name| std::fs::read_to_string(example.join(name)).unwrap();
            let text = script + &read("main.rs") + &read("hour.rs");
            let expected = peer.expected();
            let heard = super::super::verdict::judge(peer.name, &expected, &expected);
            assert_eq!(heard.len(), peer.both.len() * 2 + peer.once.len(), "{}", peer.name);
            for row in heard {
                assert!(row.verdict.is_good(), "{row}");
                assert!(text.contains(&row.case), "{row}: no program says this");
            }
        }
    }
}
