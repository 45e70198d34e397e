//! What decides a run: a byte string, so that a seed, a fuzzer and a saved file drive one harness.

use std::time::Duration;

/// The decisions of one run, read from a byte string.
///
/// Zero always means the quiet choice: no fault, no delay, the first of a list. Where the string
/// ends there is nothing but zeros, so cutting bytes off, or setting them to zero, takes faults
/// away and never adds a kind that was not there.
///
/// A seed stands for an endless string. What was read of it is [`read`](Self::read), which repeats
/// the run without the seed.
#[derive(Clone, Debug)]
pub struct Choices {
    at: usize,
    bytes: Vec<u8>,
    source: Option<SplitMix>,
}

/// A probability in 65,536ths.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Rate(u16);

impl Rate {
    /// Never.
    pub const NEVER: Self = Self(0);

    /// Once in `times`, as nearly as it can be said; 0 is never.
    #[must_use]
    pub const fn once_in(times: u32) -> Self {
        if times == 0 {
            return Self::NEVER;
        }
        let parts = 65_536 / times;
        Self(if parts == 0 {
            1
        } else if parts > 65_535 {
            u16::MAX
        } else {
            parts as u16
        })
    }

    /// Returns how many times in 65,536.
    #[must_use]
    pub const fn parts(self) -> u16 {
        self.0
    }
}

impl Choices {
    /// Takes a byte string; zeros follow it.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { at: 0, bytes, source: None }
    }

    /// Takes the endless byte string of a seed.
    #[must_use]
    pub const fn from_seed(seed: u64) -> Self {
        Self { at: 0, bytes: Vec::new(), source: Some(SplitMix(seed)) }
    }

    /// Starts again with the byte string of another seed, in the same memory.
    pub fn restart(&mut self, seed: u64) {
        self.at = 0;
        self.bytes.clear();
        self.source = Some(SplitMix(seed));
    }

    /// Returns the bytes that were read so far, without the zeros after the end.
    #[must_use]
    pub fn read(&self) -> &[u8] {
        self.bytes.get(..self.at).unwrap_or(&self.bytes)
    }

    /// Reads a byte.
    pub fn byte(&mut self) -> u8 {
        let byte = match self.bytes.get(self.at) {
            Some(byte) => *byte,
            None => self.beyond(),
        };
        // Past the end there is no place to stand on: what was read ends where the string does.
        self.at = (self.at + 1).min(self.bytes.len());
        byte
    }

    /// Reads a number of 16 bits.
    pub fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// Chooses one of `count` numbers from 0 on, of at most 65,536.
    pub fn below(&mut self, count: u32) -> u32 {
        let count = count.clamp(1, 65_536);
        match count {
            1 => 0,
            2..=256 => (u32::from(self.byte()) * count) >> 8,
            _ => (u32::from(self.word()) * count) >> 16,
        }
    }

    /// Decides whether something happens.
    pub fn happens(&mut self, rate: Rate) -> bool {
        rate != Rate::NEVER && u16::MAX - self.word() < rate.0
    }

    /// Chooses by weight: the first is what happens when no other does, and the others are given
    /// with the rate of each.
    pub fn among<T: Copy>(&mut self, usual: T, others: &[(Rate, T)]) -> T {
        let mut left = u16::MAX - self.word();
        for (rate, other) in others {
            if left < rate.0 {
                return *other;
            }
            left -= rate.0;
        }
        usual
    }

    /// Chooses an item; the first is the quiet one.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        let at = self.below(count) as usize;
        *items.get(at).expect("there is an item to choose")
    }

    /// Chooses a span from nothing up to `longest`, short ones more often: half of them are shorter
    /// than an eighth.
    pub fn span(&mut self, longest: Duration) -> Duration {
        let part = u128::from(self.word());
        let millis = (longest.as_millis() * (part * part * part)) >> 48;
        Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    fn beyond(&mut self) -> u8 {
        let Some(source) = &mut self.source else { return 0 };
        for _ in 0..8 {
            self.bytes.extend(source.next().to_le_bytes());
        }
        self.bytes.get(self.at).copied().unwrap_or(0)
    }
}

/// Numbers that look random, from a seed (SplitMix64 by Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
struct SplitMix(u64);

impl SplitMix {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: Rate = Rate::once_in(2);

    /// One of each kind of decision.
    fn decide(choices: &mut Choices) -> (u8, u32, u32, bool, char, char, Duration) {
        (
            choices.byte(),
            choices.below(6),
            choices.below(1_000),
            choices.happens(HALF),
            choices.among('a', &[(Rate::once_in(4), 'b'), (Rate::once_in(4), 'c')]),
            choices.pick(&['x', 'y']),
            choices.span(Duration::from_secs(60)),
        )
    }

    #[test]
    fn zeros_are_the_quiet_choice_and_follow_every_string() {
        let quiet = (0, 0, 0, false, 'a', 'x', Duration::ZERO);
        for bytes in [vec![], vec![0; 5], vec![0; 100]] {
            let mut choices = Choices::from_bytes(bytes);
            assert_eq!([decide(&mut choices), decide(&mut choices)], [quiet, quiet]);
        }
        let mut choices = Choices::from_bytes(vec![7]);
        assert_eq!((choices.byte(), choices.byte()), (7, 0));
        assert_eq!(choices.read(), [7]);
    }

    #[test]
    fn what_was_read_of_a_seed_repeats_its_run() {
        let mut seeded = Choices::from_seed(11);
        let run: Vec<_> = (0..50).map(|_| decide(&mut seeded)).collect();
        let mut replayed = Choices::from_bytes(seeded.read().to_vec());
        assert_eq!(run, (0..50).map(|_| decide(&mut replayed)).collect::<Vec<_>>());
        assert_eq!(decide(&mut replayed).0, 0, "and then there is nothing");
        seeded.restart(11);
        assert_eq!(run, (0..50).map(|_| decide(&mut seeded)).collect::<Vec<_>>());
        seeded.restart(12);
        assert_ne!(run, (0..50).map(|_| decide(&mut seeded)).collect::<Vec<_>>());
    }

    #[test]
    fn a_rate_is_kept() {
        let mut choices = Choices::from_seed(3);
        let cases = [
            (Rate::NEVER, 0..=0),
            (Rate::once_in(1), 9_990..=10_000),
            (HALF, 4_800..=5_200),
            (Rate::once_in(100), 70..=130),
        ];
        for (rate, expected) in cases {
            let count = (0..10_000).filter(|_| choices.happens(rate)).count();
            assert!(expected.contains(&count), "{rate:?}: {count}");
        }
        let count = (0..10_000).filter(|_| choices.among(false, &[(HALF, true)])).count();
        assert!((4_800..=5_200).contains(&count), "{count}");
        assert_eq!(Rate::once_in(1_000_000).parts(), 1, "rare is not never");
    }

    #[test]
    fn numbers_stay_in_their_range_and_reach_its_ends() {
        let mut choices = Choices::from_seed(5);
        for count in [1, 2, 7, 256, 257, 65_536] {
            let drawn: Vec<_> = (0..2_000).map(|_| choices.below(count)).collect();
            assert!(drawn.iter().all(|it| *it < count), "{count}");
            assert!(drawn.iter().any(|it| *it >= count - count.div_ceil(16)), "{count}");
        }
        let longest = Duration::from_secs(1_000);
        let mut spans: Vec<_> = (0..2_000).map(|_| choices.span(longest)).collect();
        spans.sort_unstable();
        assert!(spans.last().is_some_and(|it| *it <= longest && *it > longest * 9 / 10));
        let median = spans.get(1_000).copied().unwrap_or_default();
        assert!((longest / 10..longest / 6).contains(&median), "{median:?}");
    }
}
