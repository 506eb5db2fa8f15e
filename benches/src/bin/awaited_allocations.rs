//! Prints how many allocations one awaited emission makes, the first one of a bus and each one after it.
//!
//! A program of its own, since the counting allocator would slow down a contestant that allocates.

#[path = "awaited/asynchronous.rs"]
mod asynchronous;

use std::error::Error;
use std::hint::black_box;

use allocation_counter::measure;
use tidings_benches::harness::per_call;
use tidings_benches::peers;

const CALLS: u64 = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    let boxed = measure(|| drop(black_box(Box::new(1_u64))));
    assert_eq!(boxed.count_total, 1, "the counting allocator is in use");

    let runtime = asynchronous::runtime()?;
    let mut contestants = asynchronous::contestants(&runtime)?;
    contestants.extend(peers::awaited(&runtime));
    for contestant in &mut contestants {
        let counted = measure(|| contestant.run(CALLS));
        let all = u32::try_from(counted.count_total)?;
        let each = per_call(f64::from(all), CALLS);
        println!("allocations {}\t{each}", contestant.name());
    }
    for (place, on) in [("in task", None), ("on tokio", Some(&*runtime))] {
        let bus = asynchronous::bus(on)?;
        let one = measure(|| runtime.block_on(asynchronous::emit_to_one(&bus, 1)));
        let ten = measure(|| runtime.block_on(asynchronous::emit_to_ten(&bus, 1)));
        for (listeners, counted) in [(1, one), (10, ten)] {
            let count = counted.count_total;
            println!("first allocations tidings {place}/{listeners}\t{count}");
        }
    }
    Ok(())
}
