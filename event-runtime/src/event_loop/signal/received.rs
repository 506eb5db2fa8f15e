//! A signal as an event.

use event_macros::event;

use super::Signal;

/// A signal has come to this process. [`EventLoop::emit_signals`](crate::event_loop::EventLoop::emit_signals) asks for it, and so does
/// `#[tidings::main]`.
///
/// ```standalone_crate
/// use tidings::{Signal, SignalReceived, listener};
///
/// #[listener]
/// fn hear(e: &SignalReceived) {
///     eprintln!("{} came", e.signal);
/// }
///
/// # let bus = tidings::Bus::builder().build()?;
/// let report = bus.emit(SignalReceived { signal: Signal::Hangup }).report();
/// assert_eq!(report.ran(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[event("signal.received", crate = crate::event_loop::signal::received::home)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalReceived {
    /// Which one.
    pub signal: Signal,
}

/// What the attribute's code names, which stands in the facade otherwise.
mod home {
    pub(super) use event_core::Event;

    pub(super) mod __private {
        pub(in super::super) use event_core::private::*;

        /// Declares an event of the library's own.
        pub(in super::super) struct EventRegistration;

        impl EventRegistration {
            #[expect(clippy::new_ret_no_self, reason = "the attribute's code calls it so")]
            pub(in super::super) const fn new(
                info: &'static EventInfo,
                ops: Option<fn() -> &'static EventOps>,
            ) -> event_core::private::EventRegistration {
                event_core::private::EventRegistration::new(info, ops).own()
            }
        }
    }
}
