//! The end of a bus: no more intake, what was accepted is delivered, what is left is told by name.

mod left;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

pub use left::{Left, Shutdown, WouldDeadlock};

use crate::bus::carrier::Carrier;
use crate::bus::work::{Ends, Work};
use crate::bus::{Bus, Inner};
use crate::delivery::{Completion, given_up};
use crate::dispatch::stack;
use crate::listener::ListenerInfo;
use crate::runtime::{Task, after};
use crate::sync::lock;
use crate::waits::Who;

impl Bus {
    /// Closes the bus: waits until everything that was accepted is delivered, at most for `deadline`.
    ///
    /// From the call on only deliveries of this bus may emit on it, so that what they have begun can end; an emission from elsewhere is a
    /// failure of the kind [`Closed`](crate::FailureKind::Closed). What is not delivered at the deadline is a reported
    /// [`Abandoned`](crate::FailureKind::Abandoned), who awaits it is told, and the [`Shutdown`] lists it by listener. A listener that never returns
    /// is left alone.
    ///
    /// Deliveries are async or in queues. An inline listener that runs on another thread just now is part of its emission, and is not waited for:
    /// what it emits or returns once the bus is closed is a reported `Closed`. Join the threads that emit before you shut the bus down.
    ///
    /// A bus ends once. Of several calls the deadline that comes first counts; the others end with it, and a later call at once. Each says the
    /// same: what was left at that end.
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

    /// As [`shutdown`](Bus::shutdown), parking this thread meanwhile. Not for a thread that runs the tasks of the bus's runtime:
    /// see [`Runtime::is_current`](crate::Runtime::is_current), also for tokio's `spawn_blocking`.
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
        inner.park(Work::done(&inner.work), Some(deadline));
        if let Some(shutdown) = inner.end_shutdown()? {
            return Ok(shutdown);
        }
        // Another call gives up what is left, just now.
        inner.park(Work::over(&inner.work), None);
        Ok(inner.ended())
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
        self.rest();
        let tasks_run_here = self.runtime().is_some_and(crate::Runtime::is_current);
        if tasks_run_here || stack::with(|stack| stack.stands_on(self.id)) {
            // Waiting would only keep them from ending. What the runtime drops with its tasks is reported by each.
            return;
        }
        if !self.park(Work::done(&self.work), Some(time)) {
            self.close_intake();
            // Also if another call ends the bus just now: it is not this one's to wait for.
            let _ = self.end_shutdown();
        }
    }

    fn close_intake(&self) {
        let now = self.now();
        self.closing.get_or_init(|| now);
        self.work.drain();
        let writers = lock(&self.dynamic);
        self.cells.iter().for_each(|cell| cell.flag.close());
        drop(writers);
        self.rest();
        self.end_waits(Who::Inside);
    }

    /// Ends the bus, if that was not done before. `None` if another thread is at it.
    fn end_shutdown(&self) -> Result<Option<Shutdown>, WouldDeadlock> {
        let here = thread::current().id();
        let mut end = lock(&self.end);
        match &*end {
            End::Open => *end = End::By(here),
            End::By(thread) if *thread == here => return Err(WouldDeadlock(())),
            End::By(_) => return Ok(None),
            End::Over(shutdown) => return Ok(Some(shutdown.clone())),
        }
        drop(end);
        let mut ending = Ending {
            bus: self,
            left: Vec::new(),
        };
        let now = self.now();
        let carried = self.carried.list();
        let queues: Vec<_> = carried
            .iter()
            .map(|(_, carrier)| Queued::take_out(carrier))
            .collect();
        self.work.close();
        self.end_waits(Who::Everybody);
        let mut told = Vec::new();
        for ((listener, carrier), queued) in carried.into_iter().zip(queues) {
            let (left, mut awaited) = self.give_up(&listener, &carrier, &queued, now);
            told.extend((0..left.deliveries()).map(|_| (listener.clone(), awaited.pop())));
            ending.left.extend(Some(left).filter(Left::is_any));
        }
        // It is told who waits for this end before the hook, which may be long about it.
        drop(ending);
        for (listener, awaiting) in told {
            let failure = self.report(given_up(listener));
            if let Some(completion) = awaiting {
                completion.done(Err(failure));
            }
        }
        Ok(Some(self.ended()))
    }

    /// How the bus has ended.
    fn ended(&self) -> Shutdown {
        match &*lock(&self.end) {
            End::Over(shutdown) => shutdown.clone(),
            End::Open | End::By(_) => unreachable!("it is waited for"),
        }
    }

    /// Takes out of a listener's hands what has not ended, with those who await some of it.
    fn give_up(
        &self,
        listener: &ListenerInfo,
        carrier: &Carrier,
        queued: &Queued,
        now: Instant,
    ) -> (Left, Vec<Arc<Completion>>) {
        let flights = carrier.flights.upgrade();
        let mut flights = flights.map(|flights| flights.give_up()).unwrap_or_default();
        if carrier.lane.is_some() {
            // These have their turns inside of calls that are counted by their deliveries.
            flights.running.clone_from(&queued.running);
        } else {
            // Those in their first poll have run for longer than the shutdown, at least.
            let closing = self.closing.get().copied().unwrap_or(now);
            let at = flights.running.partition_point(|since| *since <= closing);
            let beginning = std::iter::repeat_n(closing, flights.beginning);
            flights.running.splice(at..at, beginning);
        }
        let since = flights.running.iter();
        let left = Left {
            listener: listener.clone(),
            waiting: queued.waiting + flights.waiting,
            in_backoff: queued.in_backoff,
            in_flight: since
                .map(|since| now.saturating_duration_since(*since))
                .collect(),
        };
        (left, flights.awaited)
    }
}

/// How far the end of a bus is.
#[derive(Default)]
pub(crate) enum End {
    #[default]
    Open,
    /// This thread gives up what is left.
    By(ThreadId),
    Over(Shutdown),
}

/// Who gives up what is left. The bus is over when this is dropped, also by a panic.
struct Ending<'a> {
    bus: &'a Inner,
    left: Vec<Left>,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let left = std::mem::take(&mut self.left).into();
        *lock(&self.bus.end) = End::Over(Shutdown { left });
        self.bus.work.end();
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
    waits: Option<Waits>,
}

enum Waits {
    For(Ends, Task),
    /// Another call gives up what is left, just now.
    Other(Ends),
}

impl Future for ShutdownFuture {
    type Output = Result<Shutdown, WouldDeadlock>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let who = std::ptr::from_ref(&*self).addr();
        if self.waits.is_none() {
            self.bus.begin_shutdown()?;
            let at = after(self.bus.now(), self.deadline);
            let deadline = self.bus.sleep_steadily(at);
            self.waits = Some(Waits::For(Work::done(&self.bus.work), deadline));
        }
        loop {
            let this = &mut *self;
            let (Some(Waits::For(ends, _) | Waits::Other(ends)), bus) =
                (&mut this.waits, &this.bus)
            else {
                return Poll::Pending;
            };
            let mut ended = Pin::new(ends).poll(cx).is_ready();
            if let Some(Waits::For(_, deadline)) = &mut this.waits {
                ended = ended || deadline.as_mut().poll(cx).is_ready();
            }
            if !ended {
                if let Some(runtime) = bus.runtime() {
                    runtime.help(who, cx);
                }
                return Poll::Pending;
            }
            match bus.end_shutdown()? {
                Some(shutdown) => return Poll::Ready(Ok(shutdown)),
                None => this.waits = Some(Waits::Other(Work::over(&bus.work))),
            }
        }
    }
}

impl fmt::Debug for ShutdownFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShutdownFuture({:?})", self.deadline)
    }
}
