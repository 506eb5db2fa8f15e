//! What the handles of a queue share.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Deref;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use super::super::quiet::drop_quietly;
use super::feed::Feed;
use super::line::Line;
use super::stats::Marks;
use super::wakers::{Calls, Wakers};
use super::{Config, Ledger, Start};
use crate::clock::Clock;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::lock;

pub(super) struct Shared<T> {
    pub(super) config: Config,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) start: Arc<dyn Start<T>>,
    /// Items that left the queue: begun, displaced or abandoned. Written under `front`, read by emitters without it. An old value only
    /// makes the queue look fuller than it is, and not to anyone who was told about the room.
    pub(super) left: Apart<AtomicU64>,
    pub(super) front: Apart<Mutex<Front<T>>>,
    pub(super) back: Apart<Mutex<Back<T>>>,
    pub(super) ledger: Option<Arc<dyn Ledger>>,
}

/// Not on one cache line with its neighbours, which other cores write.
#[repr(align(128))]
pub(super) struct Apart<T>(pub(super) T);

impl<T> Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

pub(super) struct Front<T> {
    pub(super) feed: Feed<T>,
    /// An item was taken since the clock was last read, so the next one may come much later.
    pub(super) taken: bool,
    /// Somebody in `Back::line` may have to be woken.
    pub(super) room_wanted: bool,
    pub(super) running: usize,
    pub(super) in_backoff: usize,
    /// Retries of keys, by their time: any worker takes them up.
    pub(super) delayed: BTreeMap<(Instant, u64), Delayed<T>>,
    /// Retries that wait with their worker, by its number.
    pub(super) held: BTreeMap<u64, Held<T>>,
    /// The worker that waits for the first of `delayed`, and until when.
    pub(super) minder: Option<(u64, Instant)>,
    pub(super) next_delayed: u64,
    /// Items that were given to a worker, ever.
    pub(super) begun: u64,
    pub(super) delivered: u64,
    pub(super) skipped: u64,
    pub(super) failed: u64,
    pub(super) retried: u64,
    pub(super) abandoned: u64,
}

pub(super) struct Back<T> {
    /// Accepted since the last swap. With keys always empty: those items go where they can be told apart.
    pub(super) list: VecDeque<T>,
    pub(super) marks: Marks,
    pub(super) entered: u64,
    pub(super) left_seen: u64,
    pub(super) high_water: usize,
    pub(super) rejected: u64,
    pub(super) dropped: u64,
    pub(super) offered: u64,
    pub(super) closed: bool,
    pub(super) workers: usize,
    pub(super) next_worker: u64,
    /// Workers without work.
    pub(super) sleepers: Wakers,
    /// Emitters without room.
    pub(super) line: Line<T>,
    /// Those who wait until nothing is left to do.
    pub(super) idle: Wakers,
}

pub(super) struct Delayed<T> {
    pub(super) items: Vec<T>,
    pub(super) key: u64,
    pub(super) attempt: u32,
}

pub(super) struct Held<T> {
    pub(super) due: Instant,
    pub(super) delayed: Delayed<T>,
    pub(super) waker: Option<Waker>,
}

impl<T> Front<T> {
    fn new(config: Config) -> Self {
        Self {
            feed: Feed::new(config.keyed),
            taken: true,
            room_wanted: false,
            running: 0,
            in_backoff: 0,
            delayed: BTreeMap::new(),
            held: BTreeMap::new(),
            minder: None,
            next_delayed: 0,
            begun: 0,
            delivered: 0,
            skipped: 0,
            failed: 0,
            retried: 0,
            abandoned: 0,
        }
    }

    /// When somebody has to be there for a retry and nobody is.
    pub(super) fn unminded(&self) -> Option<Instant> {
        let ((first, _), _) = self.delayed.first_key_value()?;
        let minded = self.minder.is_some_and(|(_, until)| until <= *first);
        (!minded).then_some(*first)
    }
}

impl<T: Send + 'static> Shared<T> {
    pub(super) fn new(
        config: Config,
        clock: Arc<dyn Clock>,
        start: Arc<dyn Start<T>>,
        ledger: Option<Arc<dyn Ledger>>,
    ) -> Self {
        Self {
            config,
            clock,
            start,
            left: Apart(AtomicU64::new(0)),
            front: Apart(Mutex::new(Front::new(config))),
            back: Apart(Mutex::new(Back::new(config))),
            ledger,
        }
    }
}

impl<T> Drop for Shared<T> {
    /// No worker could be had for what is left.
    fn drop(&mut self) {
        let Some(ledger) = &self.ledger else { return };
        let mut left = Vec::new();
        {
            let mut front = lock(&self.front);
            let delayed = std::mem::take(&mut front.delayed).into_values();
            let held = std::mem::take(&mut front.held).into_values();
            left.extend(delayed.flat_map(|delayed| delayed.items));
            left.extend(held.flat_map(|held| held.delayed.items));
            front.feed.take_all(&mut left);
            left.extend(std::mem::take(&mut lock(&self.back).list));
        }
        let items = left.len();
        left.into_iter().for_each(drop_quietly);
        ledger.rests(items, &mut None);
    }
}

impl<T> Shared<T> {
    /// The caller holds `front`.
    pub(super) fn leave(&self, items: usize) {
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left + items as u64, Ordering::Relaxed);
    }

    /// The items that wait, never too few, and exact for a caller that holds `front`.
    pub(super) fn depth(&self, back: &mut Back<T>) -> usize {
        back.left_seen = self.left.load(Ordering::Relaxed);
        back.seen_depth()
    }

    /// Finds somebody for an item that is ready.
    pub(super) fn call_worker(&self, back: &mut Back<T>, calls: &mut Calls) {
        if let Some(sleeper) = back.sleepers.latest() {
            calls.wake.push(sleeper);
        } else if back.workers < self.config.workers && calls.start.is_none() {
            back.workers += 1;
            back.next_worker += 1;
            calls.start = Some(back.next_worker);
        }
    }

    pub(super) fn has_work(front: &Front<T>, back: &Back<T>) -> bool {
        front.feed.has_ready() || !back.list.is_empty() || front.unminded().is_some()
    }

    pub(super) fn is_idle(front: &Front<T>, back: &Back<T>) -> bool {
        front.running == 0 && front.in_backoff == 0 && front.feed.is_empty() && back.list.is_empty()
    }
}

impl<T> Back<T> {
    fn new(config: Config) -> Self {
        Self {
            list: VecDeque::new(),
            marks: Marks::new(config.capacity),
            entered: 0,
            left_seen: 0,
            high_water: 0,
            rejected: 0,
            dropped: 0,
            offered: 0,
            closed: false,
            workers: 0,
            next_worker: 0,
            sleepers: Wakers::default(),
            line: Line::new(),
            idle: Wakers::default(),
        }
    }

    pub(super) fn seen_depth(&self) -> usize {
        usize::try_from(self.entered - self.left_seen).unwrap_or(usize::MAX)
    }
}
