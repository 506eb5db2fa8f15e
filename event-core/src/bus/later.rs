//! Emissions at their time, and waits for a time, on the clock of a bus's runtime.

mod error;
mod handle;
mod task;
mod wait;

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

pub use error::{LaterError, LaterErrorKind};
pub use handle::LaterHandle;
pub use wait::Elapsed;

use task::{Job, Timed};

use crate::bus::{Bus, Inner};
use crate::dispatch::context::Context;
use crate::event::Event;
use crate::listener::timed::Missed;
use crate::runtime::after;
use crate::sync::lock;

impl Bus {
    /// Emits an event when `delay` has passed on the clock of the bus's runtime, never before. What its async listeners do is theirs, as with
    /// [`emit`](Bus::emit) on a bus with a runtime; dropping the handle takes nothing back.
    ///
    /// An event whose time has not come when the bus is shut down, when its guard or its last handle is dropped, or when the runtime ends is not emitted:
    /// that is a failure of the kind [`Abandoned`](crate::FailureKind::Abandoned) for the `on_failure` hook. It does not keep the bus alive.
    ///
    /// ```standalone_crate
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use tidings::{Bus, VirtualRuntime, event, listener};
    ///
    /// #[event]
    /// struct Remind;
    ///
    /// #[listener]
    /// fn ring(_: &Remind, rings: &AtomicU32) {
    ///     rings.fetch_add(1, Ordering::Relaxed);
    /// }
    ///
    /// let (time, rings) = (VirtualRuntime::new(), Arc::new(AtomicU32::new(0)));
    /// let bus = Bus::builder().state(Arc::clone(&rings)).runtime(time.clone()).build()?;
    /// let hour = Duration::from_secs(3600);
    /// bus.emit_later(hour, Remind)?;
    /// let second = bus.emit_later(hour * 2, Remind)?;
    ///
    /// time.advance(hour);
    /// assert!(second.cancel());
    /// time.advance(hour);
    /// assert_eq!(rings.load(Ordering::Relaxed), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`LaterErrorKind::NoRuntime`] if nobody waits for times on this bus, [`LaterErrorKind::Closed`] once it is being shut down. The event is dropped.
    #[track_caller]
    pub fn emit_later<E: Event + Send>(
        &self,
        delay: Duration,
        event: E,
    ) -> Result<LaterHandle, LaterError> {
        let at = after(self.inner().now(), delay);
        self.inner().emit_at(at, event, Location::caller())
    }

    /// Emits an event at a point in time on the clock of the bus's runtime, never before; at once if that has passed. Otherwise as
    /// [`emit_later`](Bus::emit_later).
    ///
    /// # Errors
    ///
    /// Those of [`emit_later`](Bus::emit_later).
    #[track_caller]
    pub fn emit_at<E: Event + Send>(
        &self,
        at: Instant,
        event: E,
    ) -> Result<LaterHandle, LaterError> {
        self.inner().emit_at(at, event, Location::caller())
    }

    /// Emits after each `period` the event that `f` makes of the number of the call, which begins at 0, until the handle is
    /// [cancelled](LaterHandle::cancel) or the bus ends. A period of zero is one nanosecond.
    ///
    /// A panic of `f` is told to the `on_failure` hook, and the next one comes. As with ticks, the end of the bus ends it in silence.
    ///
    /// ```standalone_crate
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use std::time::Duration;
    /// use tidings::{Bus, Missed, VirtualRuntime, event, listener};
    ///
    /// #[event]
    /// struct Beat(u64);
    ///
    /// #[listener]
    /// fn hear(beat: &Beat, last: &AtomicU64) {
    ///     last.store(beat.0, Ordering::Relaxed);
    /// }
    ///
    /// let (time, last) = (VirtualRuntime::new(), Arc::new(AtomicU64::new(0)));
    /// let bus = Bus::builder().state(Arc::clone(&last)).runtime(time.clone()).build()?;
    /// let beats = bus.emit_every(Duration::from_secs(10), Missed::Skip, Beat)?;
    /// time.advance(Duration::from_secs(3600));
    /// assert_eq!(last.load(Ordering::Relaxed), 359);
    /// assert!(beats.cancel());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`emit_later`](Bus::emit_later).
    #[track_caller]
    pub fn emit_every<E: Event + Send>(
        &self,
        period: Duration,
        missed: Missed,
        f: impl FnMut(u64) -> E + Send + 'static,
    ) -> Result<LaterHandle, LaterError> {
        (self.inner()).emit_every(period, missed, f, Location::caller())
    }
}

impl Context<'_> {
    /// Emits an event on the bus of this delivery when `delay` has passed, as [`Bus::emit_later`] does.
    ///
    /// # Errors
    ///
    /// Those of [`Bus::emit_later`].
    #[track_caller]
    pub fn emit_later<E: Event + Send>(
        &self,
        delay: Duration,
        event: E,
    ) -> Result<LaterHandle, LaterError> {
        let at = after(self.bus.now(), delay);
        self.bus.emit_at(at, event, Location::caller())
    }

    /// Emits an event on the bus of this delivery at a point in time, as [`Bus::emit_at`] does.
    ///
    /// # Errors
    ///
    /// Those of [`Bus::emit_later`].
    #[track_caller]
    pub fn emit_at<E: Event + Send>(
        &self,
        at: Instant,
        event: E,
    ) -> Result<LaterHandle, LaterError> {
        self.bus.emit_at(at, event, Location::caller())
    }

    /// Emits after each `period` the event that `f` makes, on the bus of this delivery, as [`Bus::emit_every`] does.
    ///
    /// # Errors
    ///
    /// Those of [`Bus::emit_later`].
    #[track_caller]
    pub fn emit_every<E: Event + Send>(
        &self,
        period: Duration,
        missed: Missed,
        f: impl FnMut(u64) -> E + Send + 'static,
    ) -> Result<LaterHandle, LaterError> {
        self.bus.emit_every(period, missed, f, Location::caller())
    }
}

/// The emissions of a bus whose time has not come.
#[derive(Default)]
pub(crate) struct Laters(Mutex<State>);

#[derive(Default)]
struct State {
    next: u64,
    timed: BTreeMap<u64, Weak<Timed>>,
}

impl Laters {
    fn remove(&self, id: u64) {
        lock(&self.0).timed.remove(&id);
    }

    /// Ends all of them.
    pub(crate) fn end(&self, bus: &Inner, why: &str) {
        let timed = std::mem::take(&mut lock(&self.0).timed);
        for timed in timed.values().filter_map(Weak::upgrade) {
            timed.end(Some(bus), why);
        }
    }
}

impl Inner {
    fn emit_at<E: Event + Send>(
        self: &Arc<Self>,
        at: Instant,
        event: E,
        place: &'static Location<'static>,
    ) -> Result<LaterHandle, LaterError> {
        let job = Job::Once(Box::new(move |bus| bus.emit_from(event, place)));
        self.set(at, job, E::TOPIC, place)
    }

    fn emit_every<E: Event + Send>(
        self: &Arc<Self>,
        period: Duration,
        missed: Missed,
        mut f: impl FnMut(u64) -> E + Send + 'static,
        place: &'static Location<'static>,
    ) -> Result<LaterHandle, LaterError> {
        let mut number = 0;
        let emit = move |bus: &Arc<Inner>| {
            let call = number;
            number += 1;
            bus.emit_from(f(call), place)
        };
        let period = period.max(Duration::from_nanos(1));
        let job = Job::Every {
            period,
            missed,
            emit: Box::new(emit),
        };
        self.set(after(self.now(), period), job, E::TOPIC, place)
    }

    fn set(
        self: &Arc<Self>,
        at: Instant,
        job: Job,
        topic: &'static str,
        place: &'static Location<'static>,
    ) -> Result<LaterHandle, LaterError> {
        let refused = |kind| Err(LaterError::new(kind, topic));
        let Some(runtime) = self.shared_runtime() else {
            return refused(LaterErrorKind::NoRuntime);
        };
        let mut laters = lock(&self.laters.0);
        // Looked at under the lock: who ends them takes it after the intake is closed.
        if !self.work.is_open() {
            drop(laters);
            return refused(LaterErrorKind::Closed);
        }
        laters.next += 1;
        let id = laters.next;
        let timed = Arc::new(Timed::new(self, id, at, job, topic, place));
        laters.timed.insert(id, Arc::downgrade(&timed));
        drop(laters);
        task::start(&timed, runtime);
        Ok(LaterHandle::new(timed))
    }
}
