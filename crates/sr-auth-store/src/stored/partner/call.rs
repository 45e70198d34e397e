//! An operation as a name and a list of values.

use std::time::Duration;

use sr_auth_core::SecretDigest;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::Generation;
use sr_partner::store::{
    EndCause, Integrated, IntegrationEvent, NewAttempt, PartnerModel, PartnerOp, SourceKey,
};
use sr_partner::{AttemptId, ClientKey, IntegrationKey};

use super::codes::{CAUSES, EVENTS, VERIFIED, code_of};
use crate::stored::call::{Call, VALUE_LIMIT, incompatible};
use crate::stored::{millis, number};
use crate::{BackendError, BackendFault, Sealed};

impl Call {
    /// Writes an operation on integrations down: application and company first, if it is about one.
    ///
    /// # Errors
    ///
    /// As [`Call::of`].
    pub(crate) fn of_partner(op: &PartnerOp<Sealed>) -> Result<Self, BackendError> {
        let (name, is_read) = kind(op);
        let mut call = Self { is_read, name, parameters: Vec::new() };
        call.write_partner(op)?;
        Ok(call)
    }

    fn write_partner(&mut self, op: &PartnerOp<Sealed>) -> Result<(), BackendError> {
        match op {
            PartnerOp::Activate { attempt, key, verified } => {
                self.consent(key, *attempt);
                let code = code_of(&VERIFIED, *verified).map_err(incompatible)?;
                self.number(Some(i64::from(code)));
                self.partner_event(IntegrationEvent::Bound(*verified))?;
            }
            PartnerOp::Arm { attempt, exchange, key, post, provisional, quiet } => {
                self.consent(key, *attempt);
                self.fixed(exchange.as_bytes());
                self.number(Some(i64::from(*post)));
                self.spans(&[*quiet, *provisional]);
                self.partner_event(IntegrationEvent::Armed)?;
            }
            PartnerOp::Begin { attempt, key } => self.begin(key, attempt)?,
            PartnerOp::Commit { attempt, confirm_within, generation, integrated, key } => {
                self.consent(key, *attempt);
                self.generation(Some(*generation));
                self.spans(&[*confirm_within]);
                self.given(integrated)?;
                self.partner_event(IntegrationEvent::Integrated)?;
            }
            PartnerOp::CountRefusal { client, limits, source } => {
                self.parties(*client, *source);
                self.spans(&[limits.window()]);
                self.limit(PartnerModel::<Sealed>::REFUSALS_LIMIT);
            }
            PartnerOp::Disable { token } => {
                self.fixed(token.as_bytes());
                self.ending(EndCause::Disabled)?;
            }
            PartnerOp::End { cause, generation, key } => {
                self.partner_key(key);
                self.generation(*generation);
                self.end_for(*cause)?;
            }
            PartnerOp::EndAll { cause } => self.end_for(*cause)?,
            PartnerOp::FindClient { client, limits, source } => {
                self.parties(*client, *source);
                self.number(Some(i64::from(limits.per_client())));
                self.number(Some(i64::from(limits.per_source())));
            }
            PartnerOp::Identify { token } => self.fixed(token.as_bytes()),
            PartnerOp::Issue { client, generation, life, token } => {
                self.issue(*client, *generation, *life, token);
            }
            PartnerOp::Load { key } => self.partner_key(key),
            PartnerOp::Pulse { since } => {
                self.number(Some(number(since.0)));
                self.limit(PartnerModel::<Sealed>::CHANGES_LIMIT);
            }
            PartnerOp::Unsettled { limit } => self.limit(*limit),
            PartnerOp::Void { attempt, key } => {
                self.consent(key, *attempt);
                self.partner_event(IntegrationEvent::Voided)?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, key: &IntegrationKey, new: &NewAttempt) -> Result<(), BackendError> {
        self.consent(key, new.id);
        self.fixed(new.exchange.as_bytes());
        // A tenant is bytes: it may have any letter.
        self.bytes(Some(new.tenant.as_str().as_bytes()));
        self.bytes(new.rebind.as_ref().map(|it| it.as_str().as_bytes()));
        self.generation(Some(new.seen));
        self.spans(&[new.prepared_for]);
        let client = new.outbound.as_ref();
        self.bytes(client.map(|it| *it.key().as_bytes()).as_ref().map(|it| &it[..]));
        self.optional_text(client.map(|it| it.id.as_str()));
        self.optional_text(client.map(|it| it.scopes.to_string()).as_deref());
        self.bytes(client.map(|it| it.secret.as_bytes().as_slice()));
        self.partner_event(IntegrationEvent::Voided)?;
        self.partner_event(IntegrationEvent::Begun)
    }

    fn issue(
        &mut self,
        client: ClientKey,
        generation: Generation,
        life: Duration,
        token: &SecretDigest,
    ) {
        self.fixed(client.as_bytes());
        self.generation(Some(generation));
        self.spans(&[life]);
        self.fixed(token.as_bytes());
        self.limit(PartnerModel::<Sealed>::TOKENS_LIMIT);
    }

    fn consent(&mut self, key: &IntegrationKey, attempt: AttemptId) {
        self.partner_key(key);
        self.fixed(attempt.as_bytes());
    }

    fn given(&mut self, integrated: &Integrated<Sealed>) -> Result<(), BackendError> {
        let secret = integrated.secret.as_bytes();
        if secret.len() > VALUE_LIMIT {
            return Err(BackendError::new(BackendFault::TooLarge, StoreFailure::NotDone));
        }
        self.optional_text(Some(integrated.client_id.as_str()));
        self.optional_text(integrated.integration.as_ref().map(|it| it.as_str()));
        self.bytes(Some(secret));
        Ok(())
    }

    fn ending(&mut self, cause: EndCause) -> Result<(), BackendError> {
        self.number(Some(i64::from(code_of(&CAUSES, cause).map_err(incompatible)?)));
        self.partner_event(IntegrationEvent::Ended(cause))
    }

    /// The same, and whether tokens are kept: a customer's notification may come again with one.
    fn end_for(&mut self, cause: EndCause) -> Result<(), BackendError> {
        self.ending(cause)?;
        self.flag(cause == EndCause::Disabled);
        Ok(())
    }

    fn fixed(&mut self, bytes: &[u8]) {
        self.bytes(Some(bytes));
    }

    fn limit(&mut self, limit: usize) {
        self.number(Some(i64::try_from(limit).unwrap_or(i64::MAX)));
    }

    fn parties(&mut self, client: ClientKey, source: Option<SourceKey>) {
        self.fixed(client.as_bytes());
        self.bytes(source.map(|it| *it.as_bytes()).as_ref().map(|it| &it[..]));
    }

    fn partner_event(&mut self, event: IntegrationEvent) -> Result<(), BackendError> {
        self.fixed(&[code_of(&EVENTS, event).map_err(incompatible)?]);
        Ok(())
    }

    fn partner_key(&mut self, key: &IntegrationKey) {
        self.optional_text(Some(key.app.as_str()));
        self.optional_text(Some(key.company.as_str()));
    }

    fn spans(&mut self, spans: &[Duration]) {
        spans.iter().for_each(|it| self.number(Some(millis(*it))));
    }
}

/// What a server knows an operation by, and whether it changes nothing that anybody asks for.
const fn kind(op: &PartnerOp<Sealed>) -> (&'static str, bool) {
    match op {
        PartnerOp::Activate { .. } => ("partner_activate", false),
        PartnerOp::Arm { .. } => ("partner_arm", false),
        PartnerOp::Begin { .. } => ("partner_begin", false),
        PartnerOp::Commit { .. } => ("partner_commit", false),
        PartnerOp::CountRefusal { .. } => ("partner_count_refusal", false),
        PartnerOp::Disable { .. } => ("partner_disable", false),
        PartnerOp::End { .. } => ("partner_end", false),
        PartnerOp::EndAll { .. } => ("partner_end_all", false),
        PartnerOp::FindClient { .. } => ("partner_find_client", true),
        PartnerOp::Identify { .. } => ("partner_identify", true),
        PartnerOp::Issue { .. } => ("partner_issue", false),
        PartnerOp::Load { .. } => ("partner_load", true),
        PartnerOp::Pulse { .. } => ("partner_pulse", true),
        PartnerOp::Unsettled { .. } => ("partner_unsettled", true),
        PartnerOp::Void { .. } => ("partner_void", false),
    }
}
