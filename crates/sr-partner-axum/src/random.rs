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

#[cfg(test)]
mod tests {
    use sr_auth_core::ScopeSet;
    use sr_partner::OutboundCredentials;

    use super::*;

    /// How far a count may be from the expected one, in standard deviations: less than one run in a
    /// million goes beyond.
    const DEVIATIONS: f64 = 5.0;

    #[test]
    fn i10_each_digit_of_what_is_made_comes_as_often_as_any_other() {
        let mut counts = [0_u32; 16];
        let mut all = 0_u32;
        for _ in 0..4_000 {
            let drawn = draw().unwrap();
            let pair = OutboundCredentials::generate(drawn, ScopeSet::parse("").unwrap());
            let id = pair.id().as_str().strip_prefix(OutboundCredentials::ID_PREFIX).unwrap();
            for digit in id.chars().chain(pair.secret().expose().chars()) {
                counts[usize::try_from(digit.to_digit(16).unwrap()).unwrap()] += 1;
                all += 1;
            }
        }
        assert_eq!(all, 4_000 * 128);
        let expected = f64::from(all) / 16.0;
        let deviation = (expected * 15.0 / 16.0).sqrt();
        for (digit, count) in counts.iter().enumerate() {
            let off = (f64::from(*count) - expected).abs();
            assert!(off < DEVIATIONS * deviation, "{digit:x} comes {count} times of {expected}");
        }
    }

    #[test]
    fn i10_every_byte_is_drawn_whatever_the_length() {
        let drawn: Vec<[u8; 80]> = (0..64).map(|_| draw().unwrap()).collect();
        for at in 0..80 {
            let first = drawn[0][at];
            assert!(drawn.iter().any(|it| it[at] != first), "byte {at} is always {first}");
        }
    }
}
