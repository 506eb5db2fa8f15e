//! What a queue says about itself, and the marks in time from which the age of its oldest item is read.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The figures of a queue at one moment.
///
/// They are read together, so at every moment `offered` is the sum of `delivered`, `skipped`, `failed`, `dropped`, `rejected`,
/// `abandoned`, `depth`, `in_flight` and `in_backoff`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStats {
    pub(super) depth: usize,
    pub(super) high_water: usize,
    pub(super) oldest: Option<Duration>,
    pub(super) offered: u64,
    pub(super) delivered: u64,
    pub(super) skipped: u64,
    pub(super) failed: u64,
    pub(super) dropped: u64,
    pub(super) rejected: u64,
    pub(super) abandoned: u64,
    pub(super) retried: u64,
    pub(super) in_flight: usize,
    pub(super) in_backoff: usize,
    pub(super) workers: usize,
}

impl QueueStats {
    /// Items that were accepted and not begun.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The greatest depth there ever was.
    pub fn high_water(&self) -> usize {
        self.high_water
    }

    /// How long the oldest item of `depth` has been waiting. Items that came close together share one time, that of the first of them.
    pub fn oldest(&self) -> Option<Duration> {
        self.oldest
    }

    /// Items that were accepted, dropped or rejected. An offer that was refused for a full or closed queue is none of these, unless it was
    /// counted as rejected.
    pub fn offered(&self) -> u64 {
        self.offered
    }

    /// Items whose job was done.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Items that their job skipped.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Items whose job failed for good, panicked or was given up while it ran.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Items that the overflow policy dropped, the oldest or the newest.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Items that were turned away because the queue was full.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Items that [`Channel::abandon`](super::Channel::abandon) took out, or that their job gave up.
    pub fn abandoned(&self) -> u64 {
        self.abandoned
    }

    /// Runs of items after their first.
    pub fn retried(&self) -> u64 {
        self.retried
    }

    /// Items that run now.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Items that wait for their next run.
    pub fn in_backoff(&self) -> usize {
        self.in_backoff
    }

    /// Workers that were asked for and have not ended.
    pub fn workers(&self) -> usize {
        self.workers
    }
}

/// The clock is read for the first of this many items at the latest.
const MARK_EVERY: usize = 64;

/// The times at which some items came. The others came between them.
pub(super) struct Marks {
    list: VecDeque<(u64, Instant)>,
    every: u64,
}

impl Marks {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            list: VecDeque::new(),
            every: capacity.min(MARK_EVERY) as u64,
        }
    }

    /// Whether the item of this number needs a mark of its own, if it does not follow others closely.
    pub(super) fn wanted(&self, number: u64) -> bool {
        let last = self.list.back();
        last.is_none_or(|(last, _)| number - last >= self.every)
    }

    /// Marks an item. Marks of items before `oldest` are forgotten.
    pub(super) fn add(&mut self, number: u64, now: Instant, oldest: u64) {
        while self.list.get(1).is_some_and(|(next, _)| *next <= oldest) {
            self.list.pop_front();
        }
        self.list.push_back((number, now));
    }

    /// When the item of this number came, at the latest.
    pub(super) fn of(&self, number: u64) -> Option<Instant> {
        let after = self.list.partition_point(|(first, _)| *first <= number);
        after.checked_sub(1).map(|at| self.list[at].1)
    }
}
