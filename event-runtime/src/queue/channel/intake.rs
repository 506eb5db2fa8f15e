//! The emitters' side.

use std::fmt;

use super::feed::Feed;
use super::state::{Back, Shared};
use super::wakers::Calls;
use super::{Channel, Overflow};
use crate::sync::lock;

/// An item is in the queue.
#[must_use = "the displaced item is the caller's to report"]
pub struct Accepted<T> {
    /// The oldest item, which had to leave for it. It is handed back because its `Drop` is the user's code.
    pub displaced: Option<T>,
}

/// An item is not in the queue.
pub enum Refused<T> {
    /// There is no room, or others wait for it. Under [`Overflow::Reject`] it was counted as rejected, under [`Overflow::Block`] the caller may
    /// [wait](Channel::wait) for room or [reject](Channel::reject) it.
    Full(T),
    /// There is no room, and it was counted as dropped.
    Dropped(T),
    /// The intake has ended.
    Closed(T),
    /// The workers are in another process, of which this one is a fork.
    Elsewhere(T),
}

impl<T> Back<T> {
    /// Whether an item that comes is for a worker that is not at work now.
    fn calls_worker(&self) -> bool {
        self.workers == 0 || !self.sleepers.is_empty()
    }

    pub(super) fn count_entry(&mut self) -> u64 {
        let number = self.entered;
        self.entered += 1;
        self.offered += 1;
        number
    }
}

impl<T> Shared<T> {
    /// Whether there is room that nobody waits for; raises the high-water mark to what it will be with one item more.
    fn has_room(&self, back: &mut Back<T>) -> bool {
        if !back.line.is_empty() {
            return false;
        }
        let mut depth = back.seen_depth();
        // What workers have taken is looked up only where it matters, since it is written by another core.
        if depth >= back.high_water {
            depth = self.depth(back);
        }
        if depth >= self.config.capacity {
            return false;
        }
        back.high_water = back.high_water.max(depth + 1);
        true
    }

    fn refuse(&self, back: &mut Back<T>, item: T) -> Refused<T> {
        match self.config.overflow {
            Overflow::Block => Refused::Full(item),
            Overflow::Reject => {
                back.offered += 1;
                back.rejected += 1;
                Refused::Full(item)
            }
            Overflow::DropOldest | Overflow::DropNewest => {
                back.offered += 1;
                back.dropped += 1;
                Refused::Dropped(item)
            }
        }
    }
}

impl<T: Send + 'static> Channel<T> {
    /// Adds an item without waiting. The key counts only in a queue with keys.
    ///
    /// # Errors
    ///
    /// The item comes back if the queue is full, unless it drops its oldest, or closed.
    pub fn offer(&self, key: u64, item: T) -> Result<Accepted<T>, Refused<T>> {
        if self.shared.config.keyed {
            return self.offer_exactly(key, item);
        }
        let mut calls;
        {
            let mut back = lock(&self.shared.back);
            // Items that come while the list is empty were not preceded by others just now.
            let mut now = None;
            if back.list.is_empty() || back.marks.wanted(back.entered) {
                let calls_worker = back.calls_worker();
                drop(back);
                if calls_worker && !self.shared.start.is_here() {
                    return Err(Refused::Elsewhere(item));
                }
                now = Some(self.shared.clock.now());
                back = lock(&self.shared.back);
            }
            if back.closed {
                return Err(Refused::Closed(item));
            }
            if !self.shared.has_room(&mut back) {
                if self.shared.config.overflow == Overflow::DropOldest {
                    drop(back);
                    return self.offer_exactly(key, item);
                }
                return Err(self.shared.refuse(&mut back, item));
            }
            let number = back.count_entry();
            if let Some(now) = now {
                let oldest = back.left_seen;
                back.marks.add(number, now, oldest);
            }
            back.list.push_back(item);
            if back.sleepers.is_empty() && back.workers == self.shared.config.workers {
                return Ok(Accepted { displaced: None });
            }
            calls = Calls::default();
            self.shared.call_worker(&mut back, &mut calls);
        }
        self.make(calls);
        Ok(Accepted { displaced: None })
    }

    /// The same where the workers' side has to be seen: with keys, or to drop the oldest.
    fn offer_exactly(&self, key: u64, item: T) -> Result<Accepted<T>, Refused<T>> {
        let mut calls = Calls::default();
        let mut displaced = None;
        {
            let mut front = lock(&self.shared.front);
            let mut back = lock(&self.shared.back);
            let mut now = None;
            if front.taken || back.marks.wanted(back.entered) {
                let calls_worker = back.calls_worker();
                drop((back, front));
                if calls_worker && !self.shared.start.is_here() {
                    return Err(Refused::Elsewhere(item));
                }
                now = Some(self.shared.clock.now());
                front = lock(&self.shared.front);
                back = lock(&self.shared.back);
            }
            if back.closed {
                return Err(Refused::Closed(item));
            }
            if !self.shared.has_room(&mut back) {
                if self.shared.config.overflow != Overflow::DropOldest {
                    return Err(self.shared.refuse(&mut back, item));
                }
                displaced = front.feed.pop_oldest().or_else(|| back.list.pop_front());
                self.shared.leave(usize::from(displaced.is_some()));
                back.dropped += 1;
            }
            let number = back.count_entry();
            let ready = match &mut front.feed {
                Feed::Keyed(keyed) => keyed.push(key, number, item),
                Feed::Plain(_) => {
                    back.list.push_back(item);
                    true
                }
            };
            if let Some(now) = now {
                let oldest = match &front.feed {
                    Feed::Keyed(keyed) => keyed.oldest().unwrap_or(number),
                    Feed::Plain(_) => back.left_seen,
                };
                back.marks.add(number, now, oldest);
                front.taken = false;
            }
            if ready {
                self.shared.call_worker(&mut back, &mut calls);
            }
        }
        self.make(calls);
        Ok(Accepted { displaced })
    }

    /// Counts an item that was refused under [`Overflow::Block`] and is not offered again.
    pub fn reject(&self) {
        let mut back = lock(&self.shared.back);
        back.offered += 1;
        back.rejected += 1;
    }
}

impl<T> Refused<T> {
    /// The item.
    pub fn into_item(self) -> T {
        match self {
            Self::Full(item) | Self::Dropped(item) | Self::Closed(item) | Self::Elsewhere(item) => {
                item
            }
        }
    }
}

impl<T> fmt::Debug for Accepted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted")
            .field("displaced", &self.displaced.is_some())
            .finish()
    }
}

impl<T> fmt::Debug for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full",
            Self::Dropped(_) => "Dropped",
            Self::Closed(_) => "Closed",
            Self::Elsewhere(_) => "Elsewhere",
        })
    }
}
