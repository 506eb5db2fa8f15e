//! What generated code names. Not public: it changes with any release.

#[cfg(feature = "signal")]
pub use crate::event_loop::program::{Program, Ready, async_main, plain_main, setup};
pub use crate::listen::{Behind, BehindFallback, NoQueue, Outlet, Parcel, Queued};

/// Timed listeners are installed as they are.
#[doc(hidden)]
#[macro_export]
macro_rules! __timed {
    ($($code:tt)*) => { $($code)* };
}

/// Listeners behind queues are installed as they are.
#[doc(hidden)]
#[macro_export]
macro_rules! __queued {
    ($($code:tt)*) => { $($code)* };
}

/// A program that the attribute `main` makes is run as it is.
#[cfg(feature = "signal")]
#[doc(hidden)]
#[macro_export]
macro_rules! __program {
    ($($code:tt)*) => { $($code)* };
}
