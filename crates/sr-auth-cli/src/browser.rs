//! Opens the browser of the user: never a web view of our own (RFC 8252 §8.12).

use url::{Host, Url};

/// Opens a URL that we built; tells whether a browser took it.
///
/// The URL is handed over as one argument, with no shell between.
pub(crate) async fn open(url: &str) -> bool {
    if !may_be_opened(url) {
        return false;
    }
    let url = url.to_owned();
    // A browser in the terminal keeps the call until it ends.
    let opened = tokio::task::spawn_blocking(move || webbrowser::open(&url).is_ok());
    opened.await.unwrap_or(false)
}

/// Lets https pass, and plain http on this machine, as long as every character is harmless.
fn may_be_opened(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    let plain = |byte: u8| byte.is_ascii_graphic() && !br#""'`<>\^{|}"#.contains(&byte);
    scheme && url.username().is_empty() && url.password().is_none() && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c32_only_a_url_of_ours_reaches_the_browser() {
        let cases = [
            ("production", "https://www.smartrecruiters.com/identity/oauth/allow?a=b%20c", true),
            ("a sandbox", "http://127.0.0.1:8700/identity/oauth/allow?a=b", true),
            ("plain http elsewhere", "http://www.smartrecruiters.com/", false),
            ("a file", "file:///etc/passwd", false),
            ("a script", "javascript:alert(1)", false),
            ("another program", "ms-settings:x", false),
            ("an option", "--renderer-cmd-prefix=xterm", false),
            ("a second argument", "https://a.example/ --incognito", false),
            ("a line break", "https://a.example/\n", false),
            ("a command", "https://a.example/`id`", false),
            ("quotes", "https://a.example/\"&calc.exe", false),
            ("a pipe", "https://a.example/|calc.exe", false),
            ("a password", "https://user:password@a.example/", false),
        ];
        for (name, url, expected) in cases {
            assert_eq!(may_be_opened(url), expected, "{name}");
        }
    }
}
