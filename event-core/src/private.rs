//! What generated code names. Not public: it changes with any release, which is why the packages are pinned to each other.

pub use std::sync::Arc;

pub use crate::build::installer::{BoxFuture, Installer};
pub use crate::bus::Inner;
pub use crate::bus::escape::Escapes;
pub use crate::check::{
    check_carried, check_event, check_number, check_pattern, check_queue_return, check_retry,
    check_return, check_selected, check_selector, check_time, check_timed_return, check_times,
    hash_key,
};
pub use crate::delivery::future_slot::FutureSlot;
pub use crate::dispatch::Queue;
pub use crate::dispatch::context::{Delivery, Handed, Site};
pub use crate::event::{
    EventInfo, EventOps, Field, Probe, ShareFallback, Shared, Sharing, Unanswered, Unheard,
};
pub use crate::listener::hear::{
    AsyncFn, BoundFn, Hear, Heard, Hears, HeldAny, QueueFn, SharedAny, hears,
};

pub use crate::build::state::StateMap;
pub use crate::bus::methods::Method;
pub use crate::delivery::lane::{
    Abandoned, Berth, Delivered, Events, Lane, Offer, Opened, Origin, RetryIf, Turn, Wait,
};
pub use crate::delivery::pace::Pace;
pub use crate::delivery::park::park;
pub use crate::delivery::tick::Tick;
pub use crate::dispatch::stack::{Entry, Frame, check};
pub use crate::event::slot::Slot;
pub use crate::interceptor::{Attempt, CallEnd, Emitted, Interceptor};
#[cfg(feature = "json")]
pub use crate::json::Codec;
pub use crate::listener::param::{Listener, Param, Takes};
pub use crate::listener::policy::{Overflow, Overlap, Policy};
pub use crate::listener::returns::{Effects, Gives, Returned, Returns, Step, gives};
pub use crate::listener::timed::Missed;
pub use crate::listener::typed::{
    Ask, AskFallback, On, OnFallback, Outcome, OutcomeFallback, Refused, Test, TestFallback,
};
pub use crate::listener::{FnKey, Need, Relation, Target};
pub use crate::registration::{
    EventRegistration, LinkRequest, Linked, LinkedMethods, Registration, Selector, submit,
};
pub use crate::request::{
    Answer, AnswerFallback, Answers, Asked, AskedFallback, Reply, check_request,
};
pub use crate::runtime::{after, sleep_on_real_clock, sleep_steadily};
pub use crate::topic::Pattern;

pub use crate::bus::hook::tell;
pub use crate::dispatch::failure::panic_message;

/// What takes events out of the program.
pub mod outlet {
    pub use crate::listener::hear::SharedAny;
    pub use crate::outlet::{
        NoOutlet, accepted, berth, check, dock, is_closing, runtime, shared, warn, was_heard,
    };
    #[cfg(feature = "json")]
    pub use crate::outlet::{like_written, written_events};
}

/// What an event loop needs of the bus.
pub mod scope {
    pub use crate::bus::current::emit_from;
    pub use crate::bus::scope::{Scope, current_bus, is_heard, is_open, number_of, outside, queue};
}

/// What the protocols of connections need of the bus.
pub mod protocol {
    pub use crate::protocol::{bus, by_number, check, context, listener, missing, number, state};
}

/// What a test kit is made of.
pub mod instrument {
    pub use crate::build::instrument::{
        Instrument, Replaced, functions, has, help, idle, key_of, left, listener_of, open,
        runs_here, runtime, scope, subscribe,
    };
}

#[doc(inline)]
pub use crate::__json_codec as json_codec;

/// Takes the place of the real one, so that the missing feature is the only error.
#[doc(hidden)]
#[macro_export]
macro_rules! __no_queue {
    ($($code:tt)*) => {
        compile_error!(
            "a listener with a `queue` needs the feature `runtime`: write `tidings = { version = \"..\", features = [\"runtime\"] }`"
        )
    };
}

/// The same for a program.
#[doc(hidden)]
#[macro_export]
macro_rules! __no_program {
    ($($code:tt)*) => {
        compile_error!(
            "`#[main]` needs the feature `signal`: write `tidings = { version = \"..\", features = [\"signal\"] }`"
        )
    };
}

/// The same for a timed listener.
#[doc(hidden)]
#[macro_export]
macro_rules! __no_timed {
    ($($code:tt)*) => {
        compile_error!(
            "a listener with `every`, `debounce` or `throttle` needs the feature `runtime`: write `tidings = { version = \"..\", features = [\"runtime\"] }`"
        )
    };
}
