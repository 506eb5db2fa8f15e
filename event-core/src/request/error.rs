//! Why a request has no answer.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::SharedError;

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestErrorKind {
    /// Nobody answers it on this bus: the answerer was left out, its condition said no, or another listener stopped the run before it.
    NoListener,
    /// The bus did not take it: it is shut down, or too many emissions stand on each other.
    Refused,
    /// The answerer ended without an answer: it panicked, ran for longer than its `timeout`, or its runtime ended. Its failure was reported.
    ///
    /// So it is if its `overlap` let the delivery go, which is no failure: with `"latest"` a later request took its place, with `"drop"` an earlier one
    /// was being answered.
    Dropped,
    /// The answer did not come within the time that was given. The answerer goes on, but without a runtime: then it is dropped with the request in whose
    /// task it ran, and reported as abandoned.
    TimedOut,
    /// The bus was shut down before the answer came.
    Cancelled,
    /// The answerer returned an error: see [`source`](Error::source). It was reported too.
    Failed,
    /// The answer is not there yet, and [`now`](super::RequestFuture::now) does not wait.
    NotReady,
}

/// A request without an answer.
///
/// ```standalone_crate
/// use std::error::Error;
/// use tidings::{Bus, RequestErrorKind, event, listener};
///
/// #[event(reply = u64)]
/// struct Parse(&'static str);
///
/// #[listener(reply)]
/// fn parse(e: &Parse) -> Result<u64, std::num::ParseIntError> {
///     e.0.parse()
/// }
///
/// let bus = Bus::builder().on_failure(|_| ()).build()?;
/// assert_eq!(bus.request(Parse("12")).now()?, 12);
///
/// let error = bus.request(Parse("twelve")).now().unwrap_err();
/// assert_eq!(error.kind(), RequestErrorKind::Failed);
/// assert!(error.source().is_some_and(|source| source.is::<std::num::ParseIntError>()));
/// # Ok::<(), Box<dyn Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct RequestError {
    kind: RequestErrorKind,
    topic: &'static str,
    detail: String,
    source: Option<SharedError>,
}

impl RequestError {
    pub(super) fn new(kind: RequestErrorKind, topic: &'static str) -> Self {
        Self {
            kind,
            topic,
            detail: String::new(),
            source: None,
        }
    }

    pub(super) fn refused(topic: &'static str, why: &str) -> Self {
        Self {
            detail: why.to_owned(),
            ..Self::new(RequestErrorKind::Refused, topic)
        }
    }

    pub(super) fn timed_out(topic: &'static str, time: Duration) -> Self {
        Self {
            detail: format!("{time:?}"),
            ..Self::new(RequestErrorKind::TimedOut, topic)
        }
    }

    pub(super) fn failed(topic: &'static str, error: SharedError) -> Self {
        Self {
            source: Some(error),
            ..Self::new(RequestErrorKind::Failed, topic)
        }
    }

    /// Why there is no answer.
    pub fn kind(&self) -> RequestErrorKind {
        self.kind
    }

    /// The topic of the request.
    pub fn topic(&self) -> &'static str {
        self.topic
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, detail, .. } = self;
        match self.kind {
            RequestErrorKind::NoListener => write!(f, "nobody answered `{topic}`"),
            RequestErrorKind::Refused => write!(f, "`{topic}` was not delivered: {detail}"),
            RequestErrorKind::Dropped => {
                write!(
                    f,
                    "the listener that answers `{topic}` ended without an answer"
                )
            }
            RequestErrorKind::TimedOut => write!(f, "`{topic}` was not answered within {detail}"),
            RequestErrorKind::Cancelled => {
                write!(f, "the bus was shut down before `{topic}` was answered")
            }
            // What the error says is for who prints the source.
            RequestErrorKind::Failed => write!(f, "`{topic}` was answered with an error"),
            RequestErrorKind::NotReady => write!(f, "`{topic}` is not answered yet: await it"),
        }
    }
}

impl Error for RequestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| &*source.0 as &(dyn Error + 'static))
    }
}
