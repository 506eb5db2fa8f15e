//! What a protocol sees of its process.

use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use event_runtime::event_loop::{EventLoop, Signal};

use super::state::State;
use super::status::{ExitStatus, SignalError};
use crate::connection::Connection;
use crate::error::TransportError;
use crate::protocol::{Binding, Connected, Held, ProcessProtocol, Protocol, ProtocolRef};
use crate::stream::{InfoKey, Transport};

/// The way to a child process: its pipes, its signals and its end. A parameter of a protocol's listener, as `&ProcessTransport`.
///
/// A clone is a handle of the same process; dropping it ends nothing. It belongs to the thread of its loop:
///
/// ```compile_fail,E0277
/// fn elsewhere(transport: tidings::transport::ProcessTransport) {
///     std::thread::spawn(move || transport.close());
/// }
/// ```
#[derive(Clone)]
pub struct ProcessTransport {
    state: Rc<State>,
}

impl ProcessTransport {
    pub(super) fn of(state: &Rc<State>) -> Self {
        Self {
            state: Rc::clone(state),
        }
    }

    /// The number of the process. When it has ended, the system may give the number to another one.
    pub fn pid(&self) -> u32 {
        self.state.pid
    }

    /// A pipe by the child's number of it: 0 is its standard input, which is written to; 1 its standard output, 2 its standard error. `None` if that is no
    /// pipe.
    ///
    /// [`pause_reading`](Transport::pause_reading) on one that is read has the child wait when the pipe is full. [`close`](Transport::close) and
    /// [`write_eof`](Transport::write_eof) on the standard input end it once everything has been written.
    pub fn pipe(&self, fd: i32) -> Option<Transport> {
        self.state.pipe(fd).cloned()
    }

    /// How it ended; `None` while it runs.
    pub fn status(&self) -> Option<ExitStatus> {
        self.state.status()
    }

    /// Sends it a signal.
    ///
    /// # Errors
    ///
    /// [`NoProcess`](SignalError::NoProcess) if it has ended, also if its protocol has not heard so yet.
    pub fn signal(&self, signal: Signal) -> Result<(), SignalError> {
        self.state.signal(signal)
    }

    /// Asks it to end: `SIGTERM`. A process may ignore it.
    ///
    /// # Errors
    ///
    /// Those of [`signal`](Self::signal).
    pub fn terminate(&self) -> Result<(), SignalError> {
        self.state.signal(Signal::Terminate)
    }

    /// Ends it: `SIGKILL`, which no process can ignore.
    ///
    /// # Errors
    ///
    /// Those of [`signal`](Self::signal).
    pub fn kill(&self) -> Result<(), SignalError> {
        self.state.kill()
    }

    /// Ends the connection: nothing is read any more, what waits for the standard input is written, and the process is asked to end; if it still runs after
    /// the time that [`grace`](crate::Spawn::grace) says, it is killed. The protocol hears of the end of each pipe, of the exit, and then
    /// [`ConnectionLost`](crate::ConnectionLost) without an error. A second time it does nothing.
    pub fn close(&self) {
        self.state.life.close();
    }

    /// Ends the connection at once: the process is killed, and what waits for its standard input is discarded.
    pub fn abort(&self) {
        self.state.life.abort(None);
    }

    /// Whether the connection is closing or lost.
    pub fn is_closing(&self) -> bool {
        self.state.life.is_closing()
    }

    /// Waits for the end of the process, while its pipes may still be open. Any number of tasks may wait; one that gives up leaves the process alone.
    ///
    /// A process that waits for the end of its standard input does not end before `pipe(0)` is closed.
    pub async fn wait(&self) -> ExitStatus {
        loop {
            if let Some(status) = self.state.status() {
                return status;
            }
            self.state.life.changed.notified().await;
        }
    }

    /// Waits until the protocol has heard that the connection is lost: that the process has ended, and all of its pipes.
    pub async fn wait_closed(&self) {
        while !self.state.life.is_lost() {
            self.state.life.changed.notified().await;
        }
    }

    /// A fact about the connection: [`PID`](crate::PID). It stays when the connection is lost.
    pub fn info<T>(&self, key: InfoKey<T>) -> Option<T> {
        key.get(self.state.life.facts.facts())
    }

    /// A fact as text: `"subprocess"`, as asyncio names it, is the number of the process. `default` if there is none.
    pub fn info_str(&self, name: &str, default: &str) -> String {
        let fact = self.state.life.facts.facts().by_name(name);
        fact.unwrap_or_else(|| default.to_owned())
    }

    /// What listeners on a bus are told of the connection.
    pub fn connection(&self) -> &Connection {
        &self.state.life.facts
    }

    /// The loop that it belongs to.
    pub fn event_loop(&self) -> &EventLoop {
        &self.state.life.lp
    }

    /// The instance of its protocol, if it is of this type and the connection is not lost.
    pub fn protocol<P: Protocol>(&self) -> Option<ProtocolRef<P, Self>> {
        ProtocolRef::find(self.state.life.instance(), self)
    }

    /// Puts another protocol in the place of this one, which hears everything that comes from now on. It does not hear that the connection was made.
    ///
    /// # Errors
    ///
    /// [`State`](crate::TransportErrorKind::State) if the bus of the connection has not what the listeners of the new protocol ask for,
    /// [`Closed`](crate::TransportErrorKind::Closed) if the connection is lost.
    #[track_caller]
    pub fn upgrade<P: ProcessProtocol>(
        &self,
        protocol: P,
    ) -> Result<ProtocolRef<P, Self>, TransportError> {
        if self.state.life.is_lost() {
            return Err(TransportError::lost());
        }
        let bus = self.state.life.bus();
        let binding = Binding::of::<P>(bus.as_ref(), Location::caller())?;
        let held = Held::new(protocol, binding);
        self.state.set_instance(Rc::clone(&held) as _);
        Ok(ProtocolRef::new(held, self.clone()))
    }
}

impl Connected for ProcessTransport {
    fn catch_up(&self) {
        self.state.catch_up();
    }
}

impl fmt::Debug for ProcessTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessTransport")
            .field("pid", &self.pid())
            .field("connection", self.connection())
            .field("status", &self.status())
            .finish()
    }
}
