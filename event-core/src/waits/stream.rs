//! The events of one type as a stream.

use std::fmt;
use std::future::poll_fn;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use futures_core::Stream;

use super::buffer::Buffer;
use crate::bus::subscription::Subscription;
use crate::bus::{Bus, Inner};
use crate::check::check_carried;
use crate::event::Event;
use crate::listener::ListenerInfo;
use crate::listener::policy::Overflow;
use crate::sync::wake;

/// Room for this many events, unless the user says otherwise.
const CAPACITY: usize = 1024;

impl Bus {
    /// The events of a type from now on, in the order in which they are emitted.
    ///
    /// It is subscribed at the call and until it is dropped. It has room for 1024 events that were not taken yet;
    /// [`bounded`](EventStream::bounded) and [`overflow`](EventStream::overflow) say otherwise. Like [`on`](Bus::on) it comes after the linked
    /// listeners; the report counts an event that it takes in as queued, and no shutdown waits for it to be taken.
    ///
    /// It ends when the bus is shut down or its last handle is dropped, behind the last event. One that was made inside a delivery of this bus ends
    /// when a shutdown begins: the shutdown waits for that delivery.
    ///
    /// ```standalone_crate
    /// use std::time::Duration;
    /// use tidings::{Bus, event};
    ///
    /// #[event]
    /// struct Measured {
    ///     celsius: i32,
    /// }
    ///
    /// # futures::executor::block_on(async {
    /// let bus = Bus::builder().build()?;
    /// let mut measured = bus.stream::<Measured>();
    /// for celsius in [20, 95] {
    ///     bus.emit(Measured { celsius });
    /// }
    /// bus.shutdown(Duration::from_secs(5)).await?;
    ///
    /// let mut all = Vec::new();
    /// while let Some(e) = measured.next().await {
    ///     all.push(e.celsius);
    /// }
    /// assert_eq!(all, [20, 95]);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn stream<E: Event + Send + Sync>(&self) -> EventStream<E> {
        const { check_carried::<E>() };
        self.inner().stream(Location::caller())
    }
}

impl Inner {
    pub(crate) fn stream<E: Event + Send + Sync>(
        self: &Arc<Self>,
        location: &'static Location<'static>,
    ) -> EventStream<E> {
        let buffer = Arc::new(Buffer::new(CAPACITY));
        let info = ListenerInfo::dynamic(E::TOPIC, location);
        let subscription = self.wait::<E, _>(info, &buffer, |_, buffer| {
            Box::new(move |event: Arc<E>, _| buffer.offer(event))
        });
        EventStream {
            buffer,
            bus: Arc::downgrade(self),
            _subscription: subscription,
        }
    }
}

/// The events of one type: see [`Bus::stream`]. Implements `futures_core::Stream`.
#[must_use = "the events are kept for who takes them; dropped, the stream is not subscribed any more"]
pub struct EventStream<E: Event> {
    buffer: Arc<Buffer<E>>,
    bus: Weak<Inner>,
    _subscription: Option<Subscription>,
}

impl<E: Event> EventStream<E> {
    /// Has room for that many events instead of 1024, at least for one.
    pub fn bounded(self, events: usize) -> Self {
        let mut state = self.buffer.lock();
        state.capacity = events.max(1);
        let told = state.let_in();
        drop(state);
        wake(told);
        self
    }

    /// Says what becomes of an event that finds no room.
    ///
    /// - [`Overflow::Block`] (the default): an emission that is awaited outside of every listener waits for room. Any other one, also one that is not
    ///   awaited, fails with [`QueueFull`](crate::FailureKind::QueueFull): it could wait for its own thread.
    /// - [`Overflow::Reject`]: the emission fails with [`QueueFull`](crate::FailureKind::QueueFull).
    /// - [`Overflow::DropOldest`]: the event that has waited longest is dropped for it.
    /// - [`Overflow::DropNewest`]: the event is dropped, and the report counts it as skipped.
    ///
    /// What is dropped is counted by [`dropped`](Self::dropped). Emissions that wait for room already keep their turn: later ones do not overtake
    /// them, and with `DropOldest` they come in at once.
    ///
    /// ```standalone_crate
    /// use tidings::{Bus, Overflow, event};
    ///
    /// #[event]
    /// struct Measured {
    ///     celsius: i32,
    /// }
    ///
    /// # futures::executor::block_on(async {
    /// let bus = Bus::builder().build()?;
    /// let mut latest = bus.stream::<Measured>().bounded(1).overflow(Overflow::DropOldest);
    /// for celsius in [20, 21, 95] {
    ///     bus.emit(Measured { celsius });
    /// }
    /// assert_eq!(latest.next().await.map(|e| e.celsius), Some(95));
    /// assert_eq!(latest.dropped(), 2);
    /// # Ok::<(), tidings::BuildError>(()) }).unwrap();
    /// ```
    pub fn overflow(self, overflow: Overflow) -> Self {
        let mut state = self.buffer.lock();
        state.overflow = overflow;
        let (told, dropped) = match overflow {
            Overflow::DropOldest => state.push_in(),
            _ => (Vec::new(), Vec::new()),
        };
        drop(state);
        wake(told);
        drop(dropped);
        self
    }

    /// Takes the next event, or nothing at the end. Dropped before it ends, it has taken none.
    pub async fn next(&mut self) -> Option<Arc<E>> {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// How many events were dropped because there was no room for them.
    pub fn dropped(&self) -> u64 {
        self.buffer.lock().dropped
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Arc<E>>> {
        let who = std::ptr::from_ref(&*self).addr();
        let polled = self.buffer.poll(cx.waker().clone());
        if polled.is_pending() {
            let bus = self.bus.upgrade();
            if let Some(runtime) = bus.as_ref().and_then(|bus| bus.runtime()) {
                runtime.help(who, cx);
            }
        }
        polled
    }
}

impl<E: Event> Stream for EventStream<E> {
    type Item = Arc<E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Arc<E>>> {
        self.poll(cx)
    }
}

impl<E: Event> Drop for EventStream<E> {
    fn drop(&mut self) {
        let mut state = self.buffer.lock();
        state.abandoned = true;
        let events = std::mem::take(&mut state.events);
        let (line, waker) = (state.refuse(), state.waker.take());
        drop(state);
        let mut waiting = Vec::new();
        for waits in line {
            waiting.extend(waits.waker);
            drop(waits.event);
        }
        wake(waiting);
        drop((events, waker));
    }
}

impl<E: Event> fmt::Debug for EventStream<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventStream({})", E::TOPIC)
    }
}
