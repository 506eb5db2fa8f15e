//! One listener's queue on one bus.

use std::future::Future;
use std::hash::{DefaultHasher, Hasher as _};
use std::pin::Pin;
use std::sync::Arc;

use event_core::private::{Abandoned, Berth, Hear, Lane, Offer, Origin, Wait};
use event_core::{FailureKind, QueueStats};

use super::{Item, KeyFn, WhenFn};
use crate::queue::{Channel, Refused};

/// The queue of one listener on one bus.
pub(super) struct Line<P: Hear<Share: Clone + Send + Sync>> {
    pub(super) channel: Channel<Item<P>>,
    pub(super) berth: Arc<Berth>,
    pub(super) key: Option<KeyFn<P>>,
    pub(super) when: Option<WhenFn<P>>,
}

impl<P: Hear<Share: Clone + Send + Sync>> Line<P> {
    /// Takes an event in, if its listener wants it and there is room.
    pub(super) fn take(self: &Arc<Self>, share: P::Share, origin: Origin) -> Offer {
        let key = {
            let held = P::hold(&share);
            if let Some(when) = &self.when {
                if !when(&held) {
                    return Offer::Skipped;
                }
            }
            self.key.as_ref().map_or(0, |key| {
                let mut hasher = DefaultHasher::new();
                key(&held, &mut hasher);
                hasher.finish()
            })
        };
        match self.berth.lease() {
            Ok(open) => self.offer(
                key,
                Item {
                    share,
                    origin,
                    _open: open,
                },
            ),
            Err(refused) => refused,
        }
    }

    fn offer(self: &Arc<Self>, key: u64, item: Item<P>) -> Offer {
        match self.channel.offer(key, item) {
            Ok(_displaced) => Offer::Accepted,
            Err(Refused::Dropped(_)) => Offer::Skipped,
            Err(Refused::Closed(_)) => {
                Offer::Refused(FailureKind::Closed, "the bus is shut down".to_owned())
            }
            Err(Refused::Full(_))
                if self.channel.config().overflow == crate::queue::Overflow::Reject =>
            {
                let capacity = self.channel.config().capacity;
                Offer::Refused(
                    FailureKind::QueueFull,
                    format!("as many deliveries wait in the queue as may ({capacity})"),
                )
            }
            Err(Refused::Elsewhere(_)) => elsewhere(),
            Err(Refused::Full(_)) if !self.channel.has_workers_here() => elsewhere(),
            Err(Refused::Full(item)) => Offer::Full(Box::pin(Waiting {
                line: Arc::clone(self),
                key,
                item: Some(item),
                room: None,
            })),
        }
    }
}

/// What a fork of the process says, which has the queue without its threads.
#[cold]
fn elsewhere() -> Offer {
    Offer::Refused(
        FailureKind::Forked,
        "the threads of the queue are in the process that this one was forked from: build the bus after the fork".to_owned(),
    )
}

/// An item that waits for room. Dropped with it, it counts as rejected.
struct Waiting<P: Hear<Share: Clone + Send + Sync>> {
    line: Arc<Line<P>>,
    key: u64,
    item: Option<Item<P>>,
    room: Option<crate::queue::Room<Item<P>>>,
}

// The item is never pinned.
impl<P: Hear<Share: Clone + Send + Sync>> Unpin for Waiting<P> {}

impl<P: Hear<Share: Clone + Send + Sync>> Future for Waiting<P> {
    type Output = Offer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Offer> {
        let this = &mut *self;
        loop {
            let room = (this.room).get_or_insert_with(|| this.line.channel.room());
            std::task::ready!(Pin::new(room).poll(cx));
            this.room = None;
            let item = this.item.take().expect("it is polled until it is ready");
            match this.line.channel.offer(this.key, item) {
                Err(Refused::Full(item)) => this.item = Some(item),
                Ok(_) => return std::task::Poll::Ready(Offer::Accepted),
                Err(_) => {
                    return std::task::Poll::Ready(Offer::Refused(
                        FailureKind::Closed,
                        "the bus was shut down before there was room in the queue".to_owned(),
                    ));
                }
            }
        }
    }
}

impl<P: Hear<Share: Clone + Send + Sync>> Wait for Waiting<P> {
    fn linger(&self) {
        self.line.channel.linger();
    }
}

impl<P: Hear<Share: Clone + Send + Sync>> Drop for Waiting<P> {
    fn drop(&mut self) {
        if self.item.is_some() {
            self.line.channel.reject();
        }
    }
}

impl<P: Hear<Share: Clone + Send + Sync>> Lane for Line<P> {
    fn close(&self) {
        self.channel.close();
    }

    fn abandon(&self) -> Abandoned {
        let left = self.channel.take_out();
        Abandoned {
            waiting: left.waiting.len(),
            in_backoff: left.in_backoff.len(),
            taken: left.taken,
        }
    }

    fn stats(&self) -> QueueStats {
        let now = self.channel.stats();
        let mut stats = QueueStats::default();
        stats.depth = now.depth();
        stats.high_water = now.high_water();
        stats.oldest = now.oldest();
        stats.delivered = now.delivered();
        stats.skipped = now.skipped();
        stats.dropped = now.dropped();
        stats.rejected = now.rejected();
        stats.retried = now.retried();
        stats.failed = now.failed();
        stats.abandoned = now.abandoned();
        stats.in_flight = now.in_flight();
        stats.in_backoff = now.in_backoff();
        stats
    }
}
