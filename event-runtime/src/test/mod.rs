//! The test kit: a bus of its own for every test, with virtual time, faults, a record of what happened and sentences about it.
//!
//! A [`TestBus`] is a [`Bus`](event_core::Bus) whose async listeners and queues run on the test's thread, in virtual time. [`settle`](TestBus::settle)
//! waits for everything that was set off, by counting it, and gives the [`Run`] to ask about. Tests share nothing and run in parallel.
//!
//! ```standalone_crate
//! use std::time::Duration;
//! use tidings::test::TestBus;
//! use tidings::{event, listener};
//!
//! #[event]
//! struct Placed {
//!     order: u64,
//! }
//!
//! #[event]
//! struct Paid {
//!     order: u64,
//! }
//!
//! #[listener(queue = 64, retry = 2, backoff = "1h..1h")]
//! fn charge(e: &Placed) -> Result<Paid, String> {
//!     Ok(Paid { order: e.order })
//! }
//!
//! #[listener]
//! async fn receipt(_: &Paid) {}
//!
//! let bus = TestBus::new();
//! bus.fail(charge).times(2).with("the bank is closed");
//!
//! bus.emit(Placed { order: 7 });
//! let run = bus.settle_blocking();
//!
//! run.heard_by(charge).once().tries(3).ok();
//! run.emitted::<Paid>().one(|paid| paid.order == 7);
//! run.order((charge, receipt));
//! assert_eq!(bus.elapsed(), Duration::from_secs(2 * 3600));
//! ```

mod builder;
mod bus;
mod emitted;
mod fault;
mod heard;
mod permute;
mod record;
mod replace;
mod run;
mod settle;
mod timeline;

pub use builder::TestBusBuilder;
pub use bus::TestBus;
pub use emitted::Emitted;
pub use fault::{Failing, Fault};
pub use heard::Heard;
pub use permute::{permute, permute_from};
pub use run::Run;
pub use settle::Settle;
