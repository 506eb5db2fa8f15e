//! Listeners that live on the loop's thread.

use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use event_core::private::check_carried;
use event_core::private::scope::queue;
use event_core::{Bus, Event, Subscription};
use slotmap::{DefaultKey, SlotMap};

use crate::queue::quiet::drop_quietly;

use super::EventLoop;
use super::calls::Action;
use super::core::Core;
use super::error::LoopError;
use super::local;
use super::outcome::{CallResult, Ended};
use super::shared::{Message, Shared};

/// The listeners, each taken out while it runs.
pub(super) type Hearers = SlotMap<DefaultKey, Option<Hearer>>;
type Hearer = Box<dyn FnMut(&dyn Any) -> Ended>;

/// A listener of a loop: it is taken out again when this is dropped.
#[must_use = "the listener is taken out when the subscription is dropped; keep it"]
pub struct LoopSubscription {
    core: Weak<Core>,
    key: DefaultKey,
    _bus: Subscription,
}

impl EventLoop {
    /// Adds a listener that runs on this thread, in a turn of the loop, wherever the event is emitted. What it captures need not be `Send`, and it may
    /// change it.
    ///
    /// It comes after the linked listeners and hears events emitted after this call; the report counts them as queued. The bus of the emission is current
    /// in it. What is not heard when the loop is closed is dropped; a shutdown of the bus does not wait for it.
    ///
    /// ```standalone_crate
    /// use std::{cell::Cell, rc::Rc};
    /// use tidings::{Bus, EventLoop, event};
    ///
    /// #[event]
    /// struct Clicked {
    ///     x: u32,
    /// }
    ///
    /// let bus = Bus::builder().build()?;
    /// let lp = EventLoop::virtual_time();
    /// let sum = Rc::new(Cell::new(0));
    /// let total = Rc::clone(&sum);
    /// let _clicks = lp.on(&bus, move |click: &Clicked| total.set(total.get() + click.x))?;
    ///
    /// assert_eq!(bus.emit(Clicked { x: 3 }).report().queued(), 1);
    /// assert_eq!(sum.get(), 0);
    /// lp.run_until_idle()?;
    /// assert_eq!(sum.get(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`LoopError::Closed`].
    #[track_caller]
    pub fn on<E: Event + Send + Sync, R: CallResult>(
        &self,
        bus: &Bus,
        mut f: impl FnMut(&E) -> R + 'static,
    ) -> Result<LoopSubscription, LoopError> {
        const { check_carried::<E>() };
        self.core.check_open()?;
        let place = Location::caller();
        let hearer: Hearer = Box::new(move |event| match event.downcast_ref() {
            Some(event) => f(event).ended(),
            None => Ok(()),
        });
        let key = self.core.hearers.borrow_mut().insert(Some(hearer));
        let shared = Arc::clone(&self.core.shared);
        let subscription = queue(bus, place, move |event: Arc<E>| {
            take(&shared, key, event, place)
        });
        Ok(LoopSubscription {
            core: Rc::downgrade(&self.core),
            key,
            _bus: subscription,
        })
    }
}

/// Puts an event into the loop's queue; whether the loop is open.
fn take<E: Event + Send + Sync>(
    shared: &Arc<Shared>,
    key: DefaultKey,
    event: Arc<E>,
    place: &'static Location<'static>,
) -> bool {
    let hear = move |lp: &EventLoop| lp.core.hear(key, &*event);
    match local::find(shared) {
        Some(core) => core.soon(Action::Once(Box::new(hear)), place).is_ok(),
        None => shared.post(Message::call(place, hear)).is_ok(),
    }
}

impl Core {
    fn hear(&self, key: DefaultKey, event: &dyn Any) -> Ended {
        let hearer = self
            .hearers
            .borrow_mut()
            .get_mut(key)
            .and_then(Option::take);
        // It was taken out since.
        let Some(hearer) = hearer else { return Ok(()) };
        let mut back = Back {
            core: self,
            key,
            hearer: Some(hearer),
        };
        back.hearer.as_mut().map_or(Ok(()), |hearer| hearer(event))
    }
}

/// Puts a listener back, also after a panic.
struct Back<'c> {
    core: &'c Core,
    key: DefaultKey,
    hearer: Option<Hearer>,
}

impl Drop for Back<'_> {
    fn drop(&mut self) {
        let hearer = self.hearer.take();
        let mut hearers = self.core.hearers.borrow_mut();
        let left = match hearers.get_mut(self.key) {
            Some(place) => std::mem::replace(place, hearer),
            None => hearer,
        };
        drop(hearers);
        drop_quietly(left);
    }
}

impl Drop for LoopSubscription {
    fn drop(&mut self) {
        if let Some(core) = self.core.upgrade() {
            let hearer = core.hearers.borrow_mut().remove(self.key);
            drop_quietly(hearer);
        }
    }
}

impl fmt::Debug for LoopSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoopSubscription({:?})", self.key)
    }
}
