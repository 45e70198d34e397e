//! The pop-up in which a partner's consent page is shown: a frame on the setup page, and the script
//! that closes it.

use http::{Response, StatusCode};
use sr_auth_core::SecretBytes;

use super::app::page_of;
use super::layout::{self, Section};
use super::{Asked, refused};
use crate::simulator::Simulator;
use crate::simulator::answer::{self, Handled, Sources};
use crate::simulator::page::{escape, form_target};

const SCRIPT: &str = "\
\"use strict\";
// SmartRecruiters closes the pop-up by itself when the partner has exchanged credentials.
const popup = document.querySelector(\"[data-state]\");
const look = async () => {
  try {
    const answer = await fetch(popup.dataset.state);
    const state = await answer.json();
    if (String(state.exchanges) !== popup.dataset.exchanges) {
      location.replace(popup.dataset.back);
      return;
    }
  } catch {
    // The sandbox was stopped, or the page is going away: there is another look.
  }
  setTimeout(look, 500);
};
look();
";

impl Simulator {
    pub(super) fn popup_page(&self, app: &str, asked: &Asked<'_>) -> Handled {
        let known = self.world.partner_app(app);
        let visit = self.asked_for(app, asked).and_then(|(key, registration)| {
            let url = known?.consent_visit(&key.company, "")?;
            self.has_consent(&key).then_some((key, registration.name(), url))
        });
        let Some((key, name, url)) = visit else {
            return refused(StatusCode::NOT_FOUND, "nobody has connected such an application");
        };
        let (back, name) = (escape(&page_of(&key)), escape(name));
        let body = format!(
            "<h1>Connect {name}</h1>\n\
             <section class=\"popup\" aria-label=\"{name}\" data-back=\"{back}\" \
             data-exchanges=\"{}\" data-state=\"/pages/apps/{}/state?company={}\">\n\
             <iframe title=\"{name}\" src=\"{}\"></iframe>\n</section>\n\
             <p>This closes by itself when {name} has finished. \
             <a href=\"{back}\">Close it now</a></p>\n",
            self.exchanges(&key),
            key.app,
            key.company,
            escape(url.as_str()),
        );
        let frames = form_target(url.as_str());
        let sources = Sources { frames, has_script: true, ..Sources::default() };
        let title = format!("Connect {name}");
        let html = layout::page(Section::Apps, Some(key.company.as_str()), &title, &body);
        let html = html.replace(
            "</main>\n",
            "</main>\n<script src=\"/pages/popup.js\" type=\"module\"></script>\n",
        );
        Handled::new(answer::page(StatusCode::OK, html, &sources))
    }
}

pub(super) fn script() -> Response<SecretBytes> {
    let kind = "text/javascript; charset=utf-8";
    let mut response = answer::with_body(StatusCode::OK, kind, SCRIPT.to_owned());
    answer::set(&mut response, http::header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}
