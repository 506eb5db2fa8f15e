//! Deadlines: a heap ordered by time and then by the order in which they were set.
//!
//! A timer that is cancelled stays in the heap until it comes to its head, or until most of the heap is dead. One that is set to a later time keeps its
//! place as well and moves when it comes up, so that a timer that is put off again and again costs nothing but a number.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::calls::{CallKey, Calls};

/// A heap below this size is not worth to be rebuilt.
const SMALL: usize = 100;

#[derive(Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, u64, CallKey)>>,
    /// How many in the heap stand for nothing.
    dead: usize,
    numbers: u64,
}

/// When a timer is due, and which place in the heap stands for it.
#[derive(Clone, Copy)]
pub(super) struct Due {
    pub(super) at: Instant,
    number: u64,
    place: (Instant, u64),
}

impl Timers {
    pub(super) fn insert(&mut self, at: Instant, key: CallKey) -> Due {
        self.numbers += 1;
        let number = self.numbers;
        self.heap.push(Reverse((at, number, key)));
        Due {
            at,
            number,
            place: (at, number),
        }
    }

    /// Another deadline for a timer that is in the heap, as if it were set now.
    pub(super) fn reset(&mut self, due: Due, at: Instant, key: CallKey) -> Due {
        self.numbers += 1;
        let number = self.numbers;
        let mut due = Due { at, number, ..due };
        if at < due.place.0 {
            self.heap.push(Reverse((at, number, key)));
            due.place = (at, number);
            self.dead += 1;
        }
        due
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

    /// Drops what is dead at the head, or everywhere if that is most of it.
    pub(super) fn purge(&mut self, calls: &mut Calls) {
        if self.heap.len() > SMALL && self.dead * 2 > self.heap.len() {
            let heap = std::mem::take(&mut self.heap);
            let is_live = |Reverse((at, number, key)): &Reverse<(Instant, u64, CallKey)>| {
                calls
                    .due(*key)
                    .is_some_and(|due| due.place == (*at, *number))
            };
            self.heap = heap.into_iter().filter(is_live).collect();
            self.dead = 0;
        }
        while self.head(calls).is_none() && !self.heap.is_empty() {}
    }

    /// The head, if it is a timer at its time; else it is put right.
    fn head(&mut self, calls: &mut Calls) -> Option<(Instant, CallKey)> {
        let Reverse((at, number, key)) = *self.heap.peek()?;
        let due = calls.due(key).filter(|due| due.place == (at, number));
        let Some(due) = due else {
            self.heap.pop();
            self.dead -= 1;
            return None;
        };
        if due.number == number {
            return Some((at, key));
        }
        // It was put off.
        self.heap.pop();
        self.heap.push(Reverse((due.at, due.number, key)));
        let place = (due.at, due.number);
        calls.set_due(key, Due { place, ..due });
        None
    }

    /// The earliest deadline. After [`purge`](Self::purge).
    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes out the first timer that is due.
    pub(super) fn pop(&mut self, now: Instant, calls: &mut Calls) -> Option<CallKey> {
        loop {
            let Reverse((at, ..)) = *self.heap.peek()?;
            if at > now {
                return None;
            }
            if let Some((_, key)) = self.head(calls) {
                self.heap.pop();
                return Some(key);
            }
        }
    }
}
