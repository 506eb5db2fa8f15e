//! Running a child.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use event_core::Bus;
use event_runtime::event_loop::{EventLoop, LoopError};

use super::command::{Command, Spawned};
use super::state::{Choices, State};
use super::transport::ProcessTransport;
use crate::connection::Side;
use crate::error::TransportError;
use crate::life::Stage;
use crate::protocol::{ProcessProtocol, Protocol, ProtocolRef};
use crate::stream::{Info, Plan, WriteLimits};

/// How long a child may take to end when it is asked to, unless it is said otherwise.
const GRACE: Duration = Duration::from_secs(5);

/// Runs a command as a child, with a protocol that is made by its `Default`. Await it.
#[track_caller]
pub fn process<P: ProcessProtocol + Default>(
    lp: &EventLoop,
    command: impl Into<Command>,
) -> Spawn<P> {
    process_with(lp, command, P::default)
}

/// Runs a command as a child, with the protocol that `factory` makes. Await it.
///
/// ```
/// use tidings::transport::{
///     ConnectionMade, PipeDataReceived, ProcessExited, ProcessTransport, WriteError, command,
///     process_with,
/// };
/// use tidings::{EventLoop, protocol};
///
/// struct Sort {
///     lines: &'static str,
///     sorted: String,
/// }
///
/// #[protocol]
/// impl Sort {
///     #[listener]
///     fn made(&mut self, _: &ConnectionMade, t: &ProcessTransport) -> Result<(), WriteError> {
///         let stdin = t.pipe(0).ok_or(WriteError::Closed)?;
///         stdin.write(self.lines)?;
///         stdin.write_eof()?;
///         Ok(())
///     }
///
///     #[listener]
///     fn output(&mut self, e: &PipeDataReceived) {
///         assert_eq!(e.fd, 1);
///         self.sorted.push_str(&String::from_utf8_lossy(&e.data));
///     }
///
///     #[listener]
///     fn exited(e: &ProcessExited) {
///         assert!(e.status.is_success());
///     }
/// }
///
/// let lp = EventLoop::new()?;
/// let sorted = lp.run_until_complete(async {
///     let lines = || Sort { lines: "tea\ncoffee\n", sorted: String::new() };
///     let (sort, lines) = process_with(&lp, command("sort"), lines).await?;
///     sort.wait_closed().await;
///     Ok::<_, Box<dyn std::error::Error>>(lines.with(|sort| sort.sorted.clone())?)
/// })??;
/// assert_eq!(sorted, "coffee\ntea\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn process_with<P: ProcessProtocol>(
    lp: &EventLoop,
    command: impl Into<Command>,
    factory: impl FnOnce() -> P + 'static,
) -> Spawn<P> {
    Spawn {
        plan: Plan::new(lp),
        command: command.into(),
        factory: Box::new(factory),
        grace: GRACE,
        linger: None,
    }
}

/// A child in the making: what [`process`] gives, to be awaited. The output is the transport and the instance of its protocol, which has then
/// heard [`ConnectionMade`](crate::ConnectionMade).
///
/// The error is a [`TransportError`]. Whoever gives up waiting for the output has the child killed.
#[must_use = "nothing runs before it is awaited"]
pub struct Spawn<P> {
    plan: Plan,
    command: Command,
    factory: Box<dyn FnOnce() -> P>,
    grace: Duration,
    linger: Option<Duration>,
}

impl<P> Spawn<P> {
    /// Gives the child a label, with which it is told to the bus: see [`ConnectionMade`](crate::ConnectionMade) and
    /// [`ProcessExited`](crate::ProcessExited).
    pub fn label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.plan.label = Some(label.into());
        self
    }

    /// The bus of the protocol's listeners, in the place of the one that is current where this was called.
    pub fn on(mut self, bus: &Bus) -> Self {
        self.plan.bus = Some(bus.clone());
        self
    }

    /// The marks of the buffer of its standard input.
    pub fn write_limits(mut self, limits: WriteLimits) -> Self {
        self.plan.limits = limits;
        self
    }

    /// How long the process may take to end when it is closed, before it is killed: 5 seconds unless it is said here. With zero it is killed at once.
    pub fn grace(mut self, time: Duration) -> Self {
        self.grace = time;
        self
    }

    /// How long its pipes may be open after it has ended. Without this they are read to their end, which is that of the last process that has them: a child
    /// of the child's that goes on holds the connection until then, or until it is closed.
    pub fn linger(mut self, time: Duration) -> Self {
        self.linger = Some(time);
        self
    }
}

impl<P: Protocol> IntoFuture for Spawn<P> {
    type Output = Result<(ProcessTransport, ProtocolRef<P, ProcessTransport>), TransportError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self {
                plan,
                command,
                factory,
                grace,
                linger,
            } = self;
            if plan.lp.is_closed() {
                return Err(TransportError::closed(LoopError::Closed));
            }
            let endpoint = plan.bind::<P>(Side::Client)?;
            let choices = Choices {
                grace,
                linger,
                limits: endpoint.plan.limits,
            };
            let Spawned { child, pipes } = command.spawn()?;
            let info = Info {
                pid: Some(child.pid()),
                ..Info::default()
            };
            let (life, held) = endpoint.life(info, factory)?;
            let state = State::new(life, child, pipes, choices).map_err(TransportError::pipes)?;
            state.start().map_err(TransportError::closed)?;
            let transport = ProcessTransport::of(&state);
            let unwanted = Unwanted(&state);
            while state.life.stage.get() == Stage::New {
                state.life.changed.notified().await;
            }
            std::mem::forget(unwanted);
            if !state.life.was_made.get() {
                return Err(TransportError::lost());
            }
            Ok((transport.clone(), ProtocolRef::new(held, transport)))
        })
    }
}

/// Whoever wanted the child has given up waiting for it.
struct Unwanted<'s>(&'s State);

impl Drop for Unwanted<'_> {
    fn drop(&mut self) {
        self.0.life.abort(None);
    }
}

impl<P> fmt::Debug for Spawn<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawn")
            .field("command", &self.command)
            .field("label", &self.plan.label)
            .finish_non_exhaustive()
    }
}
