//! The pages, as HTML without a script: every text from elsewhere is escaped.

mod html;
mod message;

pub(crate) use html::STYLE;
pub(crate) use message::{Message, Next};

use sr_auth_core::Secret;
use sr_auth_core::store::Generation;
use sr_partner::CompanyId;
use sr_partner::registration::AppRegistration;

use crate::{Account, PartnerHooks};
use html::{document, escape};

/// Returns where the style of the pages is.
pub(crate) fn style_path(consent: &str) -> String {
    format!("{}/style.css", consent.trim_end_matches('/'))
}

/// What a page about a company shows.
#[derive(Debug)]
pub(crate) struct Parties<'a> {
    pub(crate) account: &'a Account,
    pub(crate) app: &'a AppRegistration,
    pub(crate) company: &'a CompanyId,
    pub(crate) company_name: Option<String>,
}

/// How the company stands to the account that looks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Standing {
    /// Connected with another account, whose owner has agreed to lose it.
    GivenUp,
    /// Connected with this account.
    Ours,
    /// Not connected.
    Unconnected,
}

/// Returns the page that asks for consent.
pub(crate) fn consent(
    parties: &Parties<'_>,
    standing: Standing,
    hooks: &dyn PartnerHooks,
    path: &str,
    ticket: &Secret,
) -> String {
    let name = escape(parties.app.name());
    let note = match standing {
        Standing::GivenUp => {
            "<p class=\"note\">The company is connected with another account, whose owner has agreed \
             that this one takes its place.</p>\n"
        }
        Standing::Ours => {
            "<p class=\"note\">The company is connected with this account already. Connecting again \
             replaces its credentials.</p>\n"
        }
        Standing::Unconnected => "",
    };
    let asked: String =
        parties.app.scopes().map(|it| item(it.scope().as_str(), it.reason())).collect();
    let theirs = match parties.app.granted_scopes() {
        Some(scopes) if !scopes.is_empty() => {
            let items =
                scopes.iter().map(|it| item(it.as_str(), &hooks.meaning(it).unwrap_or_default()));
            format!("<ul>\n{}</ul>\n", items.collect::<String>())
        }
        Some(_) => "<p>It may tell when the company disables the integration.</p>\n".to_owned(),
        None => "<p>Nothing: it does not call this application.</p>\n".to_owned(),
    };
    let body = format!(
        "<h1>Connect {name} with SmartRecruiters</h1>\n{}{note}\
         <section aria-labelledby=\"ours\">\n\
         <h2 id=\"ours\">What {name} may do at SmartRecruiters</h2>\n<ul>\n{asked}</ul>\n</section>\n\
         <section aria-labelledby=\"theirs\">\n\
         <h2 id=\"theirs\">What SmartRecruiters may do at {name}</h2>\n{theirs}</section>\n{}",
        parties_list(parties),
        form(path, ticket, &[("allow", "Allow and connect"), ("decline", "Decline")]),
    );
    document(&format!("Connect {}", parties.app.name()), path, &body)
}

/// Returns the page that asks whether the credentials which wait open the right company.
pub(crate) fn confirm(
    parties: &Parties<'_>,
    generation: Generation,
    path: &str,
    ticket: &Secret,
) -> String {
    let name = escape(parties.app.name());
    let number = generation.number();
    let body = format!(
        "<h1>Is this your company?</h1>\n\
         <p>SmartRecruiters has sent the credentials of a company. Confirm that the company below is \
         the one that you manage there; until then {name} does not use them.</p>\n{}\
         <p class=\"note\">Connection number {number} of this company.</p>\n{}",
        parties_list(parties),
        form(path, ticket, &[("confirm", "Confirm"), ("undo", "Undo")]),
    );
    document("Confirm the company", path, &body)
}

/// Returns the page of an exchange that takes its time.
pub(crate) fn wait(path: &str, ticket: &Secret, is_unsettled: bool) -> String {
    let what = match is_unsettled {
        true => {
            "The request was sent to SmartRecruiters and its answer has not arrived. Nothing is sent \
             again; it is certain within three minutes what came of it."
        }
        false => "SmartRecruiters has not answered yet.",
    };
    let body = format!(
        "<h1>Still connecting</h1>\n<p role=\"status\">{what}</p>\n{}",
        form(path, ticket, &[("allow", "Look again")]),
    );
    document("Still connecting", path, &body)
}

/// Returns a page that says one thing.
pub(crate) fn message(message: &Message, next: Next<'_>, path: &str) -> String {
    let next = match next {
        Next::Nothing => String::new(),
        Next::Window(to) => format!(
            "<p><a class=\"button\" href=\"{}\" target=\"_blank\" rel=\"noopener\">Open in a new \
             window</a></p>\n",
            escape(to)
        ),
    };
    let role = if message.is_alert { "alert" } else { "status" };
    let (title, text) = (escape(message.title), escape(&message.text));
    let body = format!("<h1>{title}</h1>\n<p role=\"{role}\">{text}</p>\n{next}");
    document(message.title, path, &body)
}

fn parties_list(parties: &Parties<'_>) -> String {
    let company = escape(parties.company.as_str());
    let company = match &parties.company_name {
        Some(name) => format!("{} <code>{company}</code>", escape(name)),
        None => format!("<code>{company}</code>"),
    };
    format!(
        "<dl>\n<dt>Company at SmartRecruiters</dt>\n<dd id=\"company\">{company}</dd>\n\
         <dt>Account at {}</dt>\n<dd id=\"account\">{}</dd>\n</dl>\n",
        escape(parties.app.name()),
        escape(parties.account.name()),
    )
}

fn item(scope: &str, meaning: &str) -> String {
    let meaning = match meaning {
        "" => String::new(),
        meaning => format!(": {}", escape(meaning)),
    };
    format!("<li><code>{}</code>{meaning}</li>\n", escape(scope))
}

fn form(path: &str, ticket: &Secret, decisions: &[(&str, &str)]) -> String {
    let buttons: String = decisions
        .iter()
        .map(|(value, label)| {
            format!(
                "<button type=\"submit\" name=\"decision\" value=\"{value}\">{label}</button>\n"
            )
        })
        .collect();
    format!(
        "<form method=\"post\" action=\"{}\" autocomplete=\"off\">\n\
         <input type=\"hidden\" name=\"ticket\" value=\"{}\">\n{buttons}</form>\n",
        escape(path),
        escape(ticket.expose()),
    )
}
