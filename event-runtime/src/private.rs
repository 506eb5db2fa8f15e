//! What generated code names. Not public: it changes with any release.

pub use crate::listen::{Behind, BehindFallback, NoQueue, Queued};

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
