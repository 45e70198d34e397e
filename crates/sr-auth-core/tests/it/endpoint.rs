//! Addresses: which are accepted, and that no path leads away from the API origin.

use proptest::prelude::*;
use sr_auth_core::{
    AllowedHosts, ApiOrigin, AuthorizationEndpoint, Endpoints, Fault, RedirectUri, TokenEndpoint,
};

#[test]
fn c02_endpoints_are_https_or_loopback() {
    let cases = [
        ("https", "https://api.smartrecruiters.com/identity/oauth/token", None),
        ("the older host", "https://www.smartrecruiters.com/identity/oauth/token", None),
        ("plain http", "http://api.smartrecruiters.com/token", Some(Fault::NotHttps)),
        ("loopback by IPv4", "http://127.0.0.1:8080/token", None),
        ("another loopback address", "http://127.9.9.9/token", None),
        ("loopback by IPv6", "http://[::1]:8080/token", None),
        ("loopback by name", "http://localhost:8080/token", None),
        ("a name that only begins so", "http://localhost.example/token", Some(Fault::NotHttps)),
        ("a private address", "http://192.168.0.1/token", Some(Fault::NotHttps)),
        ("another scheme", "ftp://127.0.0.1/token", Some(Fault::NotHttps)),
        ("no scheme", "api.smartrecruiters.com", Some(Fault::NotAUrl)),
        ("nothing", "", Some(Fault::Empty)),
        ("a line break", "https://api.smartrecruiters.com/\n", Some(Fault::ControlCharacter)),
        ("data", "data:text/plain,x", Some(Fault::NotHttps)),
    ];
    for (name, url, expected) in cases {
        let token = TokenEndpoint::parse(url, AllowedHosts::Named).err().map(|it| it.fault());
        let authorization = AuthorizationEndpoint::parse(url, AllowedHosts::Named);
        assert_eq!(token, expected, "{name}");
        assert_eq!(authorization.err().map(|it| it.fault()), expected, "{name}");
    }
}

#[test]
fn c28_unusual_hosts_need_to_be_allowed_and_user_names_never_are() {
    let cases = [
        ("user name", "https://me@api.example/", Fault::UserInfo, true),
        ("password", "https://:pw@api.example/", Fault::UserInfo, true),
        ("fragment", "https://api.example/#x", Fault::Fragment, true),
        ("IPv4", "https://10.0.0.1/", Fault::UnusualHost, false),
        ("IPv4 in another base", "https://0x7f000001.example:8443/", Fault::UnusualHost, false),
        ("IPv6", "https://[2001:db8::1]/", Fault::UnusualHost, false),
        ("port", "https://api.example:8443/", Fault::UnusualHost, false),
    ];
    for (name, url, fault, always) in cases {
        let parse = |hosts| TokenEndpoint::parse(url, hosts).err().map(|it| it.fault());
        assert_eq!(parse(AllowedHosts::Named), Some(fault), "{name}");
        assert_eq!(parse(AllowedHosts::Any), always.then_some(fault), "{name}, any host allowed");
    }
}

#[test]
fn c17_each_environment_has_its_own_addresses() {
    let told = |it: &Endpoints| {
        let authorization = it.authorization().map(|it| it.as_str().to_owned());
        [authorization, Some(it.token().as_str().to_owned()), Some(it.api().as_str().to_owned())]
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        told(&Endpoints::production()),
        [
            some("https://www.smartrecruiters.com/identity/oauth/allow"),
            some("https://api.smartrecruiters.com/identity/oauth/token"),
            some("https://api.smartrecruiters.com"),
        ]
    );
    assert_eq!(
        told(&Endpoints::sandbox()),
        [
            None,
            some("https://api.sandbox.smartrecruiters.com/identity/oauth/token"),
            some("https://api.sandbox.smartrecruiters.com"),
        ]
    );
    assert_eq!(
        told(&Endpoints::at_origin("http://127.0.0.1:4010").expect("loopback")),
        [
            some("http://127.0.0.1:4010/identity/oauth/allow"),
            some("http://127.0.0.1:4010/identity/oauth/token"),
            some("http://127.0.0.1:4010"),
        ]
    );
}

#[test]
fn c07_an_authorization_endpoint_sets_no_parameter_of_the_request() {
    let parse = |query: &str| {
        let url = format!("https://login.example/allow?{query}");
        AuthorizationEndpoint::parse(&url, AllowedHosts::Named).err().map(|it| it.fault())
    };
    assert_eq!(parse("tenant=eu"), None);
    for query in ["state=x", "client_id=x", "a=b&%73cope=x", "redirect_uri=x", "response_type=x"] {
        assert_eq!(parse(query), Some(Fault::Reserved), "{query}");
    }
}

#[test]
fn each_address_can_be_set_alone() {
    let hosts = AllowedHosts::Named;
    let api = ApiOrigin::parse("https://api.example", hosts).expect("valid");
    let token = TokenEndpoint::parse("https://login.example/token", hosts).expect("valid");
    let consent = AuthorizationEndpoint::parse("https://login.example/allow", hosts);
    let endpoints = Endpoints::sandbox().with_api(api).with_token(token);
    assert_eq!(endpoints.authorization(), None);
    let endpoints = endpoints.with_authorization(consent.expect("valid"));
    assert_eq!(endpoints.api().as_str(), "https://api.example");
    assert_eq!(endpoints.token().as_str(), "https://login.example/token");
    let consent = endpoints.authorization().map(AuthorizationEndpoint::as_str);
    assert_eq!(consent, Some("https://login.example/allow"));
}

#[test]
fn an_api_origin_has_neither_path_nor_query() {
    for url in ["https://api.example/v1", "https://api.example/?a=b"] {
        let error = ApiOrigin::parse(url, AllowedHosts::Named).expect_err(url);
        assert_eq!(error.fault(), Fault::HasPath);
    }
}

#[test]
fn c27_an_address_that_only_begins_like_the_origin_is_another() {
    let hosts = AllowedHosts::Named;
    let api = ApiOrigin::parse("https://api.example", hosts).expect("valid");
    let cases = [
        ("https://api.example", true),
        ("https://api.example/jobs?limit=1", true),
        ("https://api.example?limit=1", true),
        ("https://api.example#top", true),
        ("https://api.example:8443/jobs", false),
        ("https://api.example.evil.test/jobs", false),
        ("https://api.example@evil.test/jobs", false),
        ("https://user@api.example/jobs", false),
        ("http://api.example/jobs", false),
        ("/jobs", false),
    ];
    for (url, expected) in cases {
        assert_eq!(api.begins(url), expected, "{url}");
        if let Ok(uri) = url.parse::<http::Uri>()
            && uri.authority().is_some()
        {
            assert_eq!(api.contains(&uri), expected, "{url}");
        }
    }
}

#[test]
fn c22_paths_stay_under_the_api_origin() {
    let api = ApiOrigin::parse("https://api.example", AllowedHosts::Named).expect("valid");
    let cases = [
        ("a path", "/jobs?limit=1", Ok("https://api.example/jobs?limit=1")),
        ("no slash", "jobs", Err(Fault::NotAUrl)),
        ("another host", "//evil.example/jobs", Err(Fault::OtherOrigin)),
        ("another host by backslash", "/\\evil.example/jobs", Err(Fault::OtherOrigin)),
        ("a tab between", "/\t/evil.example/jobs", Err(Fault::ControlCharacter)),
        ("a user name", "//user:pw@api.example/jobs", Err(Fault::OtherOrigin)),
        ("a fragment", "/jobs#x", Err(Fault::Fragment)),
        ("a URL", "https://evil.example/", Err(Fault::NotAUrl)),
        ("dots", "/a/../../b", Ok("https://api.example/b")),
    ];
    for (name, path, expected) in cases {
        let url = api.url(path).map_err(|it| it.fault());
        assert_eq!(url, expected.map(str::to_owned), "{name}");
    }
    for (uri, expected) in [
        ("https://api.example/jobs", true),
        ("https://api.example:443/jobs", true),
        ("http://api.example/jobs", false),
        ("https://api.example.evil/jobs", false),
        ("https://user:pw@api.example/jobs", false),
        ("/jobs", false),
        ("https://API.example/jobs", true),
        ("https://api.example:/jobs", true),
        ("https://api.example:444/jobs", false),
        ("https://api.example.:443/jobs", false),
        ("https://@api.example/jobs", false),
        ("ftp://api.example/jobs", false),
    ] {
        assert_eq!(api.contains(&uri.parse().expect("a URI")), expected, "{uri}");
    }
    let sandbox = ApiOrigin::parse("http://[::1]:8700", AllowedHosts::Any).expect("valid");
    for (uri, expected) in [
        ("http://[::1]:8700/jobs", true),
        ("http://[::1]/jobs", false),
        ("http://[::1]:99999/jobs", false),
        ("http://127.0.0.1:8700/jobs", false),
    ] {
        let contains = uri.parse().is_ok_and(|uri| sandbox.contains(&uri));
        assert_eq!(contains, expected, "{uri}");
    }
}

#[test]
fn c11_redirect_uris_are_kept_byte_for_byte() {
    for uri in [
        "https://yourapp.example",
        "https://yourapp.example/",
        "https://YourApp.example/Callback?x=%7e",
        "http://localhost:8080/callback/",
        "http://127.0.0.1:0/",
    ] {
        assert_eq!(RedirectUri::parse(uri).expect(uri).as_str(), uri);
    }
    for (uri, fault) in [
        ("http://yourapp.example/", Fault::NotHttps),
        ("https://yourapp.example/#x", Fault::Fragment),
        ("yourapp://callback", Fault::NotHttps),
        (" https://yourapp.example/", Fault::NotAUrl),
        ("https:yourapp.example/", Fault::NotAUrl),
        ("https:\\\\yourapp.example\\cb", Fault::NotAUrl),
        ("", Fault::Empty),
    ] {
        assert_eq!(RedirectUri::parse(uri).expect_err(uri).fault(), fault);
    }
}

proptest! {
    /// Whatever is accepted is https, or lies on loopback.
    #[test]
    fn c02_no_grammar_of_urls_gets_around_https(
        scheme in "(https?|HTTPS?|ftp|ws|file|javascript|[a-z]{1,6})",
        host in "([a-z]{1,8}(\\.[a-z]{2,6})?|localhost|127\\.0\\.0\\.1|\\[::1\\]|[0-9]{1,10}|%6c[a-z]{1,5})",
        rest in "(:[0-9]{1,5})?(/[a-z@#?\\\\]{0,8})?",
    ) {
        let text = format!("{scheme}://{host}{rest}");
        if let Ok(endpoint) = TokenEndpoint::parse(&text, AllowedHosts::Any) {
            let accepted = endpoint.as_str();
            let loopback = ["http://127.", "http://[::1]", "http://localhost"];
            prop_assert!(
                accepted.starts_with("https://")
                    || loopback.iter().any(|it| accepted.starts_with(it)),
                "{text} became {accepted}"
            );
        }
    }

    /// No path, however odd, makes a URL of another origin.
    #[test]
    fn c22_no_path_leads_away_from_the_api_origin(path in "/[/\\\\a-z.:@?#%\\t ]{0,20}") {
        let api = ApiOrigin::parse("https://api.example", AllowedHosts::Named).expect("valid");
        if let Ok(url) = api.url(&path) {
            prop_assert!(url.starts_with("https://api.example/"), "{path:?} became {url}");
        }
    }
}
