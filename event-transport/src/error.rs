//! Why a connection was not made, or has ended.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use event_core::BuildError;
use event_runtime::event_loop::LoopError;

/// Why a connection ended otherwise than in good order. A clone is cheap.
#[derive(Clone)]
pub struct ConnectionError(Arc<Cause>);

enum Cause {
    Io(io::Error),
    Listener(String),
    Dropped,
}

/// What kind of reason a [`ConnectionError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectionErrorKind {
    /// The operating system or the stream says so, such as for a peer that was reset.
    Io(io::ErrorKind),
    /// A listener of the protocol failed at a time when the connection cannot go on without it.
    Listener,
    /// The loop was closed, or did not wait any longer.
    Dropped,
}

impl ConnectionError {
    pub(crate) fn io(error: io::Error) -> Self {
        Self(Arc::new(Cause::Io(error)))
    }

    pub(crate) fn listener(message: String) -> Self {
        Self(Arc::new(Cause::Listener(message)))
    }

    pub(crate) fn dropped() -> Self {
        Self(Arc::new(Cause::Dropped))
    }

    /// What kind of reason it is.
    pub fn kind(&self) -> ConnectionErrorKind {
        match &*self.0 {
            Cause::Io(error) => ConnectionErrorKind::Io(error.kind()),
            Cause::Listener(_) => ConnectionErrorKind::Listener,
            Cause::Dropped => ConnectionErrorKind::Dropped,
        }
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Cause::Io(error) => error.fmt(f),
            Cause::Listener(message) => write!(f, "a listener of the protocol failed: {message}"),
            Cause::Dropped => f.write_str("the event loop has dropped the connection"),
        }
    }
}

impl fmt::Debug for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Cause::Io(error) => error.fmt(f),
            _ => write!(f, "ConnectionError({self})"),
        }
    }
}

impl Error for ConnectionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &*self.0 {
            Cause::Io(error) => Some(error),
            Cause::Listener(_) | Cause::Dropped => None,
        }
    }
}

/// Why there is no server or no connection.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    message: String,
    /// What failed at each address.
    errors: Vec<(String, io::Error)>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of mistake or misfortune a [`TransportError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The name stands for no address.
    Address,
    /// No address could be connected to; [`errors`](TransportError::errors) has one for each.
    Connect,
    /// An address cannot be listened at.
    Bind,
    /// The bus has not the state that the protocol's listeners ask for, or there is no bus.
    State,
    /// The loop has no I/O: it is in virtual time, or was not run when it was asked.
    NoReactor,
    /// The loop is closed, or the connection lost.
    Closed,
    /// What makes the protocol panicked.
    Factory,
}

impl TransportError {
    fn new(kind: TransportErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            errors: Vec::new(),
            source: None,
        }
    }

    pub(crate) fn no_bus(message: String) -> Self {
        Self::new(TransportErrorKind::State, message)
    }

    pub(crate) fn state(error: BuildError) -> Self {
        let problems = error.problems().iter().map(ToString::to_string);
        let message = problems.collect::<Vec<_>>().join("; ");
        Self {
            source: Some(error.into()),
            ..Self::new(TransportErrorKind::State, message)
        }
    }

    pub(crate) fn closed(error: LoopError) -> Self {
        Self {
            source: Some(error.into()),
            ..Self::new(TransportErrorKind::Closed, "the event loop is closed")
        }
    }

    pub(crate) fn lost() -> Self {
        Self::new(TransportErrorKind::Closed, "the connection is lost")
    }

    pub(crate) fn no_reactor(what: &str) -> Self {
        let message = format!(
            "{what} needs a loop with I/O that runs: make it with `EventLoop::new()` and await this inside; in virtual time there are `memory()` and `pair()`"
        );
        Self::new(TransportErrorKind::NoReactor, message)
    }

    pub(crate) fn factory(message: &str) -> Self {
        let message = format!("what makes the protocol panicked: {message}");
        Self::new(TransportErrorKind::Factory, message)
    }

    pub(crate) fn address(address: &str, error: Option<io::Error>) -> Self {
        let why = match &error {
            Some(error) => error.to_string(),
            None => "the name stands for no address".to_owned(),
        };
        Self {
            source: error.map(Into::into),
            ..Self::new(TransportErrorKind::Address, format!("`{address}`: {why}"))
        }
    }

    pub(crate) fn bind(address: &str, error: io::Error) -> Self {
        Self {
            errors: vec![(address.to_owned(), error)],
            ..Self::new(
                TransportErrorKind::Bind,
                format!("cannot listen at {address}"),
            )
        }
    }

    pub(crate) fn connect(errors: Vec<(String, io::Error)>) -> Self {
        Self {
            errors,
            ..Self::new(TransportErrorKind::Connect, "cannot connect")
        }
    }

    /// What kind of mistake or misfortune it is.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Each address that was tried, and what happened there.
    pub fn errors(&self) -> &[(String, io::Error)] {
        &self.errors
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for (place, (address, error)) in self.errors.iter().enumerate() {
            let mark = if place == 0 { ": " } else { "; " };
            if self.kind == TransportErrorKind::Bind {
                write!(f, "{mark}{error}")?;
            } else {
                write!(f, "{mark}{address}: {error}")?;
            }
        }
        Ok(())
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let first = self.errors.first().map(|(_, error)| error as _);
        self.source.as_deref().map(|error| error as _).or(first)
    }
}
