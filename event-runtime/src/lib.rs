//! The runtime of [`tidings`](https://docs.rs/tidings): what delivers an event later than its emission.
//!
//! Here are the queues of listeners: a bounded [`Channel`](queue::Channel) that knows nothing of events, one worker loop, and the two places
//! where it runs, threads and tasks. And a [`VirtualRuntime`] for tests.

mod clock;
pub mod event_loop;
mod listen;
#[doc(hidden)]
pub mod private;
pub mod queue;
mod simulated;
mod sync;
#[cfg(feature = "test")]
pub mod test;

pub use clock::{Clock, Sleep};
pub use simulated::VirtualRuntime;
