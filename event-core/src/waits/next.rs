//! One event as a future.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Ends;
use crate::bus::subscription::Subscription;
use crate::bus::{Bus, Inner};
use crate::check::check_carried;
use crate::delivery::lane::Offer;
use crate::dispatch::stack;
use crate::event::Event;
use crate::listener::ListenerInfo;
use crate::runtime::{Task, after};
use crate::sync::lock;

impl Bus {
    /// Waits for the next event of a type.
    ///
    /// It is subscribed at the call, not when it is first polled: an event that is emitted in between is the one. Several waits for one event
    /// share it. Like [`on`](Bus::on) it comes after the linked listeners; the report counts it as queued. Dropped, it is not subscribed any more.
    ///
    /// The wait ends with [`NextErrorKind::Closed`] when the bus is shut down or its last handle is dropped. One that was begun inside a delivery of
    /// this bus ends when a shutdown begins: the shutdown waits for that delivery.
    ///
    /// ```standalone_crate
    /// use tidings::{Bus, event};
    ///
    /// #[event]
    /// struct Paid {
    ///     cents: u64,
    /// }
    ///
    /// # futures::executor::block_on(async {
    /// let bus = Bus::builder().build()?;
    /// let paid = bus.next::<Paid>();
    /// bus.emit(Paid { cents: 250 });
    /// bus.emit(Paid { cents: 900 });
    /// assert_eq!(paid.await?.cents, 250);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn next<E: Event + Send + Sync>(&self) -> NextFuture<E> {
        const { check_carried::<E>() };
        self.inner().next(|_: &E| true, Location::caller())
    }

    /// Waits for the next event that the closure wants. It is judged on the emitting thread; what it does not want counts as skipped.
    ///
    /// ```standalone_crate
    /// use std::time::Duration;
    /// use tidings::{Bus, NextErrorKind, event};
    ///
    /// #[event]
    /// struct Measured {
    ///     celsius: i32,
    /// }
    ///
    /// # futures::executor::block_on(async {
    /// let bus = Bus::builder().build()?;
    /// let hot = bus.next_where(|e: &Measured| e.celsius > 90);
    /// let freezing = bus.next_where(|e: &Measured| e.celsius < 0).within(Duration::from_millis(1));
    /// for celsius in [20, 95] {
    ///     bus.emit(Measured { celsius });
    /// }
    /// assert_eq!(hot.await?.celsius, 95);
    /// assert_eq!(freezing.await.map(drop).unwrap_err().kind(), NextErrorKind::TimedOut);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn next_where<E: Event + Send + Sync>(
        &self,
        wanted: impl Fn(&E) -> bool + Send + Sync + 'static,
    ) -> NextFuture<E> {
        const { check_carried::<E>() };
        self.inner().next(wanted, Location::caller())
    }
}

impl Inner {
    pub(crate) fn next<E: Event + Send + Sync>(
        self: &Arc<Self>,
        wanted: impl Fn(&E) -> bool + Send + Sync + 'static,
        location: &'static Location<'static>,
    ) -> NextFuture<E> {
        let wait = Arc::new(Wait(Mutex::new(State::Waiting(None))));
        let info = ListenerInfo::dynamic(E::TOPIC, location);
        let bus = Arc::downgrade(self);
        let subscription = self.wait::<E, _>(info, &wait, |id, wait| {
            Box::new(move |event: Arc<E>, _| {
                if !stack::check(|| wanted(&event)) {
                    return Offer::Skipped;
                }
                if !wait.settle(State::Here(event)) {
                    return Offer::Absent;
                }
                if let Some(bus) = bus.upgrade() {
                    bus.unsubscribe(id, Some(E::__ops()));
                }
                Offer::Accepted
            })
        });
        NextFuture {
            wait,
            subscription,
            bus: Arc::downgrade(self),
            timeout: None,
        }
    }
}

/// Where an event is put for who waits for it.
struct Wait<E>(Mutex<State<E>>);

enum State<E> {
    Waiting(Option<Waker>),
    Here(Arc<E>),
    Closed,
    Over,
}

impl<E> Wait<E> {
    /// Ends the wait, unless it has ended; whether it did.
    fn settle(&self, end: State<E>) -> bool {
        let mut state = lock(&self.0);
        if !matches!(*state, State::Waiting(_)) {
            drop(state);
            return false;
        }
        let before = std::mem::replace(&mut *state, end);
        drop(state);
        if let State::Waiting(Some(waker)) = before {
            waker.wake();
        }
        true
    }

    /// The event, or nothing if the bus was closed.
    fn poll(&self, waker: Waker) -> Poll<Option<Arc<E>>> {
        let mut state = lock(&self.0);
        if let State::Waiting(known) = &mut *state {
            let before = known.replace(waker);
            drop(state);
            drop(before);
            return Poll::Pending;
        }
        let end = std::mem::replace(&mut *state, State::Over);
        drop(state);
        match end {
            State::Here(event) => Poll::Ready(Some(event)),
            State::Closed => Poll::Ready(None),
            State::Waiting(_) | State::Over => panic!("a wait was polled after it ended"),
        }
    }
}

impl<E: Send + Sync> Ends for Wait<E> {
    fn end(&self) {
        self.settle(State::Closed);
    }
}

/// The next event: see [`Bus::next`].
#[must_use = "an event is waited for until this is dropped; `.await` it"]
pub struct NextFuture<E: Event> {
    wait: Arc<Wait<E>>,
    subscription: Option<Subscription>,
    bus: Weak<Inner>,
    timeout: Option<(Duration, Task)>,
}

impl<E: Event> NextFuture<E> {
    /// Waits at most for this time from now, on the clock of the bus's runtime; then the wait ends with [`NextErrorKind::TimedOut`].
    pub fn within(mut self, time: Duration) -> Self {
        if let Some(bus) = self.bus.upgrade() {
            let at = after(bus.now(), time);
            self.timeout = Some((time, bus.sleep_steadily(at)));
        }
        self
    }

    fn end(&mut self, event: Option<Arc<E>>) -> Result<Arc<E>, NextError> {
        self.subscription = None;
        event.ok_or(NextError {
            topic: E::TOPIC,
            within: None,
        })
    }
}

impl<E: Event> Future for NextFuture<E> {
    type Output = Result<Arc<E>, NextError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let who = std::ptr::from_ref(&*self).addr();
        if let Poll::Ready(event) = self.wait.poll(cx.waker().clone()) {
            return Poll::Ready(self.end(event));
        }
        if let Some((time, timeout)) = &mut self.timeout {
            let time = *time;
            if timeout.as_mut().poll(cx).is_ready() {
                if self.wait.settle(State::Over) {
                    self.subscription = None;
                    return Poll::Ready(Err(NextError {
                        topic: E::TOPIC,
                        within: Some(time),
                    }));
                }
                // It came just now.
                let event = self.wait.poll(cx.waker().clone());
                return event.map(|event| self.end(event));
            }
        }
        let bus = self.bus.upgrade();
        if let Some(runtime) = bus.as_ref().and_then(|bus| bus.runtime()) {
            runtime.help(who, cx);
        }
        Poll::Pending
    }
}

impl<E: Event> fmt::Debug for NextFuture<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NextFuture({})", E::TOPIC)
    }
}

/// Why a wait for an event ended without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NextErrorKind {
    /// The bus was shut down, or its last handle dropped.
    Closed,
    /// The event did not come within the time that was given.
    TimedOut,
}

/// An event that was waited for and did not come.
///
/// ```standalone_crate
/// use tidings::{Bus, NextErrorKind, event};
///
/// #[event]
/// struct Paid;
///
/// # futures::executor::block_on(async {
/// let bus = Bus::builder().build()?;
/// let paid = bus.next::<Paid>();
/// drop(bus);
/// let error = paid.await.map(drop).unwrap_err();
/// assert_eq!(error.kind(), NextErrorKind::Closed);
/// assert_eq!(error.to_string(), "the bus was shut down before `paid` came");
/// # Ok::<(), tidings::BuildError>(()) }).unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextError {
    topic: &'static str,
    /// The time that was over.
    within: Option<Duration>,
}

impl NextError {
    /// Why it did not come.
    pub fn kind(&self) -> NextErrorKind {
        match self.within {
            Some(_) => NextErrorKind::TimedOut,
            None => NextErrorKind::Closed,
        }
    }

    /// The topic of the event.
    pub fn topic(&self) -> &'static str {
        self.topic
    }
}

impl fmt::Display for NextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.within {
            Some(time) => write!(f, "`{}` did not come within {time:?}", self.topic),
            None => write!(f, "the bus was shut down before `{}` came", self.topic),
        }
    }
}

impl Error for NextError {}
