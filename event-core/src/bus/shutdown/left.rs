//! What a shutdown tells.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::listener::ListenerInfo;

/// What a bus had not delivered when it was shut down.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    pub(super) left: Arc<[Left]>,
}

impl Shutdown {
    /// Whether everything was delivered.
    pub fn is_clean(&self) -> bool {
        self.left.is_empty()
    }

    /// What is left, by listener, in their order.
    pub fn left(&self) -> &[Left] {
        &self.left
    }
}

impl fmt::Display for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_clean() {
            return f.write_str("everything was delivered");
        }
        f.write_str("not delivered:")?;
        self.left
            .iter()
            .try_for_each(|left| write!(f, "\n  {left}"))
    }
}

/// What one listener had left.
#[derive(Debug)]
pub struct Left {
    pub(super) listener: ListenerInfo,
    pub(super) waiting: usize,
    pub(super) in_backoff: usize,
    pub(super) in_flight: Vec<Duration>,
}

impl Left {
    /// Nothing if nothing is left.
    pub(crate) fn new(
        listener: ListenerInfo,
        waiting: usize,
        in_backoff: usize,
        in_flight: Vec<Duration>,
    ) -> Option<Self> {
        let left = Self {
            listener,
            waiting,
            in_backoff,
            in_flight,
        };
        left.is_any().then_some(left)
    }

    pub(super) fn is_any(&self) -> bool {
        self.deliveries() > 0
    }

    pub(super) fn deliveries(&self) -> usize {
        self.waiting + self.in_backoff + self.in_flight.len()
    }

    /// The listener.
    pub fn listener(&self) -> &ListenerInfo {
        &self.listener
    }

    /// How many deliveries were accepted and had not begun.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many deliveries had failed and waited for their next try.
    pub fn in_backoff(&self) -> usize {
        self.in_backoff
    }

    /// For how long each delivery had run that did not end, the oldest first. Behind a queue, short calls that follow each other at once share
    /// the time of the first of them.
    pub fn in_flight(&self) -> &[Duration] {
        &self.in_flight
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} waiting", self.listener.id(), self.waiting)?;
        if self.in_backoff > 0 {
            write!(f, ", {} in backoff", self.in_backoff)?;
        }
        write!(f, ", {} in flight", self.in_flight.len())?;
        match self.in_flight.first() {
            Some(oldest) => write!(f, ", the oldest for {oldest:.1?}"),
            None => Ok(()),
        }
    }
}

/// A [`shutdown`](crate::Bus::shutdown) or [`drained`](crate::Bus::drained) that would wait for the delivery in which it was called, or for tasks of the thread that it would park.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WouldDeadlock(pub(super) ());

impl WouldDeadlock {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl fmt::Display for WouldDeadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bus would wait for the one who waits for it: call `shutdown` and `drained` outside of every listener, and on a thread of the runtime await them")
    }
}

impl Error for WouldDeadlock {}
