//! What goes wrong in a scope.

use std::error::Error;
use std::fmt;
use std::panic::Location;

use super::failure::{LoopFailure, LoopItem};

/// What went wrong in a scope: every error of its tasks, in the order in which they came.
#[derive(Debug)]
pub struct ScopeError {
    pub(super) errors: Vec<Box<dyn Error + Send + Sync>>,
}

impl ScopeError {
    /// The errors, the first of which ended the scope. None if it was [cancelled](super::TaskScope::cancel).
    pub fn errors(&self) -> &[Box<dyn Error + Send + Sync>] {
        &self.errors
    }

    /// Gives the errors away.
    pub fn into_errors(self) -> Vec<Box<dyn Error + Send + Sync>> {
        self.errors
    }

    /// Whether the scope was ended by [`TaskScope::cancel`](super::TaskScope::cancel) and nothing went wrong.
    pub fn is_cancelled(&self) -> bool {
        self.errors.is_empty()
    }
}

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errors.as_slice() {
            [] => f.write_str("the scope was cancelled"),
            [only] => only.fmt(f),
            [first, rest @ ..] => write!(f, "{first} (and {} more errors)", rest.len()),
        }
    }
}

impl Error for ScopeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // The words are those of the first error.
        self.errors.first().and_then(|error| error.source())
    }
}

/// What went wrong with a task, and where that was started.
pub(super) struct Fault {
    pub(super) place: &'static Location<'static>,
    pub(super) what: What,
}

pub(super) enum What {
    Error(Box<dyn Error + Send + Sync>),
    Panic(String),
}

impl Fault {
    pub(super) fn into_error(self) -> Box<dyn Error + Send + Sync> {
        match self.what {
            What::Error(error) => error,
            What::Panic(message) => format!("a task panicked: {message}").into(),
        }
    }

    pub(super) fn into_failure(self) -> LoopFailure {
        match self.what {
            What::Error(error) => LoopFailure::error(LoopItem::Task, self.place, error),
            What::Panic(message) => LoopFailure::said(LoopItem::Task, self.place, true, message),
        }
    }
}
