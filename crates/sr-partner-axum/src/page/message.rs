//! What a page says when it asks for nothing.

use http::StatusCode;
use sr_auth_core::Remedy;
use sr_partner::consent::{ConsentError, TicketError};
use sr_partner::exchange::ExchangeError;

/// One thing that a person is told.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) is_alert: bool,
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    pub(crate) title: &'static str,
}

/// Where a page leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next<'a> {
    Nothing,
    /// To an address that is opened in a window of its own.
    Window(&'a str),
}

impl Message {
    const fn new(status: StatusCode, title: &'static str, text: String) -> Self {
        Self { is_alert: true, status, text, title }
    }

    /// What is shown where the browser goes nowhere.
    pub(crate) fn connected() -> Self {
        let text = "SmartRecruiters closes its pop-up by itself. A window of this application can be \
                    closed.";
        let it = Self::new(StatusCode::OK, "Connected", text.to_owned());
        Self { is_alert: false, ..it }
    }

    pub(crate) fn declined() -> Self {
        let text = "Nothing was connected, and nothing was sent. This page can be closed.";
        let it = Self::new(StatusCode::OK, "Declined", text.to_owned());
        Self { is_alert: false, ..it }
    }

    pub(crate) fn given_up() -> Self {
        let text = "The credentials were destroyed here. Disable the integration in SmartRecruiters \
                    too, so that it ends there.";
        let it = Self::new(StatusCode::OK, "Undone", text.to_owned());
        Self { is_alert: false, ..it }
    }

    pub(crate) fn elsewhere() -> Self {
        Self::failed(&ExchangeError::BoundElsewhere)
    }

    pub(crate) fn failed(error: &ExchangeError) -> Self {
        let status = match error {
            ExchangeError::AlreadyIntegrated
            | ExchangeError::BoundElsewhere
            | ExchangeError::Busy { .. }
            | ExchangeError::Moved
            | ExchangeError::Superseded
            | ExchangeError::Taken => StatusCode::CONFLICT,
            ExchangeError::Store { .. }
            | ExchangeError::Throttled { .. }
            | ExchangeError::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ExchangeError::MasterToken { .. }
            | ExchangeError::OtherCompany
            | ExchangeError::OutcomeUnknown
            | ExchangeError::Refused { .. }
            | _ => StatusCode::BAD_GATEWAY,
        };
        // Then the company may well be connected, from another tab perhaps.
        let is_late = *error == ExchangeError::Moved;
        let title = if is_late { "This page is out of date" } else { "Not connected" };
        Self::new(status, title, sentences(&error.to_string(), error.advice()))
    }

    pub(crate) fn visit(error: ConsentError) -> Self {
        let is_ours = error.remedy() == Remedy::FixConfiguration;
        let advice = match is_ours {
            true => "tell the provider of this application",
            false => "open the application from SmartRecruiters again",
        };
        let text = sentences(&error.to_string(), advice);
        Self::new(StatusCode::BAD_REQUEST, "This address cannot be used", text)
    }

    pub(crate) fn ticket(error: TicketError) -> Self {
        let advice = "open the application from SmartRecruiters again";
        let text = sentences(&error.to_string(), advice);
        Self::new(StatusCode::FORBIDDEN, "This form cannot be used", text)
    }

    pub(crate) fn sign_in() -> Self {
        let text = "You are not signed in here. Sign in and connect in a window of its own; \
                    SmartRecruiters notices by itself.";
        let it = Self::new(StatusCode::OK, "Sign in to connect", text.to_owned());
        Self { is_alert: false, ..it }
    }

    pub(crate) fn signed_out() -> Self {
        let text = "You are no longer signed in. Open the application from SmartRecruiters again.";
        Self::new(StatusCode::FORBIDDEN, "Signed out", text.to_owned())
    }

    pub(crate) fn no_authority() -> Self {
        let text =
            "Your role does not include connecting this account. Ask somebody whose role does.";
        Self::new(StatusCode::FORBIDDEN, "Not allowed", text.to_owned())
    }

    pub(crate) fn other_company() -> Self {
        let text = "This account cannot be connected with that company. Sign in with the account that \
                    belongs to it.";
        Self::new(StatusCode::FORBIDDEN, "Not allowed", text.to_owned())
    }

    pub(crate) fn foreign() -> Self {
        let text = "This page is opened by a person, from SmartRecruiters, and nowhere else.";
        Self::new(StatusCode::FORBIDDEN, "Not allowed", text.to_owned())
    }

    pub(crate) fn too_many() -> Self {
        let text = "There were too many attempts to connect with this account. Try again in ten \
                    minutes.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many attempts", text.to_owned())
    }

    pub(crate) fn unreadable(status: StatusCode) -> Self {
        let text = "The form cannot be read. Open the application from SmartRecruiters again.";
        Self::new(status, "This form cannot be used", text.to_owned())
    }

    pub(crate) fn unavailable() -> Self {
        let text = "This application cannot answer at the moment. Try again in a minute.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Try again", text.to_owned())
    }
}

/// Makes two sentences of texts without a full stop.
fn sentences(what: &str, advice: &str) -> String {
    format!("{}. {}.", capitalised(what), capitalised(advice))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}
