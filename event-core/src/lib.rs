//! The core of [`tidings`](https://docs.rs/tidings): events, topics, link-time registration, the bus and its dispatch.
//!
//! Applications depend on the facade `tidings`, which re-exports what stands here. Data flows one way: `registration` (the linker) →
//! `registry` (once) → `builder` → `bus` → `dispatch` → listener → `report`.

mod any_event;
mod build;
mod builder;
mod bus;
mod carrier;
mod catalog;
mod check;
mod context;
mod current;
mod delivery;
mod dispatch;
mod emission;
mod error;
mod escape;
mod event;
mod failure;
mod flights;
mod future_slot;
mod generic;
mod hear;
mod hook;
mod installer;
mod instrument;
mod interceptor;
#[cfg(feature = "json")]
mod json;
mod lane;
mod link;
mod listener;
mod methods;
mod order;
mod overlay;
mod pace;
mod param;
mod park;
mod place;
mod policy;
#[doc(hidden)]
pub mod private;
mod registration;
mod registry;
mod report;
mod request;
mod returns;
mod room;
mod runs;
mod runtime;
mod scope;
mod select;
mod shutdown;
mod slot;
mod stack;
mod state;
mod subscription;
mod sync;
mod table;
mod tick;
mod timed;
mod timer;
mod topic;
mod tune;
mod typed;
mod waits;
mod walk;
mod work;

pub use any_event::AnyEvent;
pub use builder::BusBuilder;
pub use bus::{Bus, WeakBus};
pub use catalog::{Catalog, catalog};
pub use context::{Cause, Context};
pub use current::{InstallError, InstallErrorKind, Installed, emit};
pub use emission::{Emission, EmissionFuture};
pub use error::{BuildError, Code, Problem};
pub use event::{Event, EventInfo, Field, Unanswered, Unheard};
pub use failure::{Failure, FailureKind};
#[cfg(feature = "json")]
pub use json::{EmitJsonError, EmitJsonErrorKind, ToJsonError};
pub use lane::QueueStats;
pub use listener::{ListenerInfo, Mode, Phase, StateNeed};
pub use methods::Listeners;
pub use policy::{Overflow, Overlap, Policy};
pub use report::{EmitError, Report};
pub use request::{Request, RequestError, RequestErrorKind, RequestFuture};
pub use runtime::{Runtime, Task};
pub use select::ListenerSet;
pub use shutdown::{Left, Shutdown, ShutdownFuture, WouldDeadlock};
pub use subscription::Subscription;
pub use timed::Missed;
pub use topic::{PatternError, PatternErrorKind};
pub use waits::{EventStream, NextError, NextErrorKind, NextFuture};
