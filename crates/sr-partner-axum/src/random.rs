//! Random bytes, of the operating system.

use sr_auth_http::{EntropyError, entropy};
use zeroize::Zeroize as _;

/// Draws as many bytes as are needed.
pub(crate) fn draw<const N: usize>() -> Result<[u8; N], EntropyError> {
    let mut drawn = [0; N];
    for chunk in drawn.chunks_mut(64) {
        let mut random = entropy()?;
        chunk.iter_mut().zip(random).for_each(|(kept, byte)| *kept = byte);
        random.zeroize();
    }
    Ok(drawn)
}
