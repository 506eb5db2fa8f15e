//! A queue whose deliveries are made outside of the bus: for what takes events out of the program.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};

use event_core::private::outlet::{self, NoOutlet, SharedAny};
use event_core::private::{Abandoned, Hear, Lane, Origin};
use event_core::{AnyEvent, Bus, FailureKind, Policy, QueueStats, Subscription};

use super::line::{Line, figures, take_out};
use super::workers::clock_of;
use crate::queue::quiet::drop_quietly;
use crate::queue::{Channel, Config, Start, Worker};
use crate::sync::lock;

/// An event with what was noted when it was emitted.
struct Load<S> {
    share: SharedAny,
    origin: Origin,
    note: S,
}

/// How many events are taken out of the queue at once, at most.
const BATCH: usize = 16;

/// One topic's queue on a bus. Dropped, it takes in nothing more, and what waits is abandoned.
pub struct Outlet<S: Send + Sync + 'static> {
    lane: Arc<OutLane<S>>,
    at_work: Arc<AtWork<S>>,
    subscription: Option<Subscription>,
}

struct OutLane<S: Send + Sync + 'static>(Arc<Line<Load<S>>>);

/// The one worker of the queue, when there is something to do.
struct AtWork<S: Send + Sync + 'static>(Mutex<Place<S>>);

struct Place<S: Send + Sync + 'static> {
    worker: Option<Worker<Load<S>>>,
    /// Of who waits for it.
    waker: Option<Waker>,
}

impl<S: Send + Sync + 'static> Start<Load<S>> for AtWork<S> {
    fn start(&self, worker: Worker<Load<S>>) {
        let mut place = lock(&self.0);
        place.worker = Some(worker);
        let waker = place.waker.take();
        drop(place);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<S: Send + Sync + 'static> Outlet<S> {
    /// Has a bus queue what is emitted with a topic, as the listener `id`. `note` is called where it is emitted, and is told
    /// whether that was while another event was delivered; it may say that the event is not for this queue.
    ///
    /// # Errors
    ///
    /// [`NoOutlet`] if the event cannot leave the program.
    pub fn open(
        bus: &Bus,
        topic: &str,
        id: String,
        policy: Policy,
        place: &'static Location<'static>,
        note: impl Fn(bool) -> Option<S> + Send + Sync + 'static,
    ) -> Result<Self, NoOutlet> {
        let berth = outlet::berth();
        let at_work = Arc::new(AtWork(Mutex::new(Place {
            worker: None,
            waker: None,
        })));
        let config: Config = super::config(policy, false).workers(1).batch(BATCH);
        let channel = Channel::with_ledger(
            config,
            clock_of(outlet::runtime(bus)),
            Arc::clone(&at_work) as _,
            Arc::clone(&berth) as _,
        );
        let lane = Arc::new(OutLane(Arc::new(Line {
            channel,
            berth: Arc::clone(&berth),
        })));
        let own = Arc::clone(&lane.0);
        let weak: Weak<dyn Lane> = Arc::downgrade(&lane) as Weak<OutLane<S>>;
        let offer = move |share, origin: Origin| match note(origin.is_caused()) {
            Some(note) => own.take(
                0,
                Load {
                    share,
                    origin,
                    note,
                },
            ),
            None => event_core::private::Offer::Skipped,
        };
        let subscription = outlet::dock(bus, topic, id, place, berth, weak, offer)?;
        Ok(Self {
            lane,
            at_work,
            subscription: Some(subscription),
        })
    }

    /// The next events, in their order: at least one, and not more than `most`. Whoever has them says what became of each.
    pub fn poll_next(&self, most: usize, cx: &mut Context<'_>) -> Poll<Vec<Parcel<S>>> {
        loop {
            let mut place = lock(&self.at_work.0);
            let Some(mut worker) = place.worker.take() else {
                place.waker = Some(cx.waker().clone());
                return Poll::Pending;
            };
            drop(place);
            worker.take_at_most(most);
            // It ends when there is nothing to do, and the next offer brings another.
            let found =
                worker.take_on() || pin!(worker.next(&|| true)).poll(cx) == Poll::Ready(true);
            if !found {
                continue;
            }
            let loads = worker.carry_off();
            lock(&self.at_work.0).worker = Some(worker);
            let parcel = |load| Parcel {
                line: Arc::clone(&self.lane.0),
                load: Some(load),
            };
            return Poll::Ready(loads.into_iter().map(parcel).collect());
        }
    }

    /// Takes in nothing more. What waits goes on.
    pub fn rest(&mut self) {
        self.subscription = None;
    }

    /// The figures of now.
    pub fn stats(&self) -> QueueStats {
        figures(&self.lane.0.channel)
    }
}

impl<S: Send + Sync + 'static> Drop for Outlet<S> {
    fn drop(&mut self) {
        let line = &self.lane.0;
        line.channel.close();
        let left = take_out(&line.channel, &line.berth, Vec::new());
        for _ in 0..left.waiting + left.in_backoff {
            let gone = "the link was dropped before the event was sent";
            line.berth
                .tell(None, line.berth.failure(FailureKind::Abandoned, gone));
        }
        // The worker keeps the queue, and the queue keeps its place.
        let worker = lock(&self.at_work.0).worker.take();
        drop(worker);
    }
}

impl<S: Send + Sync + 'static> Lane for OutLane<S> {
    fn close(&self) {
        self.0.channel.close();
    }

    /// What was carried off has not begun for the bus, whose listener does not run here: it is what waits until it has ended.
    fn abandon(&self) -> Abandoned {
        let taken = self.0.channel.stats().in_flight() as u64;
        Abandoned {
            taken,
            ..take_out(&self.0.channel, &self.0.berth, Vec::new())
        }
    }

    fn stats(&self) -> QueueStats {
        figures(&self.0.channel)
    }
}

/// An event that was taken out of the queue and has not ended. Dropped without a word it is told as abandoned.
pub struct Parcel<S: Send + Sync + 'static> {
    line: Arc<Line<Load<S>>>,
    load: Option<Load<S>>,
}

impl<S: Send + Sync + 'static> Parcel<S> {
    /// What was noted when it was emitted.
    ///
    /// # Panics
    ///
    /// After its end, which takes it.
    pub fn note(&self) -> &S {
        &self.load().note
    }

    /// Shows the event.
    ///
    /// # Panics
    ///
    /// After its end, which takes it.
    pub fn look<R>(&self, f: impl FnOnce(&AnyEvent<'_>) -> R) -> R {
        f(&AnyEvent::hold(&self.load().share))
    }

    fn load(&self) -> &Load<S> {
        self.load.as_ref().expect("a parcel is there until it ends")
    }

    /// It has arrived.
    pub fn delivered(mut self) {
        self.end(crate::queue::Outcome::Delivered);
    }

    /// Nobody wants it.
    pub fn skipped(mut self) {
        self.end(crate::queue::Outcome::Skipped);
    }

    /// It will not arrive: the failure is reported.
    pub fn failed(mut self, why: String) {
        self.tell(FailureKind::Error, why);
        self.end(crate::queue::Outcome::Failed);
    }

    fn tell(&self, kind: FailureKind, why: String) {
        let origin = self.load.as_ref().map(|load| load.origin);
        let berth = &self.line.berth;
        berth.tell(origin, berth.failure(kind, why));
    }

    fn end(&mut self, outcome: crate::queue::Outcome) {
        if let Some(load) = self.load.take() {
            drop_quietly(load);
            self.line.channel.end(outcome, 1);
            self.line.berth.ended(1);
        }
    }
}

impl<S: Send + Sync + 'static> Drop for Parcel<S> {
    fn drop(&mut self) {
        if self.load.is_some() {
            let gone = "the link was dropped before the peer had the event".to_owned();
            self.tell(FailureKind::Abandoned, gone);
            self.end(crate::queue::Outcome::Abandoned);
        }
    }
}

impl<S: Send + Sync + 'static> fmt::Debug for Outlet<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outlet")
    }
}

impl<S: Send + Sync + 'static> fmt::Debug for Parcel<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parcel")
    }
}
