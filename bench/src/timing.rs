//! Times of several works, taken in turns so that a busy minute meets all of them.

use std::time::Instant;

/// Returns the median nanoseconds for each operation of each work.
pub(crate) fn in_turns(works: &mut [(&str, Box<dyn FnMut()>)], operations: u32) -> Vec<f64> {
    const ROUNDS: usize = 15;
    let mut times = vec![Vec::new(); works.len()];
    for _ in 0..ROUNDS {
        for ((_, work), times) in works.iter_mut().zip(&mut times) {
            let started = Instant::now();
            work();
            times.push(started.elapsed().as_nanos() as f64 / f64::from(operations));
        }
    }
    times.into_iter().map(median).collect()
}

/// Returns the middle one.
pub(crate) fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Prints a row, and whether a figure keeps to its goal.
pub(crate) fn judge(what: &str, figure: f64, goal: f64) -> bool {
    let kept = figure <= goal;
    println!("{} {what}: {figure:.1}, goal {goal}", if kept { "met    " } else { "NOT MET" });
    kept
}

/// As [`judge`], for a figure that is kept to a bound while its goal lies elsewhere.
pub(crate) fn judge_beside(what: &str, figure: f64, (bound, goal): (f64, f64)) -> bool {
    let kept = judge(what, figure, bound);
    if figure > goal {
        println!("        wanted are {goal}: not reached");
    }
    kept
}
