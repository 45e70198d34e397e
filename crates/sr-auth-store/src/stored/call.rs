//! An operation as a name and a list of values: what is sent to a server that carries it out.

use sr_auth_core::Fingerprint;
use sr_auth_core::lifecycle::StoreFailure;
use sr_auth_core::store::{
    End, Generation, Health, IntentId, LedgerEvent, Model, NewGrant, NewIntent, OwnerId, Sequence,
    StoreOp, StoredToken, TakeOver,
};

use super::{Nonsense, health_name, ledger, millis, moment, number, renewal_name};
use crate::{BackendError, BackendFault, Sealed};

/// The longest sealed value that a server is sent, in bytes.
pub(crate) const VALUE_LIMIT: usize = 1024 * 1024;

/// An operation that is ready to be sent.
#[derive(Debug)]
pub(crate) struct Call {
    /// Whether it changes nothing that anybody asks for.
    pub(crate) is_read: bool,
    /// What the server knows it by.
    pub(crate) name: &'static str,
    /// The key first, if it is about one grant.
    pub(crate) parameters: Vec<Parameter>,
}

/// One value; nothing where there is none.
#[derive(Debug)]
pub(crate) enum Parameter {
    Bytes(Option<Vec<u8>>),
    Flag(bool),
    Number(Option<i64>),
    Text(Option<String>),
}

impl Call {
    /// Writes an operation down.
    ///
    /// # Errors
    ///
    /// [`BackendFault::TooLarge`] for a value beyond the limit, and
    /// [`BackendFault::Incompatible`] for what this version does not know.
    pub(crate) fn of(op: &StoreOp<Sealed>) -> Result<Self, BackendError> {
        let mut call = Self { is_read: false, name: "", parameters: Vec::new() };
        call.name = call.write(op)?;
        Ok(call)
    }

    /// Adds the parameters, and returns the name.
    fn write(&mut self, op: &StoreOp<Sealed>) -> Result<&'static str, BackendError> {
        if let Some(key) = op.key() {
            self.text_parameter(key.as_str());
        }
        match op {
            StoreOp::Adopt { grant, only_if_missing, .. } => self.adopt(grant, *only_if_missing),
            StoreOp::Arm { generation, intent, over, .. } => self.arm(*generation, intent, *over),
            StoreOp::Bury { cause, generation, owner, refused, .. } => {
                self.generation(Some(*generation));
                self.owner(*owner);
                self.health(Health::Dead(*cause))?;
                self.event(LedgerEvent::Buried(*cause))?;
                self.fingerprint(refused.as_ref());
                Ok("bury")
            }
            StoreOp::Commit { generation, owner, successor, .. } => {
                self.generation(Some(*generation));
                self.owner(*owner);
                self.event(LedgerEvent::Rotated)?;
                self.token(successor.access.as_ref())?;
                self.token(successor.refresh.as_ref())?;
                Ok("commit")
            }
            StoreOp::Disarm { intent, not_before, refusals, .. } => {
                self.intent(Some(*intent));
                self.number(Some(moment(*not_before)));
                self.number(Some(i64::from(refusals.count)));
                self.number(Some(i64::from(refusals.status)));
                self.number(Some(moment(refusals.first_at)));
                Ok("disarm")
            }
            StoreOp::Due { limit, until } => {
                self.is_read = true;
                self.number(Some(moment(*until)));
                self.number(Some(i64::try_from(*limit).unwrap_or(i64::MAX)));
                Ok("due")
            }
            StoreOp::End { end, generation, .. } => self.end(*end, *generation),
            StoreOp::Escrow { owner, sibling, .. } => {
                self.owner(*owner);
                self.event(LedgerEvent::Escrowed)?;
                self.generation(Some(sibling.from));
                self.token(Some(&sibling.token))?;
                Ok("escrow")
            }
            StoreOp::Load { .. } => {
                self.is_read = true;
                Ok("load")
            }
            StoreOp::Pulse { alive, owner, since } => Ok(self.pulse(*alive, *owner, *since)),
        }
    }

    fn adopt(
        &mut self,
        grant: &NewGrant<Sealed>,
        only_if_missing: bool,
    ) -> Result<&'static str, BackendError> {
        self.flag(only_if_missing);
        self.event(LedgerEvent::Adopted)?;
        self.text_parameter(renewal_name(grant.renewal));
        self.token(grant.access.as_ref())?;
        self.token(grant.refresh.as_ref())?;
        Ok("adopt")
    }

    fn arm(
        &mut self,
        generation: Generation,
        intent: &NewIntent,
        over: Option<TakeOver>,
    ) -> Result<&'static str, BackendError> {
        self.generation(Some(generation));
        self.intent(Some(intent.id));
        self.fingerprint(intent.fingerprint.as_ref());
        self.number(Some(millis(intent.quiet)));
        self.intent(over.map(|it| it.intent));
        self.flag(over.is_some_and(|it| it.even_if_alive));
        self.event(LedgerEvent::TakenOver)?;
        Ok("arm")
    }

    fn end(
        &mut self,
        end: End,
        generation: Option<Generation>,
    ) -> Result<&'static str, BackendError> {
        self.generation(generation);
        self.health(match end {
            End::Disabled => Health::Disabled,
            End::Revoked => Health::Revoked,
        })?;
        self.event(LedgerEvent::Ended(end))?;
        Ok("end_grant")
    }

    fn pulse(&mut self, alive: bool, owner: OwnerId, since: Sequence) -> &'static str {
        self.is_read = !alive;
        self.owner(owner);
        self.number(Some(number(since.0)));
        self.flag(alive);
        let remembered = Model::<Sealed>::CHANGES_LIMIT;
        self.number(Some(i64::try_from(remembered).unwrap_or(i64::MAX)));
        self.number(Some(millis(Model::<Sealed>::LIFE_SIGN)));
        "pulse"
    }

    pub(super) fn bytes(&mut self, bytes: Option<&[u8]>) {
        self.parameters.push(Parameter::Bytes(bytes.map(<[u8]>::to_vec)));
    }

    fn event(&mut self, event: LedgerEvent) -> Result<(), BackendError> {
        self.bytes(Some(&[ledger::code_of(event).map_err(incompatible)?]));
        Ok(())
    }

    fn fingerprint(&mut self, fingerprint: Option<&Fingerprint>) {
        self.bytes(fingerprint.map(|it| it.as_bytes().as_slice()));
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.parameters.push(Parameter::Flag(flag));
    }

    pub(super) fn generation(&mut self, generation: Option<Generation>) {
        self.number(generation.map(|it| number(it.number())));
    }

    fn health(&mut self, health: Health) -> Result<(), BackendError> {
        self.text_parameter(health_name(health).map_err(incompatible)?);
        Ok(())
    }

    fn intent(&mut self, intent: Option<IntentId>) {
        self.bytes(intent.map(|it| it.owner.number().to_be_bytes()).as_ref().map(|it| &it[..]));
        self.number(intent.map(|it| it.number.cast_signed()));
    }

    pub(super) fn number(&mut self, number: Option<i64>) {
        self.parameters.push(Parameter::Number(number));
    }

    #[cfg(feature = "partner")]
    pub(super) fn optional_text(&mut self, text: Option<&str>) {
        self.parameters.push(Parameter::Text(text.map(str::to_owned)));
    }

    fn owner(&mut self, owner: OwnerId) {
        self.bytes(Some(&owner.number().to_be_bytes()));
    }

    fn text_parameter(&mut self, text: &str) {
        self.parameters.push(Parameter::Text(Some(text.to_owned())));
    }

    fn token(&mut self, token: Option<&StoredToken<Sealed>>) -> Result<(), BackendError> {
        let value = token.map(|it| it.value.as_bytes());
        if value.is_some_and(|it| it.len() > VALUE_LIMIT) {
            return Err(BackendError::new(BackendFault::TooLarge, StoreFailure::NotDone));
        }
        self.bytes(value);
        self.fingerprint(token.map(|it| &it.fingerprint));
        self.number(token.map(|it| moment(it.renew_at)));
        self.number(token.map(|it| moment(it.ends_at)));
        Ok(())
    }
}

/// A cause or an event of a newer version of the core than this backend was written for.
pub(super) const fn incompatible(_: Nonsense) -> BackendError {
    BackendError::new(BackendFault::Incompatible, StoreFailure::NotDone)
}

#[cfg(test)]
mod tests {
    use sr_auth_core::Timestamp;
    use sr_auth_core::store::{GrantKey, Renewal};

    use super::*;

    #[test]
    fn a_value_that_is_too_large_is_not_sent() {
        for (length, expected) in [
            (VALUE_LIMIT, Ok("adopt")),
            (VALUE_LIMIT + 1, Err((BackendFault::TooLarge, StoreFailure::NotDone))),
        ] {
            let access = StoredToken {
                ends_at: Timestamp::EPOCH,
                fingerprint: Fingerprint::from_bytes([1; 16]),
                renew_at: Timestamp::EPOCH,
                value: Sealed::from_bytes(vec![7; length]),
            };
            let renewal = Renewal::Repeatable;
            let op = StoreOp::Adopt {
                grant: NewGrant { access: Some(access), refresh: None, renewal },
                key: GrantKey::new("planner/acme").unwrap(),
                only_if_missing: false,
            };
            let call = Call::of(&op).map(|it| it.name);
            assert_eq!(call.map_err(|it| (it.fault(), it.failure())), expected, "{length}");
        }
    }
}
