//! Keys that look alike.

use sr_auth_core::Timestamp;
use sr_auth_core::store::{End, GrantKey, NewGrant, Renewal, StoreOp, StoredToken};

use crate::conformance::bench::{Bench, Step};
use crate::conformance::rule::Rule;
use crate::conformance::stage::Stage;
use crate::conformance::subject::{Subject, TrialError};
use crate::conformance::values::{LONG, arm, consent, intent, key, load, token};

/// Pairs that a collation, a normalisation, a pattern or a number would take for one.
const ALIKE: [&str; 35] = [
    "a",
    "A",
    "a ",
    " a",
    "a\u{a0}",
    "a\u{200b}",
    "\u{e1}",
    "a\u{301}",
    "\u{c1}",
    "ß",
    "ss",
    "i",
    "I",
    "\u{130}",
    "%",
    "_",
    "a%",
    "a_",
    "*",
    "a'; --",
    "\"a\"",
    "\\a",
    "{a}",
    "a:b",
    "a/b",
    "0",
    "00",
    "1e0",
    "NULL",
    "null",
    "\u{fb00}",
    "🦀",
    "\u{10ffff}",
    "\u{feff}a",
    "ключ/会社",
];

pub(super) async fn play<S, M>(stage: &mut Stage<'_, M>) -> Result<(), TrialError>
where
    S: Subject,
    M: AsyncFn() -> Result<S, TrialError>,
{
    stage.play("keys look alike", alike).await
}

/// Keys of the greatest length, which differ at the end.
fn longest() -> impl Iterator<Item = String> {
    let ascii = ["x", "y"].map(|end| "k".repeat(GrantKey::LIMIT - 1) + end);
    let wide = ["x", "y"].map(|end| "é".repeat(GrantKey::LIMIT / 2) + end);
    ascii.into_iter().chain(wide)
}

async fn alike<S: Subject>(bench: &mut Bench<S>) -> Step<()> {
    bench.about(Rule::KeysApart);
    let texts: Vec<String> = ALIKE.into_iter().map(str::to_owned).chain(longest()).collect();
    let keys: Vec<GrantKey> = texts.iter().map(|text| key(text)).collect();
    for (name, grant) in (1..).zip(&keys) {
        // All are due at once, so that the order of the keys decides.
        let renew_at = Timestamp::from_unix_secs(1_000);
        let refresh = Some(StoredToken { renew_at, ..token(name, 0) });
        let new = NewGrant { access: None, refresh, renewal: Renewal::SingleUse };
        bench.apply(0, consent(grant, new)).await?;
    }
    bench.audit(&keys).await?;
    for (number, key) in (0..).zip(&keys) {
        bench.apply(1, arm(key, 1, intent(1, number), LONG)).await?;
    }
    for key in keys.iter().step_by(2) {
        let op = StoreOp::End { end: End::Disabled, generation: None, key: key.clone() };
        bench.apply(2, op).await?;
    }
    for key in &keys {
        bench.apply(0, load(key)).await?;
    }
    bench.audit(&keys).await
}
