//! What all pages have in common.

use crate::simulator::page::{capitalized, document_with, escape};
use crate::world::{Company, World};

/// Where a page belongs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Section {
    Apps,
    Credentials,
    Partners,
}

impl Section {
    const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Apps, "apps", "Apps &amp; Integrations"),
        (Self::Credentials, "credentials", "Credential Manager"),
        (Self::Partners, "partners", "Partner registration"),
    ];
}

/// A page of a section; `company` is the id of the one that it is about.
pub(super) fn page(section: Section, company: Option<&str>, title: &str, body: &str) -> String {
    let link = |(it, path, text): &(Section, &str, &str)| {
        let current = if *it == section { " aria-current=\"page\"" } else { "" };
        let company = company.filter(|_| *it != Section::Partners);
        let query = company.map(|id| format!("?company={}", escape(id))).unwrap_or_default();
        format!("<li><a href=\"/pages/{path}{query}\"{current}>{text}</a></li>\n")
    };
    let links: String = Section::ALL.iter().map(link).collect();
    let header = format!(
        "<header class=\"bar\">\n<a class=\"brand\" href=\"/\">SmartRecruiters sandbox</a>\n\
         <nav aria-label=\"Pages\">\n<ul>\n{links}</ul>\n</nav>\n</header>\n"
    );
    document_with(&format!("{title} – SmartRecruiters sandbox"), &header, body)
}

/// The form that chooses the company of a page.
pub(super) fn company_choice(world: &World, path: &str, chosen: &str) -> String {
    let option = |company: &Company| {
        let selected = if company.id() == chosen { " selected" } else { "" };
        let (id, name) = (escape(company.id()), escape(company.name()));
        format!("<option value=\"{id}\"{selected}>{name}</option>\n")
    };
    let options: String = world.companies().map(option).collect();
    format!(
        "<form class=\"row\" method=\"get\" action=\"/pages/{path}\">\n\
         <label for=\"company\">Signed in as administrator of</label>\n\
         <select id=\"company\" name=\"company\">\n{options}</select>\n\
         <button type=\"submit\">Change</button>\n</form>\n"
    )
}

/// A labelled text field; `hint` is text below it.
pub(super) fn field(name: &str, label: &str, value: &str, hint: &str, required: bool) -> String {
    let (mark, attribute) = if required { ("", " required") } else { (" (optional)", "") };
    let described = if hint.is_empty() {
        (String::new(), String::new())
    } else {
        (
            format!(" aria-describedby=\"{name}-hint\""),
            format!("<p class=\"hint\" id=\"{name}-hint\">{}</p>\n", escape(hint)),
        )
    };
    let (by, hint) = described;
    format!(
        "<div class=\"field\">\n<label for=\"{name}\">{}{mark}</label>\n\
         <input id=\"{name}\" name=\"{name}\" type=\"text\" value=\"{}\" autocomplete=\"off\" \
         spellcheck=\"false\"{by}{attribute}>\n{hint}</div>\n",
        escape(label),
        escape(value),
    )
}

/// A labelled radio button or checkbox.
pub(super) fn choice(kind: &str, name: &str, value: &str, label: &str, checked: bool) -> String {
    let id = format!("{name}-{}", escape(value));
    let checked = if checked { " checked" } else { "" };
    format!(
        "<div class=\"choice\"><input type=\"{kind}\" id=\"{id}\" name=\"{name}\" value=\"{}\"\
         {checked}> <label for=\"{id}\">{label}</label></div>\n",
        escape(value)
    )
}

/// The checkboxes of all scopes whose names are known.
pub(super) fn scope_choices(chosen: &[&str]) -> String {
    let known = sr_auth_core::KnownScope::all().iter();
    let known = known.filter(|it| it.evidence != sr_auth_core::Evidence::Obsolete);
    let boxes = known.map(|scope| {
        let text = format!(
            "<code>{}</code> <span class=\"hint\">{}</span>",
            escape(scope.name),
            escape(scope.description)
        );
        choice("checkbox", "scope", scope.name, &text, chosen.contains(&scope.name))
    });
    boxes.collect()
}

/// A message about what a form was filled with.
pub(super) fn alert(problem: Option<&str>) -> String {
    let text = |problem| {
        let text = escape(&capitalized(problem));
        format!("<p class=\"note alert\" role=\"alert\"><strong>Not done.</strong> {text}.</p>\n")
    };
    problem.map(text).unwrap_or_default()
}

/// The page of a request that is not answered.
pub(super) fn refusal(reason: &str) -> String {
    let body = format!(
        "<h1>This does not work</h1>\n<p>{}.</p>\n\
         <p><a href=\"/pages/apps\">Apps &amp; Integrations</a></p>\n",
        escape(&capitalized(reason))
    );
    document_with("Error – SmartRecruiters sandbox", "", &body)
}
