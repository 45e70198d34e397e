//! A record of an integration as bytes.
//!
//! Nothing searches in it, so one column holds it all: numbers big-endian, texts and sealed values
//! after their length. The first byte is the form; what is read has to end where the bytes do.

use sr_auth_core::store::Generation;
use sr_auth_core::{ClientId, ScopeSet, SecretDigest, Timestamp};
use sr_partner::store::{
    Attempt, Binding, Ending, Integrated, IntegrationLedgerEntry, IntegrationRecord, Phase,
};
use sr_partner::{AttemptId, ExchangeId, IntegrationId, OutboundClient, TenantId};

use crate::Sealed;
use crate::sqlite::fault::Trouble;
use crate::stored::partner::codes::{CAUSES, Codes, EVENTS, VERIFIED, code_of, value_of};

const FORM: u8 = 1;

pub(super) fn to_bytes(record: &IntegrationRecord<Sealed>) -> Result<Vec<u8>, Trouble> {
    let mut to = Writer(vec![FORM]);
    to.number(record.generation.number());
    to.option(record.attempt.as_ref(), Writer::attempt)?;
    to.option(record.binding.as_ref(), Writer::binding)?;
    to.option(record.ended.as_ref(), |to, it| {
        to.number(it.at.as_unix_millis());
        to.code(&CAUSES, it.cause)?;
        to.number(it.generation.number());
        Ok(())
    })?;
    for entry in &record.ledger {
        to.number(entry.at.as_unix_millis());
        to.code(&EVENTS, entry.event)?;
        to.number(entry.generation.number());
        to.text(entry.tenant.as_str())?;
    }
    Ok(to.0)
}

pub(super) fn parse(bytes: &[u8]) -> Result<IntegrationRecord<Sealed>, Trouble> {
    let mut from = Reader(bytes);
    if from.byte()? != FORM {
        return Err(Trouble::Nonsense);
    }
    let generation = from.generation()?;
    let attempt = from.option(Reader::attempt)?;
    let binding = from.option(Reader::binding)?;
    let ended = from.option(|from| {
        let (at, cause) = (from.moment()?, from.code(&CAUSES)?);
        Ok(Ending { at, cause, generation: from.generation()? })
    })?;
    let mut ledger = Vec::new();
    while !from.0.is_empty() {
        let (at, event) = (from.moment()?, from.code(&EVENTS)?);
        let generation = from.generation()?;
        ledger.push(IntegrationLedgerEntry { at, event, generation, tenant: from.tenant()? });
    }
    Ok(IntegrationRecord { attempt, binding, ended, generation, ledger })
}

const INTEGRATED: u8 = 1;
const POSTING: u8 = 2;
const PREPARED: u8 = 3;

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u64) {
        self.0.extend(number.to_be_bytes());
    }

    fn moment(&mut self, moment: Timestamp) {
        self.number(moment.as_unix_millis());
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let length = u32::try_from(bytes.len()).map_err(|_| Trouble::Nonsense)?;
        self.0.extend(length.to_be_bytes());
        self.0.extend(bytes);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Trouble> {
        self.bytes(text.as_bytes())
    }

    fn code<T: Copy + PartialEq, const N: usize>(
        &mut self,
        codes: &Codes<T, N>,
        value: T,
    ) -> Result<(), Trouble> {
        self.0.push(code_of(codes, value)?);
        Ok(())
    }

    fn option<T>(
        &mut self,
        value: Option<T>,
        write: impl FnOnce(&mut Self, T) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        self.0.push(u8::from(value.is_some()));
        value.map_or(Ok(()), |value| write(self, value))
    }

    fn attempt(&mut self, attempt: &Attempt<Sealed>) -> Result<(), Trouble> {
        self.moment(attempt.begun_at);
        self.0.extend(attempt.exchange.as_bytes());
        self.number(attempt.generation.number());
        self.0.extend(attempt.id.as_bytes());
        self.option(attempt.outbound.as_ref(), Self::client)?;
        match &attempt.phase {
            Phase::Integrated { at, integrated, until } => {
                self.0.push(INTEGRATED);
                self.moment(*at);
                self.integrated(integrated)?;
                self.moment(*until);
            }
            Phase::Posting { armed_at, posts, quiet_until, until } => {
                self.0.push(POSTING);
                self.moment(*armed_at);
                self.number(u64::from(*posts));
                self.moment(*quiet_until);
                self.moment(*until);
            }
            Phase::Prepared { until } => {
                self.0.push(PREPARED);
                self.moment(*until);
            }
        }
        self.text(attempt.tenant.as_str())?;
        self.option(attempt.used_at, |to, at| {
            to.moment(at);
            Ok(())
        })
    }

    fn binding(&mut self, binding: &Binding<Sealed>) -> Result<(), Trouble> {
        self.0.extend(binding.attempt.as_bytes());
        self.moment(binding.bound_at);
        self.number(binding.generation.number());
        self.integrated(&binding.integrated)?;
        self.option(binding.outbound.as_ref(), Self::client)?;
        self.text(binding.tenant.as_str())?;
        self.code(&VERIFIED, binding.verified)
    }

    fn integrated(&mut self, integrated: &Integrated<Sealed>) -> Result<(), Trouble> {
        self.text(integrated.client_id.as_str())?;
        self.option(integrated.integration.as_ref(), |to, it| to.text(it.as_str()))?;
        self.bytes(integrated.secret.as_bytes())
    }

    fn client(&mut self, client: &OutboundClient) -> Result<(), Trouble> {
        self.text(client.id.as_str())?;
        self.text(&client.scopes.to_string())?;
        self.0.extend(client.secret.as_bytes());
        Ok(())
    }
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Trouble> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Trouble::Nonsense)?;
        self.0 = rest;
        Ok(*array)
    }

    fn byte(&mut self) -> Result<u8, Trouble> {
        self.array().map(|[byte]| byte)
    }

    fn number(&mut self) -> Result<u64, Trouble> {
        self.array().map(u64::from_be_bytes)
    }

    fn generation(&mut self) -> Result<Generation, Trouble> {
        self.number().map(Generation::from_number)
    }

    fn moment(&mut self) -> Result<Timestamp, Trouble> {
        self.number().map(Timestamp::from_unix_millis)
    }

    fn bytes(&mut self) -> Result<&'b [u8], Trouble> {
        let length = u32::from_be_bytes(self.array()?);
        let length = usize::try_from(length).map_err(|_| Trouble::Nonsense)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Trouble::Nonsense)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn text(&mut self) -> Result<&'b str, Trouble> {
        str::from_utf8(self.bytes()?).map_err(|_| Trouble::Nonsense)
    }

    fn code<T: Copy, const N: usize>(&mut self, codes: &Codes<T, N>) -> Result<T, Trouble> {
        Ok(value_of(codes, self.byte()?)?)
    }

    fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Trouble>,
    ) -> Result<Option<T>, Trouble> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(Trouble::Nonsense),
        }
    }

    fn tenant(&mut self) -> Result<TenantId, Trouble> {
        TenantId::new(self.text()?).map_err(|_| Trouble::Nonsense)
    }

    fn attempt(&mut self) -> Result<Attempt<Sealed>, Trouble> {
        let begun_at = self.moment()?;
        let exchange = ExchangeId::from_bytes(self.array()?);
        let generation = self.generation()?;
        let id = AttemptId::from_bytes(self.array()?);
        let outbound = self.option(Self::client)?;
        let phase = self.phase()?;
        let tenant = self.tenant()?;
        let used_at = self.option(Self::moment)?;
        Ok(Attempt { begun_at, exchange, generation, id, outbound, phase, tenant, used_at })
    }

    fn phase(&mut self) -> Result<Phase<Sealed>, Trouble> {
        match self.byte()? {
            INTEGRATED => {
                let (at, integrated) = (self.moment()?, self.integrated()?);
                Ok(Phase::Integrated { at, integrated, until: self.moment()? })
            }
            POSTING => {
                let armed_at = self.moment()?;
                let posts = u32::try_from(self.number()?).map_err(|_| Trouble::Nonsense)?;
                let (quiet_until, until) = (self.moment()?, self.moment()?);
                Ok(Phase::Posting { armed_at, posts, quiet_until, until })
            }
            PREPARED => Ok(Phase::Prepared { until: self.moment()? }),
            _ => Err(Trouble::Nonsense),
        }
    }

    fn binding(&mut self) -> Result<Binding<Sealed>, Trouble> {
        let attempt = AttemptId::from_bytes(self.array()?);
        let bound_at = self.moment()?;
        let generation = self.generation()?;
        let integrated = self.integrated()?;
        let outbound = self.option(Self::client)?;
        let tenant = self.tenant()?;
        let verified = self.code(&VERIFIED)?;
        Ok(Binding { attempt, bound_at, generation, integrated, outbound, tenant, verified })
    }

    fn integrated(&mut self) -> Result<Integrated<Sealed>, Trouble> {
        let client_id = ClientId::new(self.text()?).map_err(|_| Trouble::Nonsense)?;
        let integration =
            self.option(|from| IntegrationId::new(from.text()?).map_err(|_| Trouble::Nonsense))?;
        let secret = Sealed::from_bytes(self.bytes()?);
        Ok(Integrated { client_id, integration, secret })
    }

    fn client(&mut self) -> Result<OutboundClient, Trouble> {
        let id = ClientId::new(self.text()?).map_err(|_| Trouble::Nonsense)?;
        let scopes = ScopeSet::parse(self.text()?).map_err(|_| Trouble::Nonsense)?;
        Ok(OutboundClient { id, scopes, secret: SecretDigest::from_bytes(self.array()?) })
    }
}
