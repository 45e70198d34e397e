//! The frame of a page, and what is escaped.

use super::style_path;

/// The style of all pages.
pub(crate) const STYLE: &str = "\
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 42rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; line-height: 1.25; }
h2 { font-size: 1.125rem; margin-top: 1.5rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; }
dt { font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
.note { border-inline-start: .25rem solid #1a6fd6; padding-inline-start: .75rem; }
form { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 2rem; }
button, .button { font: inherit; padding: .6rem 1.2rem; border: 1px solid currentColor;
  border-radius: .375rem; background: transparent; color: inherit; cursor: pointer;
  text-decoration: none; display: inline-block; }
button:first-of-type, .button { background: #0b5cc0; border-color: #0b5cc0; color: #fff; }
:focus-visible { outline: .1875rem solid #e69500; outline-offset: .125rem; }
";

/// Writes a whole page; `title` is text, `body` is HTML.
pub(super) fn document(title: &str, consent_path: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<link rel=\"stylesheet\" href=\"{}\">\n<link rel=\"icon\" href=\"data:,\">\n\
         </head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escape(title),
        escape(&style_path(consent_path)),
    )
}

/// Escapes a text for HTML, inside of attributes too.
pub(super) fn escape(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_closes_neither_a_tag_nor_an_attribute() {
        assert_eq!(escape("<b a=\"x\" c='&'>"), "&lt;b a=&quot;x&quot; c=&#39;&amp;&#39;&gt;");
        assert!(document("</title>", "/connect", "").contains("<title>&lt;/title&gt;</title>"));
    }
}
