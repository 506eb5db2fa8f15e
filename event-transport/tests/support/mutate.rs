//! Seeded mutation of valid input. A failure names its seed; `TIDINGS_SEED=…` runs that one alone.

use std::time::{Duration, Instant};

use fastrand::Rng;

/// Seconds for each of the three mutation tests, unless `TIDINGS_MUTATION_SECONDS` says otherwise.
const SECONDS: u64 = 20;
/// So that a slow machine tests something too.
const LEAST: u64 = 2_000;

/// Runs `case` with one seed after the other until the time is over, or with the one that is asked for.
pub(crate) fn run(mut case: impl FnMut(&mut Rng)) {
    let number = |name: &str| {
        let value = std::env::var(name).ok()?;
        Some(value.parse::<u64>().expect("it is a number"))
    };
    if let Some(seed) = number("TIDINGS_SEED") {
        return case(&mut Rng::with_seed(seed));
    }
    let seconds = number("TIDINGS_MUTATION_SECONDS").unwrap_or(SECONDS);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut cases = 0;
    let first = fastrand::u64(..);
    while cases < LEAST || Instant::now() < end {
        let named = Named(first.wrapping_add(cases));
        case(&mut Rng::with_seed(named.0));
        cases += 1;
    }
    println!("{cases} cases from seed {first}");
}

struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed is {0}: TIDINGS_SEED={0} runs it alone", self.0);
        }
    }
}

/// Bytes on which decoders have gone wrong before.
const BYTES: [u8; 10] = [0, 1, 4, 12, 13, 0x7f, 0x80, 0xfe, 0xff, b'"'];

/// Changes some bytes, often few.
pub(crate) fn mutate(bytes: &mut Vec<u8>, random: &mut Rng) {
    for _ in 0..1 << random.u32(0..4) {
        let at = random.usize(..=bytes.len());
        let end = random.usize(at..=bytes.len().min(at + 32));
        match random.u32(0..7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.u32(0..8),
            1 if at < bytes.len() => bytes[at] = BYTES[random.usize(..BYTES.len())],
            2 => bytes.insert(at, random.u8(..)),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let copy = bytes[at..end].to_vec();
                let to = random.usize(..=bytes.len());
                bytes.splice(to..to, copy);
            }
            5 => bytes.truncate(at),
            _ => bytes[at..end].fill_with(|| random.u8(..)),
        }
    }
}
