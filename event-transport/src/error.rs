//! Why a connection was not made, or has ended.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use event_core::BuildError;
use event_runtime::event_loop::LoopError;

use crate::words::debug_as_display;

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

    /// Whether it is one of the operating system or the stream.
    pub(crate) fn is_of_io(&self) -> bool {
        matches!(&*self.0, Cause::Io(_))
    }

    /// Whether it says only that the peer is gone or cannot be reached, which no program can prevent.
    pub(crate) fn is_of_the_peer(&self) -> bool {
        use io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable,
            NetworkDown, NetworkUnreachable, NotConnected, TimedOut, UnexpectedEof,
        };
        let ConnectionErrorKind::Io(kind) = self.kind() else {
            return false;
        };
        matches!(
            kind,
            BrokenPipe
                | ConnectionAborted
                | ConnectionRefused
                | ConnectionReset
                | HostUnreachable
                | NetworkDown
                | NetworkUnreachable
                | NotConnected
                | TimedOut
                | UnexpectedEof
        )
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

debug_as_display!(ConnectionError, TransportError);

impl Error for ConnectionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &*self.0 {
            // Its own words are those of this one.
            Cause::Io(error) => error.source(),
            Cause::Listener(_) | Cause::Dropped => None,
        }
    }
}

/// Why there is no server or no connection.
pub struct TransportError {
    kind: TransportErrorKind,
    message: String,
    /// What failed at each address.
    errors: Vec<(String, io::Error)>,
    /// What the message says already.
    cause: Option<Box<dyn Error + Send + Sync>>,
    /// What is behind that.
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
    /// A command cannot be run.
    Spawn,
    /// A command has written more than was allowed.
    TooMuchOutput,
    /// A file descriptor cannot be watched.
    Watch,
    /// The TLS handshake failed, or what it needs to know is not known.
    #[cfg(feature = "tls")]
    Tls,
}

impl TransportError {
    fn new(kind: TransportErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            errors: Vec::new(),
            cause: None,
            source: None,
        }
    }

    pub(crate) fn no_bus(message: String) -> Self {
        Self::new(TransportErrorKind::State, message)
    }

    pub(crate) fn state(error: BuildError) -> Self {
        let problems = error.problems();
        let message = if let [only] = problems {
            only.to_string()
        } else {
            let count = problems.len();
            let lines = problems.iter().map(|problem| format!("\n  {problem}"));
            let lines = lines.collect::<String>();
            format!("the bus has not what the protocol asks for: {count} problems{lines}")
        };
        Self {
            cause: Some(error.into()),
            ..Self::new(TransportErrorKind::State, message)
        }
    }

    pub(crate) fn closed(error: LoopError) -> Self {
        Self {
            cause: Some(error.into()),
            ..Self::new(TransportErrorKind::Closed, "the event loop is closed")
        }
    }

    pub(crate) fn lost() -> Self {
        Self::new(TransportErrorKind::Closed, "the connection is lost")
    }

    pub(crate) fn no_reactor(what: &str) -> Self {
        let message = format!(
            "{what} needs a loop with I/O that runs: make it with `EventLoop::new()` and await this inside; in virtual time there are `memory()`, `pair()` and `datagram_pair()`"
        );
        Self::new(TransportErrorKind::NoReactor, message)
    }

    pub(crate) fn factory(message: &str) -> Self {
        let message = format!("what makes the protocol panicked: {message}");
        Self::new(TransportErrorKind::Factory, message)
    }

    #[cfg(feature = "tls")]
    pub(crate) fn tls(error: crate::tls::TlsError) -> Self {
        let message = error.to_string();
        Self {
            cause: Some(error.into()),
            ..Self::new(TransportErrorKind::Tls, message)
        }
    }

    #[cfg(feature = "tls")]
    pub(crate) fn handshake(facts: &crate::Connection, error: ConnectionError) -> Self {
        let peer = facts.facts().peer_text();
        let peer = peer.map_or_else(String::new, |peer| format!(" with {peer}"));
        let message = format!("no TLS{peer}: {error}");
        Self {
            cause: Some(error.into()),
            ..Self::new(TransportErrorKind::Tls, message)
        }
    }

    #[cfg(unix)]
    pub(crate) fn spawn(message: String, error: io::Error) -> Self {
        let is_said = message.ends_with(&error.to_string());
        let (cause, source) = if is_said {
            (Some(error.into()), None)
        } else {
            (None, Some(error.into()))
        };
        Self {
            cause,
            source,
            ..Self::new(TransportErrorKind::Spawn, message)
        }
    }

    #[cfg(unix)]
    pub(crate) fn pipes(error: io::Error) -> Self {
        let message = format!("the pipes of a child process fail: {error}");
        Self::spawn(message, error)
    }

    #[cfg(unix)]
    pub(crate) fn too_much_output(limit: usize) -> Self {
        let message = format!("the command has written more than {limit} bytes, and was killed");
        Self::new(TransportErrorKind::TooMuchOutput, message)
    }

    pub(crate) fn address(address: &str, error: Option<io::Error>) -> Self {
        let why = match &error {
            Some(error) => error.to_string(),
            None => "the name stands for no address".to_owned(),
        };
        Self {
            cause: error.map(Into::into),
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

    #[cfg(unix)]
    pub(crate) fn watch(error: io::Error) -> Self {
        let message = format!("this file descriptor cannot be watched: {error}");
        Self {
            cause: Some(error.into()),
            ..Self::new(TransportErrorKind::Watch, message)
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
        if let Some(source) = &self.source {
            return Some(&**source);
        }
        if let Some(cause) = &self.cause {
            return cause.source();
        }
        self.errors.first().and_then(|(_, error)| error.source())
    }
}
