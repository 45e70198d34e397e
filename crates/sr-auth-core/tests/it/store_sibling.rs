//! Successors that are put aside.

use sr_auth_core::store::{Model, Sibling, StoreOp};

use crate::fixture::at;
use crate::store_model::{A, Token, commit, generation, key, store, token};

/// A successor that ends at another moment than others of its generation.
fn escrow_until(from: u64, value: Token, ends_at: u64) -> StoreOp<Token> {
    let sibling = Sibling { from: generation(from), token: token(value, ends_at) };
    StoreOp::Escrow { key: key(), owner: A, sibling }
}

pub(crate) fn escrow(from: u64, value: Token) -> StoreOp<Token> {
    escrow_until(from, value, 9)
}

#[test]
fn the_newest_sibling_is_kept_until_it_is_promoted() {
    let mut store = store();
    let sibling = |store: &Model<Token>| {
        store.record(&key()).expect("there").sibling.as_ref().map(|it| it.token.value)
    };
    for (from, value, ends_at, kept) in [
        (2, "s2", 9, "s2"),
        (1, "s1", 10, "s2"),
        (2, "s3", 9, "s2"),
        (2, "s4", 10, "s4"),
        (3, "s3", 9, "s3"),
    ] {
        store.apply(at(1), escrow_until(from, value, ends_at));
        assert_eq!(sibling(&store), Some(kept), "{value} of generation {from}");
    }
    store.apply(at(2), commit(1, A, Some("rt2")));
    assert_eq!(sibling(&store), Some("s3"), "another commit leaves it");
    store.apply(at(3), commit(2, A, Some("s3")));
    assert_eq!(sibling(&store), None, "its own commit promotes it");
}
