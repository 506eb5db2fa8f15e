//! Where an event comes from: the envelope of what is being delivered, and the ids of what is sent.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use event_core::private::outlet;
use event_core::{Bus, EventInfo};

use crate::wire::envelope::{Envelope, EventId};

thread_local! {
    static CURRENT: RefCell<Option<Incoming>> = const { RefCell::new(None) };
}

/// An event of a peer that is being emitted on this thread.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    pub(super) envelope: Envelope,
    /// The session that it came over.
    pub(super) session: u64,
    /// Its topic, if it is a request.
    pub(super) asks: Option<&'static str>,
}

/// The envelope of the event that came over a link and is being delivered on this thread: for inline listeners, and for conditions of others.
///
/// ```
/// assert_eq!(tidings::transport::wire::envelope(), None);
/// ```
pub fn envelope() -> Option<Envelope> {
    current().map(|incoming| incoming.envelope)
}

pub(super) fn current() -> Option<Incoming> {
    let find = |place: &RefCell<Option<Incoming>>| place.borrow().clone();
    CURRENT.try_with(find).ok().flatten()
}

/// Puts back what was there before, also after a panic.
struct Restored(Option<Incoming>);

impl Drop for Restored {
    fn drop(&mut self) {
        let before = self.0.take();
        let _ = CURRENT.try_with(|place| place.replace(before));
    }
}

pub(super) fn delivering<R>(incoming: Incoming, f: impl FnOnce() -> R) -> R {
    let before = CURRENT.try_with(|place| place.replace(Some(incoming)));
    let _restored = Restored(before.ok().flatten());
    f()
}

/// What gives the events of one bus their ids.
#[derive(Debug)]
pub(super) struct Source {
    origin: u64,
    sent: AtomicU64,
}

impl Source {
    pub(super) fn of(bus: &Bus) -> Arc<Self> {
        outlet::shared(bus, || Self {
            origin: fastrand::u64(1..),
            sent: AtomicU64::new(0),
        })
    }

    pub(super) fn origin(&self) -> u64 {
        self.origin
    }

    pub(super) fn next(&self) -> EventId {
        let number = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        EventId::new(self.origin, number)
    }

    /// The envelope of an event that this program sends first.
    pub(super) fn first(&self, event: &EventInfo, content_type: &'static str) -> Envelope {
        Envelope::new(self.next(), SystemTime::now(), event, content_type)
    }

    /// The envelope under which an event that is emitted on this thread is sent over a session; nothing if it is not.
    ///
    /// What a listener emits while it is given an event of a peer was caused by that. The event itself came over a link, and goes over another only
    /// through a relay.
    pub(super) fn envelope(
        &self,
        event: &EventInfo,
        content_type: &'static str,
        caused: bool,
        relay: Option<u8>,
        session: u64,
    ) -> Option<Envelope> {
        let incoming = current();
        match incoming {
            None => Some(self.first(event, content_type)),
            Some(incoming) if caused => {
                let envelope = self.first(event, content_type);
                Some(envelope.caused_by(&incoming.envelope))
            }
            Some(Incoming {
                mut envelope,
                session: over,
                ..
            }) => {
                let most = relay?;
                if over == session || envelope.hops >= most {
                    return None;
                }
                envelope.hops += 1;
                envelope.content_type = content_type;
                Some(envelope)
            }
        }
    }
}
