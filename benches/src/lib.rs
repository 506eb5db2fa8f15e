//! Side-by-side benchmarks of `tidings`, its floors and its peers, measured in one run.

pub mod floor;
pub mod harness;
pub mod peers;
pub mod work;
