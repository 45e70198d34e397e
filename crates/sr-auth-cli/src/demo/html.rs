//! Reads a page as far as the played browser needs it: headings, forms, names of scopes.

use std::collections::BTreeSet;

/// What a page shows and asks.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Page {
    /// Where its form leads, if it has one.
    pub(crate) action: Option<String>,
    /// What stands in `code` elements.
    pub(crate) codes: BTreeSet<String>,
    /// What the page shows in a frame.
    pub(crate) frame: Option<String>,
    /// The first heading.
    pub(crate) heading: String,
    /// The fields of the form that hold a value from the start.
    pub(crate) hidden: Vec<(String, String)>,
    /// Where its links lead.
    pub(crate) links: Vec<String>,
    /// All text of the page.
    pub(crate) text: String,
    /// The choices of the form: name and value of each button and radio button.
    pub(crate) choices: Vec<(String, String)>,
}

impl Page {
    /// Reads a page.
    pub(crate) fn read(html: &str) -> Self {
        let mut page = Self::default();
        let mut rest = html;
        while let Some((_, after)) = rest.split_once('<') {
            let Some((tag, text)) = after.split_once('>') else { break };
            let own = text.split('<').next().unwrap_or_default();
            page.take(tag, own);
            page.text.push_str(&plain_inside(own));
            rest = text;
        }
        page
    }

    /// Tells whether the form offers a choice.
    pub(crate) fn offers(&self, name: &str, value: &str) -> bool {
        self.choices.iter().any(|(n, v)| n == name && v == value)
    }

    fn take(&mut self, tag: &str, text: &str) {
        let attributes = Attributes(tag);
        let named = || Some((attributes.value("name")?, attributes.value("value")?));
        match tag.split([' ', '\n']).next().unwrap_or_default() {
            "form" => self.action = attributes.value("action"),
            "code" => drop(self.codes.insert(plain(text))),
            "h1" if self.heading.is_empty() => self.heading = plain(text),
            "a" => self.links.extend(attributes.value("href")),
            "iframe" => self.frame = attributes.value("src"),
            "button" => self.choices.extend(named()),
            "input" => match attributes.value("type").as_deref() {
                Some("hidden") => self.hidden.extend(named()),
                Some("radio") => self.choices.extend(named()),
                _ => {}
            },
            _ => {}
        }
    }
}

/// The attributes of a tag, all in double quotes.
struct Attributes<'a>(&'a str);

impl Attributes<'_> {
    fn value(&self, name: &str) -> Option<String> {
        let (_, after) = self.0.split_once(&format!(" {name}=\""))?;
        after.split_once('"').map(|(value, _)| plain(value))
    }
}

/// Undoes the escaping of text between tags, spaces and all.
fn plain_inside(text: &str) -> String {
    if text.trim().is_empty() { " ".to_owned() } else { plain(text) + " " }
}

/// Undoes the escaping of text.
fn plain(text: &str) -> String {
    let text = text.trim().replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&#39;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_with_its_fields_and_choices() {
        let page = Page::read(
            "<h1>A &amp; B</h1><code>jobs_read</code><form method=\"post\" action=\"/allow\">\
             <input type=\"hidden\" name=\"ticket\" value=\"t1\">\
             <input type=\"radio\" id=\"a\" name=\"user\" value=\"u1\" checked>\
             <button type=\"submit\" name=\"decision\" value=\"decline\">No</button></form>",
        );
        assert_eq!(page.heading, "A & B");
        assert_eq!(page.action.as_deref(), Some("/allow"));
        assert_eq!(page.hidden, [("ticket".to_owned(), "t1".to_owned())]);
        assert!(page.offers("user", "u1") && page.offers("decision", "decline"));
        assert!(!page.offers("decision", "authorize"));
        assert!(page.codes.contains("jobs_read"));
        assert_eq!(Page::read("no < page"), Page::default());
    }
}
