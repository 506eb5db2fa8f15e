//! Side-by-side benchmarks of `tidings`, its floors and its peers.
//!
//! `cargo xtask bench` runs the programs of this package and writes `RESULTS.md`. Each prints tab-separated lines, a key and a value.

pub mod floor;
pub mod generated;
pub mod harness;
pub mod ours;
pub mod peers;
pub mod process;
pub mod timed;
pub mod work;
