//! Why an event is not emitted later.

use std::error::Error;
use std::fmt;

/// Why an event cannot be emitted later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LaterErrorKind {
    /// The bus has no runtime, so nobody would be there when the time has come.
    NoRuntime,
    /// The bus is being shut down, or is.
    Closed,
}

/// An event that will not be emitted later.
///
/// ```standalone_crate
/// use std::time::Duration;
/// use tidings::{Bus, LaterErrorKind, event};
///
/// #[event]
/// struct Remind;
///
/// let bus = Bus::builder().build()?;
/// let error = bus.emit_later(Duration::from_secs(1), Remind).unwrap_err();
/// assert_eq!(error.kind(), LaterErrorKind::NoRuntime);
/// assert_eq!(error.topic(), "remind");
/// # Ok::<(), tidings::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaterError {
    kind: LaterErrorKind,
    topic: &'static str,
}

impl LaterError {
    pub(super) fn new(kind: LaterErrorKind, topic: &'static str) -> Self {
        Self { kind, topic }
    }

    /// Why.
    pub fn kind(&self) -> LaterErrorKind {
        self.kind
    }

    /// The topic of the event.
    pub fn topic(&self) -> &'static str {
        self.topic
    }
}

impl fmt::Display for LaterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topic = self.topic;
        match self.kind {
            LaterErrorKind::NoRuntime => write!(
                f,
                "`{topic}` cannot be emitted later: the bus has no runtime that would wait for the time; build it with `.runtime(..)`"
            ),
            LaterErrorKind::Closed => {
                write!(f, "`{topic}` cannot be emitted later: the bus is shut down")
            }
        }
    }
}

impl Error for LaterError {}
