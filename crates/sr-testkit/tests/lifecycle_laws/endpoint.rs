//! The token endpoint of a stage, and the network before it.

use std::time::Duration;

use sr_auth_core::lifecycle::{Input, Stage as Renewing};
use sr_auth_core::store::Generation;
use sr_auth_core::{Fingerprint, SecretBytes, Timestamp, Transmit, TransmitId, TransportFailure};

use crate::chaos::Reply;
use crate::stage::{Judged, Stage, named};

pub(crate) const LIFE: Duration = Duration::from_secs(1_799);

/// A request that was not answered.
#[derive(Debug)]
pub(crate) struct Request {
    generation: Generation,
    pub(crate) id: TransmitId,
    sent_at: Timestamp,
    pub(crate) token: Option<Fingerprint>,
}

impl Stage {
    pub(crate) fn transmit(&mut self, now: Timestamp, transmit: &Transmit) -> Judged {
        let body = String::from_utf8_lossy(transmit.request.body().expose()).into_owned();
        let mut fields = body.split('&').filter_map(|it| it.split_once('='));
        let token = fields.find(|(name, _)| *name == "refresh_token").map(|it| named(it.1));
        self.truth.present(now, transmit, token)?;
        let generation = self.view().generation.unwrap_or_default();
        self.requests.push(Request { generation, id: transmit.id, sent_at: now, token });
        Ok(())
    }

    pub(crate) fn request(&mut self, pick: u8, reply: Reply) -> Judged {
        if self.requests.is_empty() {
            return Ok(());
        }
        let request = self.requests.remove(usize::from(pick) % self.requests.len());
        self.number += 1;
        let inputs = self.inputs(request.id, reply);
        self.note(&request, reply);
        inputs.into_iter().try_for_each(|input| self.handle(input))
    }

    /// Notes what a reply means: what is owed, what is settled, what may be served.
    fn note(&mut self, request: &Request, reply: Reply) {
        let (access, refresh) = self.texts();
        let count = request.id.count();
        let is_newest = self.requests.iter().all(|it| it.id < request.id);
        let is_awaited = self.view().stage == Renewing::InFlight && is_newest;
        match reply {
            Reply::Failed | Reply::Garbled | Reply::Lost => return,
            Reply::Cut | Reply::Rotated { .. } | Reply::Useless
                if is_awaited && self.keeps_refresh_tokens =>
            {
                self.truth.owe(request.generation, named(&refresh));
            }
            Reply::Cut
            | Reply::Granted
            | Reply::InvalidClient
            | Reply::InvalidGrant
            | Reply::NotSent
            | Reply::Rotated { .. }
            | Reply::Throttled
            | Reply::Unknown
            | Reply::Useless => {}
        }
        self.truth.settle(count);
        let ends_at = request.sent_at.after(LIFE);
        match reply {
            Reply::Granted | Reply::Rotated { .. } => self.truth.issue(&access, ends_at),
            Reply::Useless => self.truth.issue(&access, request.sent_at),
            Reply::Cut
            | Reply::Failed
            | Reply::Garbled
            | Reply::InvalidClient
            | Reply::InvalidGrant
            | Reply::Lost
            | Reply::NotSent
            | Reply::Throttled
            | Reply::Unknown => {}
        }
    }

    fn inputs(&self, id: TransmitId, reply: Reply) -> Vec<Input> {
        let (access, refresh) = self.texts();
        let granted = format!(r#""access_token":"{access}","expires_in":1799"#);
        let success = format!(r#"{{{granted},"refresh_token":"{refresh}"}}"#);
        let failed = |failure, received| vec![Input::TransportFailed { id, failure, received }];
        match reply {
            Reply::Cut => {
                let part = answer(200, &format!(r#"{{"refresh_token":"{refresh}","acc"#));
                failed(TransportFailure::AfterSend, Some(part))
            }
            Reply::Failed => vec![response(id, 503, "")],
            Reply::Garbled => vec![response(id, 200, "<html>")],
            Reply::Granted => vec![response(id, 200, &format!("{{{granted}}}"))],
            Reply::InvalidClient => vec![response(id, 401, r#"{"error":"invalid_client"}"#)],
            Reply::InvalidGrant => vec![response(id, 400, r#"{"error":"invalid_grant"}"#)],
            Reply::Lost => failed(TransportFailure::AfterSend, None),
            Reply::NotSent => failed(TransportFailure::BeforeSend, None),
            Reply::Rotated { twice: false } => vec![response(id, 200, &success)],
            Reply::Rotated { twice: true } => {
                vec![response(id, 200, &success), response(id, 200, &success)]
            }
            Reply::Throttled => vec![response(id, 429, "")],
            Reply::Unknown => vec![response(id, 403, r#"{"error":"locked"}"#)],
            Reply::Useless => vec![response(id, 200, &success.replace("1799", "0"))],
        }
    }
}

pub(crate) fn response(id: TransmitId, status: u16, body: &str) -> Input {
    Input::Response { id, response: answer(status, body) }
}

pub(crate) fn answer(status: u16, body: &str) -> http::Response<SecretBytes> {
    let mut answer = http::Response::new(SecretBytes::new(body.as_bytes().to_vec()));
    *answer.status_mut() = http::StatusCode::from_u16(status).expect("a valid status");
    answer
}
