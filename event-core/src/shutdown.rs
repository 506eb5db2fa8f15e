//! The end of a bus: no more intake, what was accepted is delivered, what is left is told by name.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::bus::{Bus, Inner};
use crate::carrier::Carrier;
use crate::delivery::given_up;
use crate::listener::ListenerInfo;
use crate::runtime::{Task, after};
use crate::stack;
use crate::sync::lock;
use crate::work::{Idle, Work};

impl Bus {
    /// Closes the bus: waits until everything that was accepted is delivered, at most for `deadline`.
    ///
    /// From the call on only deliveries of this bus may emit on it, so that what they have begun can end; an emission from elsewhere is a
    /// failure of the kind [`Closed`](crate::FailureKind::Closed). What is not delivered at the deadline is a reported
    /// [`Abandoned`](crate::FailureKind::Abandoned), who awaits it is told, and the [`Shutdown`] lists it by listener. A listener that never returns
    /// is left alone. A second call finds nothing left and is harmless.
    ///
    /// ```standalone_crate
    /// use std::time::Duration;
    /// use tidings::{Bus, FailureKind, event};
    ///
    /// #[event]
    /// struct Placed;
    ///
    /// # futures::executor::block_on(async {
    /// let bus = Bus::builder().build()?;
    /// let shutdown = bus.shutdown(Duration::from_secs(5)).await?;
    /// assert!(shutdown.is_clean());
    ///
    /// let report = bus.emit(Placed).report();
    /// assert_eq!(report.failures()[0].kind(), FailureKind::Closed);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`WouldDeadlock`] inside a delivery of this bus, which would wait for itself.
    pub fn shutdown(&self, deadline: Duration) -> ShutdownFuture {
        ShutdownFuture {
            bus: Arc::clone(self.inner()),
            deadline,
            waits: None,
        }
    }

    /// As [`shutdown`](Bus::shutdown), parking this thread meanwhile. Not for a thread that runs the tasks of the bus's runtime.
    ///
    /// # Errors
    ///
    /// [`WouldDeadlock`] inside a delivery of this bus, and on a thread whose tasks would have to end first.
    pub fn shutdown_blocking(&self, deadline: Duration) -> Result<Shutdown, WouldDeadlock> {
        let inner = self.inner();
        if inner.runtime().is_some_and(crate::Runtime::is_current) {
            return Err(WouldDeadlock(()));
        }
        inner.begin_shutdown()?;
        inner.park(Work::idle(&inner.work), Some(deadline));
        Ok(inner.end_shutdown())
    }
}

impl Inner {
    fn begin_shutdown(&self) -> Result<(), WouldDeadlock> {
        if stack::with(|stack| stack.stands_on(self.id)) {
            return Err(WouldDeadlock(()));
        }
        self.close_intake();
        Ok(())
    }

    /// Waits for what is open, parking this thread, and gives up what is left after `time`.
    pub(crate) fn drain(&self, time: Duration) {
        let tasks_run_here = self.runtime().is_some_and(crate::Runtime::is_current);
        if tasks_run_here || stack::with(|stack| stack.stands_on(self.id)) {
            // Waiting would only keep them from ending. What the runtime drops with its tasks is reported by each.
            return;
        }
        if !self.park(Work::idle(&self.work), Some(time)) {
            self.close_intake();
            drop(self.end_shutdown());
        }
    }

    fn close_intake(&self) {
        self.work.drain();
        let writers = lock(&self.dynamic);
        self.cells.iter().for_each(|cell| cell.flag.close());
        drop(writers);
    }

    fn end_shutdown(&self) -> Shutdown {
        if !self.work.ends_first() {
            return Shutdown::default();
        }
        let now = self.now();
        let carried = self.carried.list();
        let queues: Vec<_> = carried
            .iter()
            .map(|(_, carrier)| Queued::take_out(carrier))
            .collect();
        self.work.close();
        let left = carried.into_iter().zip(queues);
        let left = left.filter_map(|((listener, carrier), queued)| {
            self.give_up(listener, &carrier, &queued, now)
        });
        Shutdown {
            left: left.collect(),
        }
    }

    /// Takes out of a listener's hands what has not ended, and tells everybody.
    fn give_up(
        &self,
        listener: ListenerInfo,
        carrier: &Carrier,
        queued: &Queued,
        now: Instant,
    ) -> Option<Left> {
        let mut flights = carrier.flights.upgrade()?.give_up();
        if carrier.lane.is_some() {
            // These have their turns inside of calls that are counted by their deliveries.
            flights.running.clone_from(&queued.running);
        }
        let waiting = queued.waiting + flights.waiting;
        for _ in 0..flights.running.len() + waiting + queued.in_backoff {
            let failure = self.report(given_up(listener.clone()));
            if let Some(completion) = flights.awaited.pop() {
                completion.done(Err(failure));
            }
        }
        let since = flights.running.iter();
        let in_flight: Vec<_> = since
            .map(|since| now.saturating_duration_since(*since))
            .collect();
        Left::new(listener, waiting, queued.in_backoff, in_flight)
    }
}

/// What a queue held at the deadline.
#[derive(Default)]
struct Queued {
    waiting: usize,
    in_backoff: usize,
    running: Vec<Instant>,
}

impl Queued {
    fn take_out(carrier: &Carrier) -> Self {
        let lane = carrier.lane.as_ref().and_then(Weak::upgrade);
        let Some((berth, lane)) = carrier.berth.as_ref().zip(lane) else {
            return Self::default();
        };
        // First that nothing begins: what workers have in their hands then is what they took and what never began.
        let begun = berth.give_up();
        lane.close();
        let left = lane.abandon();
        let Some(begun) = begun else {
            return Self::default();
        };
        let in_hands = usize::try_from(left.taken - begun.ever).unwrap_or(usize::MAX);
        Self {
            waiting: left.waiting + in_hands,
            in_backoff: begun.between,
            running: begun.running,
        }
    }
}

/// The end of a [`shutdown`](Bus::shutdown), to be awaited.
#[must_use = "a bus is shut down while this is awaited"]
pub struct ShutdownFuture {
    bus: Arc<Inner>,
    deadline: Duration,
    waits: Option<(Idle, Task)>,
}

impl Future for ShutdownFuture {
    type Output = Result<Shutdown, WouldDeadlock>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let who = std::ptr::from_ref(&*self).addr();
        if self.waits.is_none() {
            self.bus.begin_shutdown()?;
            let at = after(self.bus.now(), self.deadline);
            let deadline = self.bus.sleep_steadily(at);
            self.waits = Some((Work::idle(&self.bus.work), deadline));
        }
        let Some((idle, deadline)) = self.waits.as_mut() else {
            return Poll::Pending;
        };
        if Pin::new(idle).poll(cx).is_pending() && deadline.as_mut().poll(cx).is_pending() {
            if let Some(runtime) = self.bus.runtime() {
                runtime.help(who, cx);
            }
            return Poll::Pending;
        }
        Poll::Ready(Ok(self.bus.end_shutdown()))
    }
}

impl fmt::Debug for ShutdownFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShutdownFuture({:?})", self.deadline)
    }
}

/// What a bus had not delivered when it was shut down.
#[derive(Debug, Default)]
pub struct Shutdown {
    left: Vec<Left>,
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
    listener: ListenerInfo,
    waiting: usize,
    in_backoff: usize,
    in_flight: Vec<Duration>,
}

impl Left {
    /// Nothing if nothing is left.
    pub(crate) fn new(
        listener: ListenerInfo,
        waiting: usize,
        in_backoff: usize,
        in_flight: Vec<Duration>,
    ) -> Option<Self> {
        (!in_flight.is_empty() || waiting + in_backoff > 0).then_some(Self {
            listener,
            waiting,
            in_backoff,
            in_flight,
        })
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

    /// For how long each delivery had run that did not end, the oldest first.
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

/// A shutdown that would wait for the delivery in which it was called, or for tasks of the thread that it would park.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WouldDeadlock(());

impl fmt::Display for WouldDeadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bus would wait for what calls `shutdown`: call it outside of every listener, and on a thread of the runtime await it")
    }
}

impl Error for WouldDeadlock {}
