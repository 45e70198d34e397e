//! Long values and great numbers.

use std::time::Duration;

use sr_auth_core::Timestamp;
use sr_auth_core::store::{
    IntentId, NewGrant, NewIntent, OwnerId, Refusals, Renewal, Sequence, StoreOp, StoredToken,
};
use sr_auth_store::Sealed;

use crate::conformance::bench::{Bench, Step};
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};
use crate::conformance::values::{
    adopt, at, back_off, consent, escrow, key, load, sized_token, token,
};

/// Numbers at which a smaller or a signed type turns over. Moments between the last but one, in the
/// year 146 million, and the last are nobody's.
const NUMBERS: [u64; 7] = [0, 1, u32::MAX as u64, 1 << 32, (1 << 53) + 1, (1 << 62) + 1, u64::MAX];

/// Those of intents are drawn by the application, so that all are possible.
const DRAWN: [u64; 3] = [i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX - 1];

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    let largest = stage.suite().largest;
    let lengths = async |bench: &mut Bench<S>| long_values(bench, largest).await;
    stage.play("values of all lengths are kept", lengths).await?;
    stage.play("moments at the ends of their range are kept", moments).await?;
    stage.play("intents have great numbers", intents).await?;
    stage.play("counts and generations are great", counts).await
}

async fn long_values<S: Subject>(bench: &mut Bench<S>, largest: usize) -> Step<()> {
    let mut keys = Vec::new();
    let lengths = [1, 58, 255, 256, 4_095, 4_096, 32_767, 65_535, 65_536, largest];
    for (name, length) in (1..).zip(lengths.into_iter().filter(|it| *it <= largest)) {
        let key = key(&format!("{length} bytes"));
        let (access, refresh) = (sized_token(name, 0, length), sized_token(name + 50, 0, length));
        let grant =
            NewGrant { access: Some(access), refresh: Some(refresh), renewal: Renewal::SingleUse };
        bench.apply(0, consent(&key, grant)).await?;
        keys.push(key);
    }
    // Bytes that text would not survive.
    for (name, byte) in (100..).zip([0x00, 0x0a, 0x27, 0x5c, 0x80, 0xff]) {
        let key = key(&format!("byte {byte}"));
        let value = Sealed::from_bytes(vec![byte; 64]);
        let access = Some(StoredToken { value, ..token(name, 0) });
        let grant = NewGrant { access, refresh: None, renewal: Renewal::Repeatable };
        bench.apply(0, consent(&key, grant)).await?;
        keys.push(key);
    }
    bench.audit(&keys).await
}

async fn moments<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let mut keys = Vec::new();
    for number in NUMBERS {
        let key = key(&format!("moment {number}"));
        let moment = Timestamp::from_unix_millis(number);
        let moved =
            |it: StoredToken<Sealed>| StoredToken { ends_at: moment, renew_at: moment, ..it };
        let grant = NewGrant {
            access: Some(moved(token(1, 0))),
            refresh: Some(moved(token(2, 0))),
            renewal: Renewal::SingleUse,
        };
        bench.apply(0, consent(&key, grant)).await?;
        keys.push(key);
    }
    bench.audit(&keys).await?;
    for number in NUMBERS {
        let until = Timestamp::from_unix_millis(number);
        for limit in [0, 1, usize::MAX] {
            bench.apply(1, StoreOp::Due { limit, until }).await?;
        }
        let owner = OwnerId::new(1);
        let since = Sequence(number);
        bench.apply(2, StoreOp::Pulse { alive: false, owner, since }).await?;
    }
    Ok(())
}

async fn intents<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let mut keys = Vec::new();
    let owners = [0, 1, u128::from(u64::MAX), 1 << 64, 1 << 127, u128::MAX];
    let numbers = NUMBERS.into_iter().chain(DRAWN);
    for (number, owner) in numbers.zip(owners.into_iter().cycle()) {
        let id = IntentId { number, owner: OwnerId::new(owner) };
        let key = key(&format!("{number} of {owner}"));
        bench.apply(0, adopt(&key, 1)).await?;
        let quiet = Duration::from_millis(if NUMBERS.contains(&number) { number } else { 1 });
        let intent = NewIntent { fingerprint: None, id, quiet };
        let op = StoreOp::Arm { generation: at(1), intent, key: key.clone(), over: None };
        bench.apply(1, op.clone()).await?;
        bench.repeat(2, op).await?;
        keys.push(key);
    }
    bench.audit(&keys).await
}

async fn counts<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    let mut keys = Vec::new();
    for number in NUMBERS {
        let key = key(&format!("counts {number}"));
        bench.apply(0, adopt(&key, 1)).await?;
        let id = IntentId { number, owner: OwnerId::new(u128::from(number)) };
        let intent = NewIntent { fingerprint: None, id, quiet: Duration::ZERO };
        let arm = StoreOp::Arm { generation: at(1), intent, key: key.clone(), over: None };
        bench.apply(0, arm).await?;
        bench.apply(1, escrow(&key, 1, number, number % 100)).await?;
        let moment = Timestamp::from_unix_millis(number);
        let refusals = Refusals {
            count: u32::try_from(number).unwrap_or(u32::MAX),
            first_at: moment,
            status: u16::try_from(number).unwrap_or(u16::MAX),
        };
        bench.apply(2, back_off(&key, id, moment, refusals)).await?;
        bench.apply(0, load(&key)).await?;
        keys.push(key);
    }
    bench.audit(&keys).await
}
