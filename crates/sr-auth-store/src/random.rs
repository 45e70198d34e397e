//! Random bytes of the operating system: the only place that draws them.

/// Draws random bytes; `None` when the operating system gives none.
pub(crate) fn bytes<const N: usize>() -> Option<[u8; N]> {
    let mut random = [0; N];
    getrandom::fill(&mut random).ok().map(|()| random)
}
