//! Bounded queues and their workers, for items of any type.
//!
//! An emitter [offers](Channel::offer) an item to a [`Channel`]. The channel wakes a worker that waits, or asks its [`Start`] for one more:
//! [`ThreadStarter`] runs workers on threads within the limit of a [`Threads`], [`TaskStarter`] runs them as tasks of a runtime. Every
//! worker is the same loop, which gives items to a [`Job`] and obeys its [`Verdict`].

mod backoff;
mod channel;
mod park;
mod pool;
pub(crate) mod quiet;
mod tasks;
mod threads;
mod worker;

pub use backoff::{Backoff, Retry};
pub use channel::{
    Accepted, Channel, Config, Desk, Idle, Overflow, QueueStats, Refused, Room, Start, Worker,
};
pub(crate) use channel::{Ledger, Outcome};
pub use park::ParkClock;
pub use pool::Threads;
pub use tasks::TaskStarter;
pub use threads::{StartError, StartErrorKind, ThreadStarter};
pub use worker::{Attempt, BoxFuture, Job, Loss, Step, Verdict};
