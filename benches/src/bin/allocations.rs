//! Prints how many allocations one emit makes, for `tidings` and the peers.
//!
//! A program of its own, since the counting allocator would slow down a contestant that allocates.

use std::error::Error;
use std::hint::black_box;

use tidings_benches::harness::per_call;
use tidings_benches::{ours, peers};

const CALLS: u64 = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    let boxed = allocation_counter::measure(|| drop(black_box(Box::new(1_u64))));
    assert_eq!(boxed.count_total, 1, "the counting allocator is in use");

    let bus = ours::install()?;
    let mut contestants = ours::contestants(&bus);
    contestants.extend(peers::contestants());
    for contestant in &mut contestants {
        let counted = allocation_counter::measure(|| contestant.run(CALLS));
        let all = u32::try_from(counted.count_total)?;
        let each = per_call(f64::from(all), CALLS);
        println!("allocations {}\t{each}", contestant.name());
    }
    Ok(())
}
