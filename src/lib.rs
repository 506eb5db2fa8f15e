#![doc = include_str!("../README.md")]

// The attributes name `::tidings`, also in this package's own tests and examples.
extern crate self as tidings;

pub use event_core::{
    AnyEvent, BuildError, Bus, BusBuilder, Catalog, Cause, Code, Context, Emission, EmissionFuture,
    EmitError, Event, EventInfo, Failure, FailureKind, Field, InstallError, InstallErrorKind,
    Installed, ListenerInfo, ListenerSet, Listeners, Mode, PatternError, PatternErrorKind, Phase,
    Problem, Report, Runtime, StateNeed, Subscription, Task, Unheard, WeakBus, catalog, emit, link,
};
#[cfg(feature = "json")]
pub use event_core::{EmitJsonError, EmitJsonErrorKind, ToJsonError};
pub use event_macros::{event, listener, listeners};

#[doc(hidden)]
pub use event_core::private as __private;
