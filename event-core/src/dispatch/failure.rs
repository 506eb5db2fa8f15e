//! One delivery that went wrong.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;

use crate::listener::ListenerInfo;
use crate::request::SharedError;

/// Why a delivery, or a whole emission, failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The listener returned an error.
    Error,
    /// The listener panicked, or the event's `Drop` did.
    Panic,
    /// The listener's `when` condition panicked.
    Condition,
    /// An async listener on a bus without a runtime, whose emission was not awaited to the end.
    NoRuntime,
    /// The bus's runtime dropped the listener's future before it finished, or the bus was shut down before.
    Abandoned,
    /// As many deliveries of an async listener are under way as may be.
    Overloaded,
    /// An async listener ran for longer than it may.
    TimedOut,
    /// The bus is shut down.
    Closed,
    /// A listener's queue is full.
    QueueFull,
    /// A worker of a queue could not be started; it is tried again, and nothing is lost.
    NoWorker,
    /// The threads of a queue are in the process that this one was forked from.
    Forked,
    /// More than 64 emissions inside each other.
    Depth,
    /// There is no bus to emit on: the default bus could not be built, or would have to keep the delivery for later.
    NoBus,
    /// Nobody heard an event that is declared with `unheard = "error"`.
    Unheard,
    /// An async pattern listener matches an event that is not `Send + Sync`.
    NotSend,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FailureKind::Error => "error",
            FailureKind::Panic => "panic",
            FailureKind::Condition => "panic in the condition",
            FailureKind::NoRuntime => "no runtime",
            FailureKind::Abandoned => "abandoned",
            FailureKind::Overloaded => "overloaded",
            FailureKind::TimedOut => "timed out",
            FailureKind::Closed => "closed",
            FailureKind::QueueFull => "queue full",
            FailureKind::NoWorker => "no worker",
            FailureKind::Forked => "forked",
            FailureKind::Depth => "too deep",
            FailureKind::NoBus => "no bus",
            FailureKind::Unheard => "unheard",
            FailureKind::NotSend => "not send",
        })
    }
}

/// One delivery that went wrong: which listener, where, how, and the error it returned.
///
/// ```standalone_crate
/// use tidings::{Bus, FailureKind, event, listener};
///
/// #[event]
/// struct Placed;
///
/// #[listener]
/// fn charge(_: &Placed) -> Result<(), std::num::ParseIntError> {
///     "twelve".parse::<u32>().map(drop)
/// }
///
/// let report = Bus::builder().build()?.emit(Placed).report();
/// let failure = &report.failures()[0];
/// assert_eq!(failure.kind(), FailureKind::Error);
/// assert_eq!(failure.message(), "invalid digit found in string");
/// assert!(failure.listener().is_some_and(|l| l.function() == "charge"));
/// # Ok::<(), tidings::BuildError>(())
/// ```
pub struct Failure {
    listener: Option<ListenerInfo>,
    kind: FailureKind,
    message: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Failure {
    pub(crate) fn new(
        listener: Option<ListenerInfo>,
        kind: FailureKind,
        message: impl Into<String>,
    ) -> Self {
        Self {
            listener,
            kind,
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn error(listener: ListenerInfo, error: Box<dyn Error + Send + Sync>) -> Self {
        // An error's `Display` is code of the user's; a panic in it must not end the run.
        let message =
            catch_unwind(AssertUnwindSafe(|| error.to_string())).unwrap_or_else(|panic| {
                format!("the error's `Display` panicked: {}", panic_message(panic))
            });
        Self {
            listener: Some(listener),
            kind: FailureKind::Error,
            message,
            source: Some(SharedError::from(error).0),
        }
    }

    pub(crate) fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The listener, unless the whole emission failed.
    pub fn listener(&self) -> Option<&ListenerInfo> {
        self.listener.as_ref()
    }

    /// Where the listener is declared.
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.listener.as_ref().map(ListenerInfo::location)
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// The error's or the panic's words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The error that the listener returned.
    pub fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.listener {
            Some(listener) => write!(
                f,
                "{} ({}): {}: {}",
                listener.id(),
                listener.location(),
                self.kind,
                self.message
            ),
            None => write!(f, "{}: {}", self.kind, self.message),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listener = self.listener.as_ref().map(ListenerInfo::id);
        f.debug_struct("Failure")
            .field("listener", &listener)
            .field("kind", &self.kind)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// Ends the life of a user's value: its `Drop` is code like any listener, and its panic ends nothing but itself.
pub(crate) fn drop_guarded<T>(value: T) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| drop(value))).map_err(panic_message)
}

/// A panic's words. The payload's own `Drop` may panic too: that one is let go unread.
#[doc(hidden)]
pub fn panic_message(panic: Box<dyn Any + Send>) -> String {
    let message = match (
        panic.downcast_ref::<&'static str>(),
        panic.downcast_ref::<String>(),
    ) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "a panic whose payload is not a string".to_owned(),
    };
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(second);
    }
    message
}
