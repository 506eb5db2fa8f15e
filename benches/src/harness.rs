//! Times contestants in turns, so that a drift of the machine hits all of them alike.

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::work;

/// A sample is at least this long, so that reading the clock does not count.
const SAMPLE: Duration = Duration::from_micros(60);

/// One way to bring an event to its listeners.
pub struct Contestant {
    name: &'static str,
    calls: u64,
    run: Box<dyn FnMut(u64)>,
}

impl Contestant {
    /// Wraps `emit`, which brings one event of the given amount to the listeners `0..listeners`.
    ///
    /// # Panics
    ///
    /// When one call does not reach exactly these listeners.
    pub fn new(name: &'static str, listeners: usize, mut emit: impl FnMut(u64) + 'static) -> Self {
        // The loop is inside the box, so that only one indirect call is paid per sample. It is the one place that calls `emit`, so that
        // the compiler does not keep some of them out of the loop.
        Self::in_runs(name, listeners, move |calls| {
            for _ in 0..calls {
                emit(black_box(1));
            }
        })
    }

    /// Wraps `run`, which brings as many events of the amount 1 to the listeners `0..listeners` and ends when these have run.
    ///
    /// # Panics
    ///
    /// When one event does not reach exactly these listeners.
    pub fn in_runs(name: &'static str, listeners: usize, run: impl FnMut(u64) + 'static) -> Self {
        let mut run: Box<dyn FnMut(u64)> = Box::new(run);
        let mut expected = work::totals();
        for total in &mut expected[..listeners] {
            *total += 1;
        }
        run(1);
        assert_eq!(
            work::totals(),
            expected,
            "{name} does not reach its {listeners} listeners"
        );
        let calls = 1;
        Self { name, calls, run }
    }

    /// Returns the name, `who/listeners`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Emits `calls` times.
    pub fn run(&mut self, calls: u64) {
        (self.run)(calls);
    }

    fn time(&mut self) -> Duration {
        let start = Instant::now();
        (self.run)(self.calls);
        start.elapsed()
    }

    fn calibrate(&mut self, sample: Duration) {
        while (0..3).any(|_| self.time() < sample) {
            self.calls *= 2;
        }
    }

    fn sample(&mut self) -> f64 {
        // The contestant before left its own code and data in the caches.
        (self.run)(self.calls / 8);
        per_call(self.time().as_secs_f64() * 1e9, self.calls)
    }
}

impl fmt::Debug for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contestant")
            .field("name", &self.name)
            .field("calls", &self.calls)
            .finish_non_exhaustive()
    }
}

/// Nanoseconds per call of every contestant in every round.
#[derive(Debug)]
pub struct Samples {
    names: Vec<&'static str>,
    rounds: Vec<Vec<f64>>,
}

impl Samples {
    /// Of values that were taken elsewhere: in each round one for each name.
    pub fn new(names: Vec<&'static str>, rounds: Vec<Vec<f64>>) -> Self {
        Self { names, rounds }
    }

    /// Takes one sample of every contestant in each of `rounds` rounds.
    pub fn take(contestants: &mut [Contestant], rounds: usize) -> Self {
        Self::take_long(contestants, rounds, SAMPLE)
    }

    /// The same with samples of at least this length.
    pub fn take_long(contestants: &mut [Contestant], rounds: usize, sample: Duration) -> Self {
        for contestant in &mut *contestants {
            contestant.calibrate(sample);
        }
        let names = contestants.iter().map(Contestant::name).collect();
        let rounds = (0..rounds)
            .map(|_| contestants.iter_mut().map(Contestant::sample).collect())
            .collect();
        Self::new(names, rounds)
    }

    /// Returns the names in the order of the contestants.
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// Returns the median of one contestant, or nothing if there is no such contestant.
    pub fn nanoseconds(&self, name: &str) -> Option<f64> {
        let index = self.index(name)?;
        median(self.rounds.iter().map(|round| round[index]).collect())
    }

    /// Returns the median of the ratios that each round gives for two contestants.
    pub fn ratio(&self, name: &str, reference: &str) -> Option<f64> {
        let index = self.index(name)?;
        let reference = self.index(reference)?;
        median(
            self.rounds
                .iter()
                .map(|round| round[index] / round[reference])
                .collect(),
        )
    }

    /// Prints the median of every contestant, and the ratios of these pairs.
    ///
    /// # Errors
    ///
    /// When there are no rounds, or one of a pair did not run.
    pub fn print(&self, pairs: &[(&str, &str)]) -> Result<(), String> {
        for name in &self.names {
            let nanoseconds = self.nanoseconds(name).ok_or("there are no rounds")?;
            println!("ns {name}\t{nanoseconds}");
        }
        for (name, reference) in pairs {
            let ratio = self.ratio(name, reference);
            let ratio = ratio.ok_or_else(|| format!("{name} or {reference} did not run"))?;
            println!("ratio {name} {reference}\t{ratio}");
        }
        Ok(())
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| *known == name)
    }
}

/// Divides a total by the number of calls it was measured for.
#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of calls are far below 2^52"
)]
pub fn per_call(total: f64, calls: u64) -> f64 {
    total / calls as f64
}

/// Returns the middle of the values, the upper one of two, or nothing if there are none.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlier_does_not_move_the_median() {
        assert_eq!(median(vec![9000.0, 2.0, 1.0]), Some(2.0));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn a_ratio_is_taken_inside_a_round() {
        let samples = Samples {
            names: vec!["ours", "floor"],
            rounds: vec![vec![3.0, 1.0], vec![30.0, 10.0], vec![4.0, 4.0]],
        };

        assert_eq!(samples.ratio("ours", "floor"), Some(3.0));
        assert_eq!(samples.ratio("ours", "nobody"), None);
    }

    #[test]
    #[should_panic(expected = "does not reach its 2 listeners")]
    fn a_contestant_that_reaches_too_few_listeners_is_refused() {
        let _ = Contestant::new("short/2", 2, |amount| work::add(amount, 0));
    }
}
