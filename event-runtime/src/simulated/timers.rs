//! The clock and what waits for it.

use std::task::Waker;
use std::time::{Duration, Instant};

use event_core::private::after;

use super::world::{World, wake_quietly};

impl World {
    pub(super) fn pass(&self, time: Duration) {
        let mut state = self.lock();
        state.now = after(state.now, time);
        state.rounds = 0;
    }

    /// The clock never goes back.
    pub(super) fn move_to(&self, at: Instant) {
        let mut state = self.lock();
        state.now = state.now.max(at);
        state.rounds = 0;
    }

    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.lock().timers.keys().next().map(|(at, _)| *at)
    }

    /// Sets a timer, or gives the one of this number another waker.
    pub(super) fn set_timer(&self, at: Instant, number: Option<u64>, waker: Waker) -> u64 {
        let mut state = self.lock();
        let is_new = number.is_none();
        let number = number.unwrap_or_else(|| state.number());
        let before = state.timers.insert((at, number), waker);
        if is_new {
            self.call(state);
        } else {
            drop(state);
        }
        // Wakers are code of an executor's.
        drop(before);
        number
    }

    pub(super) fn unset_timer(&self, at: Instant, number: u64) {
        let waker = self.lock().timers.remove(&(at, number));
        drop(waker);
    }

    /// Goes to the time of the next timer and fires all that are due.
    pub(super) fn fire_next(&self) -> bool {
        let mut state = self.lock();
        let Some((at, _)) = state.timers.keys().next().copied() else {
            return false;
        };
        state.now = state.now.max(at);
        state.quiet.clear();
        state.rounds = 0;
        let now = state.now;
        let later = state.timers.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut state.timers, later);
        drop(state);
        due.into_values().for_each(wake_quietly);
        true
    }
}
