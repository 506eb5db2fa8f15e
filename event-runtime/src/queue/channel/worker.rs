//! The workers' side: a worker's place in a queue.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use super::super::quiet::drop_quietly;
pub(crate) use super::take::Outcome;
use super::take::{After, Found, Given, Hands};
use super::wakers::Calls;
use super::{Channel, Desk};
use crate::clock::Sleep;

/// A worker's place in a queue, with the items it runs.
///
/// Dropped, it gives the place back; items that were running count as failed, items that waited for a retry stay in the queue.
pub struct Worker<T: Send + 'static> {
    channel: Channel<T>,
    hands: Hands<T>,
    desk: Desk,
}

impl<T: Send + 'static> Worker<T> {
    pub(super) fn new(channel: Channel<T>, number: u64) -> Self {
        Self {
            hands: Hands {
                number,
                most: channel.shared.config.batch,
                items: Vec::new(),
                spent: Vec::new(),
                gone: 0,
                key: 0,
                attempt: 0,
                after: After::Nothing,
                ticket: None,
                ended: false,
            },
            channel,
            desk: None,
        }
    }

    /// The queue it works for.
    pub fn channel(&self) -> &Channel<T> {
        &self.channel
    }

    /// The items, with what the job keeps for this worker.
    pub(crate) fn at_work(&mut self) -> (&[T], &mut Desk) {
        (&self.hands.items, &mut self.desk)
    }

    /// How often these items ran before.
    pub(crate) fn attempt(&self) -> u32 {
        self.hands.attempt
    }

    /// The time by the clock of the queue.
    pub(crate) fn now(&self) -> Instant {
        self.channel.shared.clock.now()
    }

    /// Says what became of the items that ran. They end when it is counted, so that whoever waits for their end sees the count.
    pub(crate) fn finish(&mut self, outcome: Outcome) {
        if let After::Running(items) = self.hands.after {
            self.hands.after = After::Ended(outcome, items);
        }
        let Hands { items, spent, .. } = &mut self.hands;
        spent.append(items);
    }

    /// From now on it takes so many items at once, if a batch of the queue is not smaller; at least one.
    pub(crate) fn take_at_most(&mut self, items: usize) {
        self.hands.most = items.clamp(1, self.channel.shared.config.batch);
    }

    /// Takes the items out of its hands while they run. What becomes of each is told to [`Channel::end`].
    pub(crate) fn carry_off(&mut self) -> Vec<T> {
        self.hands.after = After::Nothing;
        std::mem::take(&mut self.hands.items)
    }

    fn drop_spent(&mut self) {
        self.hands.gone += self.hands.spent.len();
        self.hands.spent.drain(..).for_each(drop_quietly);
    }

    /// It may be long until it goes on.
    pub(crate) fn rest(&mut self) {
        let gone = std::mem::take(&mut self.hands.gone);
        if let Some(ledger) = &self.channel.shared.ledger {
            ledger.rests(gone, &mut self.desk);
        }
    }

    /// Has the items run again at that time: their key waits for it, without keys this worker.
    pub(crate) fn retry_at(&mut self, due: Instant) {
        if let After::Running(items) = self.hands.after {
            self.hands.after = After::Retry(due, items);
        }
    }

    /// Takes the next items to run if they are there, without more ado. `false` says nothing.
    pub(crate) fn take_on(&mut self) -> bool {
        let found = self.hands.step_on(&self.channel.shared);
        if found {
            self.drop_spent();
        }
        found
    }

    /// Waits for the next items to run. `false` tells the worker to end: the queue is closed and empty, or there is nothing to do and
    /// `may_end` allows it.
    pub(crate) fn next<'a>(&'a mut self, may_end: &'a (dyn Fn() -> bool + Sync)) -> Next<'a, T> {
        Next {
            worker: self,
            may_end,
            sleep: None,
        }
    }
}

impl<T: Send + 'static> Drop for Worker<T> {
    fn drop(&mut self) {
        let mut calls = Calls::default();
        self.hands.let_go(&self.channel.shared, &mut calls);
        self.channel.make(calls);
        // Those that it has when it ends while they run.
        let Hands { items, spent, .. } = &mut self.hands;
        spent.append(items);
        self.drop_spent();
        self.rest();
    }
}

impl<T: Send + 'static> fmt::Debug for Worker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("number", &self.hands.number)
            .finish_non_exhaustive()
    }
}

/// Waits for items: see [`Worker::next`].
pub(crate) struct Next<'a, T: Send + 'static> {
    worker: &'a mut Worker<T>,
    may_end: &'a (dyn Fn() -> bool + Sync),
    sleep: Option<(Instant, Sleep)>,
}

// Nothing is pinned in it but what is boxed.
impl<T: Send + 'static> Unpin for Next<'_, T> {}

impl<T: Send + 'static> Future for Next<'_, T> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let this = &mut *self;
        let mut given = Given {
            now: None,
            waker: None,
        };
        loop {
            let mut calls = Calls::default();
            let shared = &this.worker.channel.shared;
            let found = this
                .worker
                .hands
                .step(shared, this.may_end, &mut given, &mut calls);
            this.worker.channel.make(calls);
            this.worker.drop_spent();
            match found {
                Found::Items => return Poll::Ready(true),
                Found::End => {
                    this.worker.rest();
                    return Poll::Ready(false);
                }
                Found::NeedsTime => given.now = Some(this.worker.now()),
                Found::NeedsWaker => given.waker = Some(cx.waker().clone()),
                Found::Nothing(None) => {
                    this.worker.rest();
                    return Poll::Pending;
                }
                Found::Nothing(Some(due)) => {
                    this.worker.rest();
                    let sleep = match this.sleep.take() {
                        Some((until, sleep)) if until == due => sleep,
                        _ => this.worker.channel.shared.clock.sleep_until(due),
                    };
                    let (_, sleep) = this.sleep.insert((due, sleep));
                    if sleep.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    this.sleep = None;
                    // A timer that ends a little early has ended all the same.
                    given.now = Some(this.worker.now().max(due));
                }
            }
        }
    }
}
