//! Why a promise has no value, or takes none.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why a promise has no value.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum PromiseError {
    /// It was not kept yet.
    NotReady,
    /// The one who waits took his wish back.
    Cancelled,
    /// The [`Promise`](super::Promise) was dropped, or its loop closed, before it was kept.
    Dropped,
    /// The value was taken by an `.await` before.
    Taken,
    /// It was rejected with this error.
    Failed(Arc<dyn Error + Send + Sync>),
    /// Another loop runs than the one the promise belongs to.
    WrongLoop,
}

impl fmt::Display for PromiseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PromiseError::NotReady => f.write_str("the promise was not kept yet"),
            PromiseError::Cancelled => f.write_str("the promise was cancelled"),
            PromiseError::Dropped => f.write_str("the promise was dropped before it was kept"),
            PromiseError::Taken => f.write_str("the promise's value was taken before"),
            PromiseError::Failed(error) => error.fmt(f),
            PromiseError::WrongLoop => {
                f.write_str("the promise belongs to another event loop than the one that runs here")
            }
        }
    }
}

impl Error for PromiseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // The words are those of the error itself.
            PromiseError::Failed(error) => error.source(),
            _ => None,
        }
    }
}

/// A promise that is done already; it gives the value back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlreadyDone<T>(pub T);

impl<T> fmt::Display for AlreadyDone<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the promise is done already: it was kept, rejected or cancelled before")
    }
}

impl<T: fmt::Debug> Error for AlreadyDone<T> {}
