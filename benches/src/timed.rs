//! Workloads that say themselves how long they took, for what needs a preparation that must not count.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::harness::{Samples, per_call};

/// How long a workload took for its items.
pub type Took = Result<Duration, Box<dyn Error>>;

/// Something that is done to so many items.
pub struct Workload {
    name: &'static str,
    items: u64,
    run: Box<dyn FnMut(u64) -> Took>,
}

impl Workload {
    /// `run` does it to as many items as it is told, and says how long that took; a sample is `items` of them.
    pub fn new(name: &'static str, items: u64, run: impl FnMut(u64) -> Took + 'static) -> Self {
        let run = Box::new(run);
        Self { name, items, run }
    }

    /// Returns the name, `who what`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Does it to so many items.
    ///
    /// # Errors
    ///
    /// The workload's own.
    pub fn run(&mut self, items: u64) -> Took {
        (self.run)(items)
    }

    fn sample(&mut self) -> Result<f64, Box<dyn Error>> {
        let took = self.run(self.items)?;
        Ok(per_call(took.as_secs_f64() * 1e9, self.items))
    }
}

impl fmt::Debug for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workload")
            .field("name", &self.name)
            .field("items", &self.items)
            .finish_non_exhaustive()
    }
}

/// Takes one sample of every workload in each of `rounds` rounds, after one that only warms up.
///
/// # Errors
///
/// The first error of a workload.
pub fn take(workloads: &mut [Workload], rounds: usize) -> Result<Samples, Box<dyn Error>> {
    let mut round = || workloads.iter_mut().map(Workload::sample).collect();
    let _: Vec<f64> = round()?;
    let rounds = (0..rounds).map(|_| round()).collect::<Result<_, _>>()?;
    let names = workloads.iter().map(Workload::name).collect();
    Ok(Samples::new(names, rounds))
}
