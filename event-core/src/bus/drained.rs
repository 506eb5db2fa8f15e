//! Waiting until what was accepted is delivered, without an end of the bus.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::bus::shutdown::WouldDeadlock;
use crate::bus::work::{Ends, Queues, Work};
use crate::bus::{Bus, Inner};
use crate::dispatch::stack;
use crate::event::Event;
use crate::topic::matches;

impl Bus {
    /// Waits until everything that this bus has accepted is delivered: async deliveries, and what waits in queues, for a retry or for the time of its
    /// `debounce` or `throttle`. The bus stays open, so what is emitted meanwhile is waited for as well; ticks and
    /// [later emissions](Bus::emit_later) that are not due are not.
    ///
    /// It also ends when the bus is shut down and what is left was given up.
    ///
    /// ```standalone_crate
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use tidings::{Bus, event, listener};
    ///
    /// #[event]
    /// struct Paid {
    ///     cents: u64,
    /// }
    ///
    /// #[listener(queue = 16)]
    /// fn book(e: &Paid, total: &AtomicU64) {
    ///     total.fetch_add(e.cents, Ordering::Relaxed);
    /// }
    ///
    /// # futures::executor::block_on(async {
    /// let total = Arc::new(AtomicU64::new(0));
    /// let bus = Bus::builder().state(Arc::clone(&total)).build()?;
    /// for cents in [100, 250] {
    ///     bus.emit(Paid { cents });
    /// }
    /// bus.drained().await?;
    /// assert_eq!(total.load(Ordering::Relaxed), 350);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`WouldDeadlock`] inside a delivery of this bus, which would wait for itself.
    pub fn drained(&self) -> Drained {
        Drained::new(self, None)
    }

    /// Waits until the queues of the listeners that hear an event are empty and their deliveries have ended. A queue that hears several events is
    /// waited for as a whole; a listener that has none is not waited for.
    ///
    /// ```standalone_crate
    /// use tidings::{Bus, event, listener};
    ///
    /// #[event]
    /// struct Paid;
    ///
    /// #[listener(queue = 16)]
    /// fn book(_: &Paid) {}
    ///
    /// # futures::executor::block_on(async {
    /// let bus = Bus::builder().build()?;
    /// bus.emit(Paid);
    /// bus.drained_of::<Paid>().await?;
    /// assert_eq!(bus.queues()[0].1.delivered, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`WouldDeadlock`] inside a delivery of this bus, which could wait for itself.
    pub fn drained_of<E: Event>(&self) -> Drained {
        let carried = self.inner().carried.list();
        let heard = carried.iter().filter(|(listener, _)| {
            let mut patterns = listener.hears().into_iter();
            patterns.any(|pattern| matches(pattern, E::TOPIC))
        });
        let queues = heard.filter_map(|(_, carrier)| Some(carrier.berth.as_ref()?.tally()));
        Drained::new(self, Some(Arc::new(queues.collect())))
    }
}

/// A wait for what was accepted: see [`Bus::drained`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Drained {
    bus: Arc<Inner>,
    queues: Option<Queues>,
    ends: Option<Ends>,
}

impl Drained {
    fn new(bus: &Bus, queues: Option<Queues>) -> Self {
        Self {
            bus: Arc::clone(bus.inner()),
            queues,
            ends: None,
        }
    }
}

impl Future for Drained {
    type Output = Result<(), WouldDeadlock>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let who = std::ptr::from_ref(&*self).addr();
        let this = &mut *self;
        if this.ends.is_none() && stack::with(|stack| stack.stands_on(this.bus.id)) {
            return Poll::Ready(Err(WouldDeadlock::new()));
        }
        let ends = this.ends.get_or_insert_with(|| match &this.queues {
            None => Work::done(&this.bus.work),
            Some(queues) => Work::done_of(&this.bus.work, Arc::clone(queues)),
        });
        let polled = Pin::new(ends).poll(cx);
        if polled.is_pending() {
            if let Some(runtime) = this.bus.runtime() {
                runtime.help(who, cx);
            }
        }
        polled.map(Ok)
    }
}

impl fmt::Debug for Drained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.queues {
            None => write!(f, "Drained({:?})", self.bus),
            Some(queues) => write!(f, "Drained({:?}, {} queues)", self.bus, queues.len()),
        }
    }
}
