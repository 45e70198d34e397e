//! The way to the token endpoint and back, and what may happen on it.

use std::time::Duration;

use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use sr_auth_core::SecretBytes;

use super::choices::{Choices, Rate};

/// What can go wrong with one exchange.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "each is counted in a table")]
pub enum Trouble {
    /// Nothing does.
    #[default]
    None,
    /// The request is processed, and its answer arrives after the client has given up.
    AnswerLate,
    /// The request is processed, and its answer is lost; the client notices soon or late.
    AnswerLost,
    /// The connection breaks in the middle of the answer's body.
    Cut,
    /// Something in between delivers the request twice; one of the two answers arrives.
    Duplicated,
    /// A success that is no JSON, after the request was processed.
    Garbled,
    /// No connection: nothing was sent.
    NotSent,
    /// A page of a proxy with status 502, after the request was processed.
    ProxyAfter,
    /// A page of a proxy with status 502 instead of the request's processing.
    ProxyBefore,
    /// A redirect after the request was processed.
    RedirectedAfter,
    /// A redirect instead of the request's processing.
    RedirectedBefore,
    /// The request is lost on its way.
    RequestLost,
    /// Too many requests: 429, and not processed.
    Throttled,
    /// The request is processed after the client has given up.
    Zombie,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::None,
        Self::AnswerLate,
        Self::AnswerLost,
        Self::Cut,
        Self::Duplicated,
        Self::Garbled,
        Self::NotSent,
        Self::ProxyAfter,
        Self::ProxyBefore,
        Self::RedirectedAfter,
        Self::RedirectedBefore,
        Self::RequestLost,
        Self::Throttled,
        Self::Zombie,
    ];
}

/// How long after a client has given up its request may still be processed: what the margins allow
/// the network, less what clocks may differ by.
const AFTERLIFE: Duration = Duration::from_secs(4);

/// How often the network fails, and how slow it is.
#[derive(Clone, Debug, Default)]
pub(super) struct NetworkWeather {
    pub(super) rates: Vec<(Rate, Trouble)>,
    /// The longest way there, or back, of what is neither late nor lost.
    pub(super) slowness: Duration,
}

/// How one exchange fares. All spans count from the moment of sending.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Fate {
    /// When the request is processed for the second time.
    pub(super) again: Option<Duration>,
    /// When the answer, or what is left of it, arrives; `None` if the client waits in vain.
    pub(super) answered: Option<Duration>,
    /// Which part of the body arrives, in 65,536ths; only of a [`Trouble::Cut`].
    pub(super) part: u16,
    /// When the request arrives and is processed.
    pub(super) processed: Option<Duration>,
    /// Whether the answer is that of the second processing.
    pub(super) second_answer: bool,
    /// What goes wrong.
    pub(super) trouble: Trouble,
}

/// What a client gets to see of an answer.
#[derive(Debug)]
pub(super) enum Arrival {
    /// Nothing but a broken connection.
    Nothing,
    /// The beginning, and then a broken connection.
    Part(Response<SecretBytes>),
    /// An answer.
    Whole(Response<SecretBytes>),
}

impl Trouble {
    /// Tells whether the request does not get as far as the server.
    pub(super) const fn keeps_from_server(self) -> bool {
        matches!(
            self,
            Self::NotSent
                | Self::ProxyBefore
                | Self::RedirectedBefore
                | Self::RequestLost
                | Self::Throttled
        )
    }
}

impl NetworkWeather {
    /// Decides how an exchange fares whose client waits for `answer_within`.
    pub(super) fn fate(&self, choices: &mut Choices, answer_within: Duration) -> Fate {
        let trouble = choices.among(Trouble::None, &self.rates);
        let instant = Duration::from_millis(1);
        let there = choices.span(self.slowness) + instant;
        let back = there + choices.span(self.slowness) + instant;
        let usual = Fate {
            again: None,
            answered: Some(back),
            part: 0,
            processed: Some(there),
            second_answer: false,
            trouble,
        };
        let fate = match trouble {
            Trouble::None | Trouble::Garbled | Trouble::ProxyAfter | Trouble::RedirectedAfter => {
                usual
            }
            Trouble::NotSent
            | Trouble::ProxyBefore
            | Trouble::RedirectedBefore
            | Trouble::Throttled => Fate { processed: None, ..usual },
            Trouble::AnswerLate => Fate { answered: None, ..usual },
            Trouble::AnswerLost => {
                Fate { answered: Some(back + choices.span(answer_within)), ..usual }
            }
            Trouble::Cut => Fate { part: choices.word(), ..usual },
            Trouble::Duplicated => {
                let window = (answer_within + AFTERLIFE).saturating_sub(there);
                let again = there + choices.span(window) + instant;
                let second_answer = choices.below(2) == 1;
                let answered = if second_answer { again + (back - there) } else { back };
                Fate { again: Some(again), answered: Some(answered), second_answer, ..usual }
            }
            Trouble::RequestLost => {
                let answered = Some(there + choices.span(answer_within));
                Fate { answered, processed: None, ..usual }
            }
            Trouble::Zombie => {
                let late = answer_within + choices.span(AFTERLIFE);
                Fate { answered: None, processed: Some(late), ..usual }
            }
        };
        // A client that gives up first sees nothing.
        Fate { answered: fate.answered.filter(|it| *it < answer_within), ..fate }
    }
}

impl Fate {
    /// Returns what the client sees of `answer`, which is what the server gave if it was asked.
    pub(super) fn arrival(&self, answer: Option<Response<SecretBytes>>) -> Arrival {
        let page = "<html><body><h1>502 Bad Gateway</h1></body></html>";
        let status = |status: StatusCode, body: &str| {
            let mut response = Response::new(SecretBytes::new(body.as_bytes().to_vec()));
            *response.status_mut() = status;
            response
        };
        match self.trouble {
            Trouble::None | Trouble::Duplicated => answer.map_or(Arrival::Nothing, Arrival::Whole),
            Trouble::AnswerLate
            | Trouble::AnswerLost
            | Trouble::NotSent
            | Trouble::RequestLost
            | Trouble::Zombie => Arrival::Nothing,
            Trouble::Cut => answer.map_or(Arrival::Nothing, |answer| self.cut(answer)),
            Trouble::Garbled => Arrival::Whole(status(StatusCode::OK, "\u{0}not json")),
            Trouble::ProxyAfter | Trouble::ProxyBefore => {
                let mut response = status(StatusCode::BAD_GATEWAY, page);
                let kind = HeaderValue::from_static("text/html");
                response.headers_mut().insert(CONTENT_TYPE, kind);
                Arrival::Whole(response)
            }
            Trouble::RedirectedAfter | Trouble::RedirectedBefore => {
                let mut response = status(StatusCode::TEMPORARY_REDIRECT, "");
                let target = HeaderValue::from_static("https://elsewhere.example/token");
                response.headers_mut().insert(LOCATION, target);
                Arrival::Whole(response)
            }
            Trouble::Throttled => {
                let mut response = status(StatusCode::TOO_MANY_REQUESTS, "");
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("20"));
                Arrival::Whole(response)
            }
        }
    }

    /// The last byte at least is missing, so that it is no whole answer.
    fn cut(&self, answer: Response<SecretBytes>) -> Arrival {
        Arrival::Part(answer.map(|body| {
            let body = body.expose();
            let kept = (body.len() * usize::from(self.part)) >> 16;
            SecretBytes::new(body.iter().copied().take(kept).collect())
        }))
    }
}

#[cfg(test)]
impl Arrival {
    /// Tells whether a secret arrived as a whole, with the quotation mark that ends it.
    pub(super) fn holds(&self, secret: &sr_auth_core::Secret) -> bool {
        let (Self::Part(response) | Self::Whole(response)) = self else { return false };
        let needle = format!("\"{}\"", secret.expose());
        let body = response.body().expose();
        body.windows(needle.len()).any(|window| window == needle.as_bytes())
    }
}

#[cfg(test)]
mod tests;
