//! One listener's queue on one bus.

use std::future::Future;
use std::hash::{DefaultHasher, Hasher as _};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use event_core::private::{Abandoned, Berth, Hear, Installer, Lane, Offer, Opened, Pace, Wait};
use event_core::{FailureKind, QueueStats};

use super::{Item, KeyFn, WhenFn, Work};
use crate::queue::quiet::drop_quietly;
use crate::queue::{Accepted, Channel, Config, Desk, Ledger, Refused};

/// The queue of one listener on one bus.
pub(super) struct Line<T: Send + 'static> {
    pub(super) channel: Channel<T>,
    pub(super) berth: Arc<Berth>,
}

/// Puts the accepted listener behind a queue.
pub(super) fn install<P: Hear<Share: Clone + Send + Sync>>(
    installer: &mut Installer<'_>,
    work: Work<P>,
    config: Config,
    key: Option<KeyFn<P>>,
    when: Option<WhenFn<P>>,
) {
    let own = Arc::new(Line {
        channel: work.channel(config),
        berth: Arc::clone(&work.berth),
    });
    let lane: Weak<dyn Lane> = Arc::downgrade(&own) as Weak<Line<Item<P>>>;
    installer.dock(work.berth, Some(lane));
    P::install_queue(
        installer,
        Box::new(move |share, origin| {
            let Some(key) = wanted::<P>(&share, key.as_ref(), when.as_ref()) else {
                return Offer::Skipped;
            };
            own.take(
                key,
                Item {
                    share,
                    origin,
                    _end: None,
                },
            )
        }),
    );
}

/// The key of an event that its listener wants.
fn wanted<P: Hear>(
    share: &P::Share,
    key: Option<&KeyFn<P>>,
    when: Option<&WhenFn<P>>,
) -> Option<u64> {
    let held = P::hold(share);
    if when.is_some_and(|when| !when(&held)) {
        return None;
    }
    Some(key.map_or(0, |key| {
        let mut hasher = DefaultHasher::new();
        key(&held, &mut hasher);
        hasher.finish()
    }))
}

impl<T: Send + Sync + 'static> Line<T> {
    /// Takes an item in, if there is room.
    pub(super) fn take(self: &Arc<Self>, key: u64, item: T) -> Offer {
        match self.berth.take_in() {
            Ok(open) => self.offer(open, key, item),
            Err(refused) => refused,
        }
    }

    fn offer(self: &Arc<Self>, open: Opened<'_>, key: u64, item: T) -> Offer {
        match self.channel.offer(key, item) {
            Ok(Accepted { displaced: None }) => {
                std::mem::forget(open);
                Offer::Accepted
            }
            Ok(Accepted { displaced }) => {
                // This one stays open in its place.
                drop(displaced);
                Offer::Accepted
            }
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
            Err(Refused::Full(item)) => {
                std::mem::forget(open);
                Offer::Full(Box::pin(Waiting {
                    line: Arc::clone(self),
                    room: Some(self.channel.wait(key, item)),
                }))
            }
        }
    }
}

/// Tells the bus that deliveries have ended, once they are dropped: also when one of them panics then.
pub(super) struct Ending<'a>(&'a Berth, usize);

impl<'a> Ending<'a> {
    pub(super) fn of(berth: &'a Berth, deliveries: usize) -> Self {
        Self(berth, deliveries)
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.ended(self.1);
    }
}

impl Ledger for Berth {
    fn rests(&self, ended: usize, desk: &mut Desk) {
        if let Some(pace) = desk.as_mut().and_then(|kept| kept.downcast_mut::<Pace>()) {
            pace.stop();
        }
        if ended > 0 {
            self.ended(ended);
        }
    }
}

/// What a fork of the process says, which has the queue without its threads.
#[cold]
pub(super) fn elsewhere() -> Offer {
    Offer::Refused(
        FailureKind::Forked,
        "the threads of the queue are in the process that this one was forked from: build the bus after the fork".to_owned(),
    )
}

/// An item that waits for room. Dropped with it, it counts as rejected.
struct Waiting<T: Send + 'static> {
    line: Arc<Line<T>>,
    room: Option<crate::queue::Room<T>>,
}

impl<T: Send + Sync + 'static> Future for Waiting<T> {
    type Output = Offer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Offer> {
        let Some(room) = &mut self.room else {
            return Poll::Pending;
        };
        let waited = ready!(Pin::new(room).poll(cx));
        self.room = None;
        let Err(item) = waited else {
            return Poll::Ready(Offer::Accepted);
        };
        let _ending = Ending::of(&self.line.berth, 1);
        drop(item);
        Poll::Ready(Offer::Refused(
            FailureKind::Closed,
            "the bus was shut down before there was room in the queue".to_owned(),
        ))
    }
}

impl<T: Send + Sync + 'static> Wait for Waiting<T> {
    fn linger(&self) {
        self.line.channel.linger();
    }

    fn leave(mut self: Pin<&mut Self>) -> bool {
        give_up(&mut self)
    }
}

impl<T: Send + 'static> Drop for Waiting<T> {
    fn drop(&mut self) {
        give_up(self);
    }
}

fn give_up<T: Send + 'static>(waiting: &mut Waiting<T>) -> bool {
    let Some(item) = waiting.room.take().and_then(crate::queue::Room::leave) else {
        return false;
    };
    waiting.line.channel.reject();
    let _ending = Ending::of(&waiting.line.berth, 1);
    drop(item);
    true
}

impl<T: Send + Sync + 'static> Lane for Line<T> {
    fn close(&self) {
        self.channel.close();
    }

    fn abandon(&self) -> Abandoned {
        take_out(&self.channel, &self.berth, Vec::new())
    }

    fn stats(&self) -> QueueStats {
        figures(&self.channel)
    }
}

/// Takes out of a queue what has not begun, behind what was `held` before it.
pub(super) fn take_out<T: Send + 'static>(
    channel: &Channel<T>,
    berth: &Berth,
    mut held: Vec<T>,
) -> Abandoned {
    let left = channel.take_out();
    held.extend(left.waiting);
    let abandoned = Abandoned {
        waiting: held.len(),
        in_backoff: left.in_backoff.len(),
        taken: left.taken,
    };
    held.extend(left.in_backoff);
    let _ending = Ending::of(berth, held.len());
    held.into_iter().for_each(drop_quietly);
    abandoned
}

/// What a queue says, for the user.
pub(super) fn figures<T: Send + 'static>(channel: &Channel<T>) -> QueueStats {
    let now = channel.stats();
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
