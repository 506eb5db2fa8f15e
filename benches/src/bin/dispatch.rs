//! Prints nanoseconds per call and the ratios that the reaches are about, one tab-separated line each.

use std::error::Error;

use tidings_benches::harness::Samples;
use tidings_benches::{floor, peers};

struct T{amount:u64}
fn f<const N:usize>(t:&T){tidings_benches::work::add(t.amount,N)}
fn main() -> Result<(), Box<dyn Error>> {
    let rounds = match std::env::args().nth(1) {
        Some(rounds) => rounds.parse()?,
        None => 2000,
    };
    let mut contestants = vec![floor::call(), floor::functions("f/1",vec![f::<0>],|amount|T{amount}),floor::functions("f/10",vec![f::<0>,f::<1>,f::<2>,f::<3>,f::<4>,f::<5>,f::<6>,f::<7>,f::<8>,f::<9>],|amount|T{amount})];
    contestants.extend(peers::contestants());
    let samples = Samples::take(&mut contestants, rounds);
    for name in samples.names() {
        println!("ns\t{name}\t{:?}", samples.nanoseconds(name));
    }
    Ok(())
}
