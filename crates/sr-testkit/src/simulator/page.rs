//! The pages that a user sees: plain, readable without a script or a style, everything escaped.

use http::{Response, StatusCode};
use sr_auth_core::SecretBytes;
use url::{Host, Url};

use super::answer;
use super::authorize::Consent;
use crate::world::{User, World};

/// Where the style sheet is.
pub(super) const STYLE_PATH: &str = "/identity/oauth/style.css";

const STYLE: &str = include_str!("page/style.css");

/// The style sheet of all pages.
pub(super) fn style() -> Response<SecretBytes> {
    let kind = "text/css; charset=utf-8";
    let mut response = answer::with_body(StatusCode::OK, kind, STYLE.to_owned());
    answer::set(&mut response, http::header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// Makes a text harmless in content and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A whole page; `title` is text, `body` is HTML.
pub(crate) fn document(title: &str, body: &str) -> String {
    document_with(title, "", body)
}

/// A whole page with a header, which is HTML too.
pub(super) fn document_with(title: &str, header: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<link rel=\"stylesheet\" href=\"{STYLE_PATH}\">\n</head>\n\
         <body>\n{header}<main>\n{body}</main>\n</body>\n</html>\n",
        escape(title)
    )
}

/// The page that asks for consent.
pub(super) fn consent(world: &World, consent: &Consent, ticket: &str) -> String {
    let name = world.client(&consent.client).map_or("", |client| client.name.as_str());
    let name = escape(name);
    let scopes: String = consent.scopes.iter().map(scope_item).collect();
    let active = world.users().filter(|user| user.active).enumerate();
    let users: String = active.map(|(at, user)| user_choice(world, user, at == 0)).collect();
    let body = format!(
        "<h1>Authorize {name}</h1>\n\
         <p class=\"note\">This is a simulated SmartRecruiters on your own machine. No real account \
         is involved.</p>\n\
         <p><strong>{name}</strong> asks to use SmartRecruiters on your behalf. It would then see \
         and do only what you may see and do yourself.</p>\n\
         <h2>What it asks for</h2>\n<ul>\n{scopes}</ul>\n\
         <form method=\"post\" action=\"/identity/oauth/allow\">\n\
         <input type=\"hidden\" name=\"ticket\" value=\"{}\">\n\
         <fieldset>\n<legend>Signed in as</legend>\n{users}</fieldset>\n\
         <p><button class=\"first\" type=\"submit\" name=\"decision\" value=\"authorize\">Authorize\
         </button><button type=\"submit\" name=\"decision\" value=\"decline\">Decline</button></p>\n\
         </form>\n<p>Either way you are sent back to <code>{}</code>.</p>\n",
        escape(ticket),
        escape(&consent.redirect_uri),
    );
    document("Authorize an application – SmartRecruiters sandbox", &body)
}

pub(super) fn scope_item(scope: &sr_auth_core::Scope) -> String {
    let meaning =
        scope.known().map_or("A permission without a known description", |known| known.description);
    format!("<li>{} (<code>{}</code>)</li>\n", escape(meaning), escape(scope.as_str()))
}

fn user_choice(world: &World, user: &User, checked: bool) -> String {
    let company = world.company(&user.company).map_or("", |company| company.name.as_str());
    let id = escape(&user.id);
    let text = format!("{}, {} at {company}", user.name(), user.role.name());
    format!(
        "<div><input type=\"radio\" id=\"as-{id}\" name=\"user\" value=\"{id}\"{}> \
         <label for=\"as-{id}\">{}</label></div>\n",
        if checked { " checked" } else { "" },
        escape(&text)
    )
}

/// The page of an error that must not be sent on.
pub(super) fn error(reason: &str) -> String {
    let body = format!(
        "<h1>This request cannot be answered</h1>\n<p>{}.</p>\n\
         <p>You are not sent back to the application, because the request does not prove which \
         application it comes from. Go back and start again there.</p>\n",
        escape(&capitalized(reason))
    );
    document("Error – SmartRecruiters sandbox", &body)
}

pub(super) fn capitalized(text: &str) -> String {
    match text.chars().next() {
        Some('a'..='z') if !text.contains('_') => {
            let (first, rest) = text.split_at(1);
            format!("{}{rest}", first.to_uppercase())
        }
        _ => text.to_owned(),
    }
}

/// Where a form of the consent page may lead besides here, as a source of a content security
/// policy: Chromium holds the redirect after a post to that rule too.
pub(super) fn form_target(redirect_uri: &str) -> String {
    let Ok(url) = Url::parse(redirect_uri) else { return String::new() };
    match url.host() {
        // Such a policy cannot name an IPv6 address.
        Some(Host::Ipv6(_)) => format!(" {}:", url.scheme()),
        Some(_) => format!(" {}", url.origin().ascii_serialization()),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place_in_a_page() {
        assert_eq!(escape("<b a=\"1\" b='2'>&"), "&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;");
    }

    #[test]
    fn the_form_may_lead_to_the_application_and_nowhere_else() {
        let cases = [
            ("http://127.0.0.1:8123/callback", " http://127.0.0.1:8123"),
            ("https://yourapp.example/callback?x=1", " https://yourapp.example"),
            ("http://[::1]:8123/callback", " http:"),
        ];
        for (uri, expected) in cases {
            assert_eq!(form_target(uri), expected);
        }
    }
}
