// The README's programs are tests, and some of them have queues, connections or signals.
#![cfg_attr(any(not(doctest), all(feature = "signal", feature = "test", feature = "tls", feature = "wire")), doc = include_str!("../README.md"))]

// The attributes name `::tidings`, also in this package's own tests and examples.
extern crate self as tidings;

pub use event_core::{
    AnyEvent, BuildError, Bus, BusBuilder, Catalog, Cause, Code, Context, Drained, Elapsed,
    Emission, EmissionFuture, EmitError, Event, EventInfo, EventStream, Failure, FailureKind,
    Field, InstallError, InstallErrorKind, Installed, LaterError, LaterErrorKind, LaterHandle,
    Left, ListenerInfo, ListenerSet, Listeners, Missed, Mode, NextError, NextErrorKind, NextFuture,
    Overflow, Overlap, PatternError, PatternErrorKind, Phase, Policy, Problem, QueueStats, Report,
    Request, RequestError, RequestErrorKind, RequestFuture, Runtime, Shutdown, ShutdownFuture,
    StateNeed, Subscription, Task, Unanswered, Unheard, WeakBus, WouldDeadlock, catalog, emit,
    link,
};
#[cfg(feature = "json")]
pub use event_core::{EmitJsonError, EmitJsonErrorKind, ToJsonError};
#[cfg(feature = "transport")]
pub use event_macros::protocol;
pub use event_macros::{event, listener, listeners, main};
#[cfg(feature = "runtime")]
#[doc(inline)]
pub use event_runtime::event_loop;
#[cfg(feature = "signal")]
pub use event_runtime::event_loop::{Signal, SignalReceived};
#[cfg(feature = "test")]
#[doc(inline)]
pub use event_runtime::test;
#[cfg(feature = "runtime")]
pub use event_runtime::{
    VirtualRuntime,
    event_loop::{EventLoop, Remote},
};
#[cfg(feature = "transport")]
#[doc(inline)]
pub use event_transport as transport;

#[doc(hidden)]
pub mod __private {
    #[cfg(not(feature = "signal"))]
    pub use event_core::__no_program as program;
    #[cfg(not(feature = "runtime"))]
    pub use event_core::__no_queue as queued;
    #[cfg(not(feature = "runtime"))]
    pub use event_core::__no_timed as timed;
    pub use event_core::private::*;
    #[cfg(feature = "signal")]
    pub use event_runtime::__program as program;
    #[cfg(feature = "runtime")]
    pub use event_runtime::__queued as queued;
    #[cfg(feature = "runtime")]
    pub use event_runtime::__timed as timed;
    #[cfg(feature = "runtime")]
    pub use event_runtime::private::*;
    #[cfg(feature = "transport")]
    pub use event_transport::private as transport;
}
