//! Callbacks and events for later.

use std::panic::Location;
use std::time::{Duration, Instant};

use event_core::private::after;
use event_core::private::scope::emit_from;
use event_core::{Event, Missed};

use super::EventLoop;
use super::calls::Action;
use super::error::LoopError;
use super::every::Every;
use super::handle::Handle;
use super::outcome::CallResult;

impl EventLoop {
    /// Has `f` called in the next turn of the loop, after everything that was scheduled before.
    ///
    /// The bus that is current here is current in it. If it returns an error or panics, the loop's [`on_failure`](Self::on_failure) hook is told,
    /// and the next item comes.
    ///
    /// ```
    /// use tidings::EventLoop;
    ///
    /// let lp = EventLoop::virtual_time();
    /// lp.call_soon(|lp| {
    ///     println!("Hello World");
    ///     lp.stop();
    /// })?;
    /// lp.run_forever()?;
    /// # Ok::<(), tidings::event_loop::LoopError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`LoopError::Closed`].
    #[track_caller]
    pub fn call_soon<R: CallResult>(
        &self,
        f: impl FnOnce(&EventLoop) -> R + 'static,
    ) -> Result<Handle, LoopError> {
        let action = Action::Once(Box::new(move |lp| f(lp).ended()));
        let key = self.core.soon(action, Location::caller())?;
        Ok(Handle::new(&self.core, key, None))
    }

    /// Has `f` called when `delay` has passed, never before. A delay of zero comes after what is scheduled already, and before what that schedules.
    ///
    /// # Errors
    ///
    /// [`LoopError::Closed`].
    #[track_caller]
    pub fn call_later<R: CallResult>(
        &self,
        delay: Duration,
        f: impl FnOnce(&EventLoop) -> R + 'static,
    ) -> Result<Handle, LoopError> {
        self.call_at(after(self.time(), delay), f)
    }

    /// Has `f` called at `at` on the loop's clock, never before; in the next turn if that has passed. Callbacks of one time are called in the
    /// order in which they were scheduled.
    ///
    /// # Errors
    ///
    /// [`LoopError::Closed`].
    #[track_caller]
    pub fn call_at<R: CallResult>(
        &self,
        at: Instant,
        f: impl FnOnce(&EventLoop) -> R + 'static,
    ) -> Result<Handle, LoopError> {
        let action = Action::Once(Box::new(move |lp| f(lp).ended()));
        let key = self.core.at(at, action, Location::caller())?;
        Ok(Handle::new(&self.core, key, Some(at)))
    }

    /// Has `f` called after each `period`, until the handle is [cancelled](Handle::cancel) or the loop closed. A period of zero is one nanosecond.
    ///
    /// # Errors
    ///
    /// [`LoopError::Closed`].
    #[track_caller]
    pub fn call_every<R: CallResult>(
        &self,
        period: Duration,
        missed: Missed,
        mut f: impl FnMut(&EventLoop) -> R + 'static,
    ) -> Result<Handle, LoopError> {
        let at = after(self.time(), period);
        let every = Every {
            period: period.max(Duration::from_nanos(1)),
            missed,
            at,
            f: Box::new(move |lp| f(lp).ended()),
        };
        let action = Action::Every(Box::new(every));
        let key = self.core.at(at, action, Location::caller())?;
        Ok(Handle::new(&self.core, key, Some(at)))
    }

    /// Emits an event in the next turn of the loop, on the bus that is current here. Its async listeners run as a task of the loop, unless the bus
    /// has a runtime.
    ///
    /// ```standalone_crate
    /// use tidings::{Bus, EventLoop, event, listener};
    /// # use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// #[event]
    /// struct Ring;
    ///
    /// #[listener]
    /// fn hear(_: &Ring, rings: &AtomicU32) {
    ///     rings.fetch_add(1, Ordering::Relaxed);
    ///     EventLoop::current().expect("a loop runs here").stop();
    /// }
    ///
    /// let _bus = Bus::builder().state(AtomicU32::new(0)).build()?.install()?;
    /// let lp = EventLoop::virtual_time();
    /// lp.emit_soon(Ring)?;
    /// lp.run_forever()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`LoopError::Closed`]; the event is dropped.
    #[track_caller]
    pub fn emit_soon<E: Event>(&self, event: E) -> Result<Handle, LoopError> {
        let place = Location::caller();
        self.call_soon(move |lp| lp.emit_here(event, place))
    }

    /// Emits an event when `delay` has passed, on the bus that is current here.
    ///
    /// # Errors
    ///
    /// [`LoopError::Closed`]; the event is dropped.
    #[track_caller]
    pub fn emit_later<E: Event>(&self, delay: Duration, event: E) -> Result<Handle, LoopError> {
        let place = Location::caller();
        self.call_later(delay, move |lp| lp.emit_here(event, place))
    }

    /// Emits an event at `at` on the loop's clock, on the bus that is current here.
    ///
    /// # Errors
    ///
    /// [`LoopError::Closed`]; the event is dropped.
    #[track_caller]
    pub fn emit_at<E: Event>(&self, at: Instant, event: E) -> Result<Handle, LoopError> {
        let place = Location::caller();
        self.call_at(at, move |lp| lp.emit_here(event, place))
    }

    /// Emits after each `period` the event that `f` makes of the number of the call, which begins at 0, on the bus that is current here.
    ///
    /// ```standalone_crate
    /// use std::time::Duration;
    /// use tidings::event_loop::{EventLoop, Missed};
    /// use tidings::{Bus, event, listener};
    /// # use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// #[event]
    /// struct Tick(u64);
    ///
    /// #[listener]
    /// fn count(tick: &Tick, last: &AtomicU64) {
    ///     last.store(tick.0, Ordering::Relaxed);
    /// }
    ///
    /// # use std::sync::Arc;
    /// let last = Arc::new(AtomicU64::new(0));
    /// let _bus = Bus::builder().state(Arc::clone(&last)).build()?.install()?;
    /// let lp = EventLoop::virtual_time();
    /// lp.emit_every(Duration::from_secs(10), Missed::Skip, Tick)?;
    /// lp.run_for(Duration::from_secs(3600))?;
    /// assert_eq!(last.load(Ordering::Relaxed), 359);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`LoopError::Closed`].
    #[track_caller]
    pub fn emit_every<E: Event>(
        &self,
        period: Duration,
        missed: Missed,
        mut f: impl FnMut(u64) -> E + 'static,
    ) -> Result<Handle, LoopError> {
        let (mut number, place) = (0, Location::caller());
        self.call_every(period, missed, move |lp| {
            let event = f(number);
            number += 1;
            lp.emit_here(event, place);
        })
    }

    fn emit_here<E: Event>(&self, event: E, place: &'static Location<'static>) {
        self.adopt(emit_from(event, place));
    }
}
