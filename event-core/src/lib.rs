//! The core of [`tidings`](https://docs.rs/tidings): events, topics, link-time registration, the bus and its dispatch.
//!
//! Applications depend on the facade `tidings`, which re-exports what stands here. Data flows one way: `registration` (the linker) →
//! `registry` (once) → `builder` → `bus` → `dispatch` → listener → `report`.
//!
//! Each room has its door in the file of its name, and what belongs to it beside it in the folder:
//!
//! | room | what lives there |
//! |---|---|
//! | `event`, `topic`, `listener` | what a declaration says: the payload, its name, the listener's parameters, returns, policy and times |
//! | `registration`, `registry`, `link`, `catalog` | what the linker gathered, read once, and shown |
//! | `build` | choosing listeners, every check, order, state, and the tables that come of it |
//! | `bus` | the handle and what it owns: subscriptions, the current bus, what is open, the end |
//! | `dispatch` | the way of one emission: the loops, the thread's stack, the report, failures |
//! | `delivery` | what outlives its emission: async deliveries, the seam for queues, timers |
//! | `request`, `waits` | asking for an answer, and waiting for events |
//! | `runtime`, `interceptor`, `private` | the seams: for runtimes, for the test kit, for generated code |

mod build;
mod bus;
mod catalog;
mod check;
mod delivery;
mod dispatch;
mod event;
mod interceptor;
#[cfg(feature = "json")]
mod json;
mod link;
mod listener;
mod outlet;
#[doc(hidden)]
pub mod private;
mod protocol;
mod registration;
mod registry;
mod request;
mod runtime;
mod sync;
mod topic;
mod waits;

pub use build::builder::BusBuilder;
pub use build::error::{BuildError, Code, Problem};
pub use build::select::ListenerSet;
pub use bus::current::{InstallError, InstallErrorKind, Installed, emit};
pub use bus::drained::Drained;
pub use bus::later::{Elapsed, LaterError, LaterErrorKind, LaterHandle};
pub use bus::methods::Listeners;
pub use bus::shutdown::{Left, Shutdown, ShutdownFuture, WouldDeadlock};
pub use bus::subscription::Subscription;
pub use bus::{Bus, WeakBus};
pub use catalog::{Catalog, catalog};
pub use delivery::lane::QueueStats;
pub use dispatch::any_event::AnyEvent;
pub use dispatch::context::{Cause, Context};
pub use dispatch::emission::{Emission, EmissionFuture};
pub use dispatch::failure::{Failure, FailureKind};
pub use dispatch::report::{EmitError, Report};
pub use event::{Event, EventInfo, Field, Unanswered, Unheard};
#[cfg(feature = "json")]
pub use json::{EmitJsonError, EmitJsonErrorKind, ToJsonError};
pub use listener::policy::{Overflow, Overlap, Policy};
pub use listener::timed::Missed;
pub use listener::{ListenerInfo, Mode, Phase, StateNeed};
pub use request::{Request, RequestError, RequestErrorKind, RequestFuture};
pub use runtime::{Runtime, Task};
pub use topic::{PatternError, PatternErrorKind};
pub use waits::{EventStream, NextError, NextErrorKind, NextFuture};
