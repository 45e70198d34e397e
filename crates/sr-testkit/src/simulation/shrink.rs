//! Makes a story short.

use super::run::Report;
use super::{Coverage, Simulation};

/// Looks for a shorter byte string that tells the same story, in at most `attempts` runs: after the
/// run of one, `is_same` sees what came of it, and in the simulation what it has met.
///
/// Zeros are quiet choices and follow every string, so bytes are cut off, cut out and set to zero,
/// in ever smaller pieces. The result depends on nothing but the arguments.
#[must_use]
pub fn shrink(
    simulation: &mut Simulation,
    bytes: Vec<u8>,
    attempts: u32,
    is_same: impl Fn(&Report, &Coverage) -> bool,
) -> Vec<u8> {
    let mut shrinker = Shrinker { attempts, best: bytes, is_same, simulation };
    shrinker.cut_off();
    loop {
        let before = shrinker.best.clone();
        let mut piece = (shrinker.best.len() / 2).next_power_of_two();
        while piece > 0 {
            shrinker.pieces(piece, cut_out);
            shrinker.pieces(piece, set_to_zero);
            piece /= 2;
        }
        if shrinker.attempts == 0 || shrinker.best == before {
            return shrinker.best;
        }
    }
}

struct Shrinker<'a, F> {
    attempts: u32,
    best: Vec<u8>,
    is_same: F,
    simulation: &'a mut Simulation,
}

impl<F: Fn(&Report, &Coverage) -> bool> Shrinker<'_, F> {
    /// Keeps a string that tells the same story and is less than the best; `true` if it does.
    fn offer(&mut self, candidate: Vec<u8>) -> bool {
        if self.attempts == 0 || weight(&candidate) >= weight(&self.best) {
            return false;
        }
        self.attempts -= 1;
        self.simulation.coverage_mut().clear();
        let report = self.simulation.run_bytes(candidate);
        let is_kept = (self.is_same)(&report, self.simulation.coverage());
        if is_kept && weight(&report.choices) < weight(&self.best) {
            // What was not read did not matter.
            self.best = report.choices;
        }
        is_kept
    }

    /// Cuts the end off, by halves.
    fn cut_off(&mut self) {
        let mut cut = self.best.len() / 2;
        while cut > 0 {
            let shorter = self.best.len().saturating_sub(cut);
            let candidate = self.best.get(..shorter).unwrap_or_default().to_vec();
            if !self.offer(candidate) {
                cut /= 2;
            }
        }
    }

    /// Tries to do without each piece of so many bytes, from the end on.
    fn pieces(&mut self, piece: usize, without: fn(&[u8], usize, usize) -> Vec<u8>) {
        let mut from = self.best.len().saturating_sub(piece);
        loop {
            let to = (from + piece).min(self.best.len());
            let candidate = without(&self.best, from.min(to), to);
            self.offer(candidate);
            if from == 0 || self.attempts == 0 {
                return;
            }
            from = from.min(self.best.len()).saturating_sub(piece);
        }
    }
}

/// How much there is to read: the fewer choices that are not quiet, and the fewer bytes, the better.
fn weight(bytes: &[u8]) -> (usize, usize) {
    (bytes.iter().filter(|byte| **byte != 0).count(), bytes.len())
}

fn cut_out(bytes: &[u8], from: usize, to: usize) -> Vec<u8> {
    let (before, after) = (bytes.get(..from), bytes.get(to..));
    [before.unwrap_or_default(), after.unwrap_or_default()].concat()
}

fn set_to_zero(bytes: &[u8], from: usize, to: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.get_mut(from..to).into_iter().flatten().for_each(|byte| *byte = 0);
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}
