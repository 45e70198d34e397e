//! The error objects of the service: that of RFC 6749 §5.2, and the resource API's own.

use serde::Deserialize;

use super::lenient::{self, Member};

/// `{"error", "error_description"}`, or `{"message", "errors": [{"code", "message"}]}`.
#[derive(Default, Deserialize)]
pub(super) struct ErrorObject<'a> {
    #[serde(borrow, default)]
    error: Option<Member<'a>>,
    #[serde(borrow, default)]
    error_description: Option<Member<'a>>,
    #[serde(borrow, default)]
    errors: Option<Member<'a>>,
    #[serde(borrow, default)]
    message: Option<Member<'a>>,
}

#[derive(Deserialize)]
struct Coded {
    code: String,
}

impl<'a> ErrorObject<'a> {
    /// Reads a body; whatever is no such object is one without members.
    pub(super) fn read(body: &'a [u8]) -> Self {
        lenient::object(body).unwrap_or_default()
    }

    /// Returns the `error` of RFC 6749.
    pub(super) fn error(&self) -> Option<String> {
        self.error.and_then(Member::text)
    }

    /// Returns the server's own words.
    pub(super) fn words(&self) -> Option<String> {
        self.error_description.or(self.message).and_then(Member::text)
    }

    /// Returns the `message` of the resource API.
    pub(super) fn message(&self) -> Option<String> {
        self.message.and_then(Member::text)
    }

    /// Returns the codes of the resource API, which it writes in capitals.
    pub(super) fn codes(&self) -> Vec<String> {
        let coded = self.errors.and_then(Member::read::<Vec<Coded>>).unwrap_or_default();
        coded.into_iter().map(|it| it.code).collect()
    }
}
