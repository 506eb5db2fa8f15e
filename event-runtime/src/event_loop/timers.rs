//! Deadlines: a heap ordered by time and then by the order in which they were set.
//!
//! A timer that is cancelled stays in the heap until it comes to its head, or until most of the heap is dead. One that is set to a later time keeps its
//! place as well and moves when it comes up, so that a timer that is put off again and again costs nothing but a number.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::num::NonZeroU64;

use super::calls::{CallKey, Calls};
use super::shared::Nanos;

/// A heap below this size is not worth to be rebuilt.
const SMALL: usize = 100;

#[derive(Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<Entry>>,
    /// How many in the heap stand for nothing.
    dead: usize,
    last: Option<Number>,
}

/// Each deadline that is set has one of its own.
type Number = NonZeroU64;

/// Ordered by its fields from the first to the last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at: Nanos,
    number: Number,
    key: CallKey,
}

/// When a timer is due, and which entry of the heap stands for it.
#[derive(Clone, Copy)]
pub(super) struct Due {
    at: Nanos,
    number: Number,
    /// The entry's number, which is an older one if the timer was put off.
    entry: Number,
}

impl Timers {
    /// A deadline for a call that is [put into the heap](Self::insert) next.
    pub(super) fn due(&mut self, at: Nanos) -> Due {
        let number = self.last.map_or(Number::MIN, |last| last.saturating_add(1));
        self.last = Some(number);
        Due {
            at,
            number,
            entry: number,
        }
    }

    pub(super) fn insert(&mut self, due: Due, key: CallKey) {
        let Due { at, number, .. } = due;
        self.heap.push(Reverse(Entry { at, number, key }));
    }

    /// Another deadline for a timer that is in the heap, as if it were set now.
    pub(super) fn reset(&mut self, due: Due, at: Nanos, key: CallKey) -> Due {
        let next = self.due(at);
        if next.at < due.at {
            self.insert(next, key);
            self.dead += 1;
            return next;
        }
        let entry = due.entry;
        Due { entry, ..next }
    }

    /// One in the heap stands for nothing any more.
    pub(super) fn forget(&mut self) {
        self.dead += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len() - self.dead
    }

    /// How many places the heap has, with those that stand for nothing.
    pub(super) fn places(&self) -> usize {
        self.heap.len()
    }

    /// The earliest deadline.
    pub(super) fn next(&mut self, calls: &mut Calls) -> Option<Nanos> {
        self.head(calls).map(|head| head.at)
    }

    /// Takes out the first timer that is due.
    pub(super) fn pop(&mut self, now: Nanos, calls: &mut Calls) -> Option<CallKey> {
        let Entry { key, .. } = self.head(calls).filter(|head| head.at <= now)?;
        self.heap.pop();
        calls.set_due(key, None);
        Some(key)
    }

    /// The first timer. What is dead before it is dropped, or all that is dead if it is most of the heap; what was put off moves.
    fn head(&mut self, calls: &mut Calls) -> Option<Entry> {
        if self.dead * 2 > self.heap.len() && self.heap.len() > SMALL {
            self.heap
                .retain(|Reverse(entry)| entry.due(calls).is_some());
            self.dead = 0;
        }
        loop {
            let mut head = self.heap.peek_mut()?;
            let Reverse(entry) = *head;
            match entry.due(calls) {
                None => {
                    PeekMut::pop(head);
                    self.dead -= 1;
                }
                Some(due) if due.number == entry.number => return Some(entry),
                Some(Due { at, number, .. }) => {
                    let key = entry.key;
                    *head = Reverse(Entry { at, number, key });
                    let entry = number;
                    calls.set_due(key, Due { at, number, entry });
                }
            }
        }
    }
}

impl Entry {
    /// The deadline of the timer that it stands for, if it does.
    fn due(&self, calls: &Calls) -> Option<Due> {
        calls.due(self.key).filter(|due| due.entry == self.number)
    }
}
