//! What waits for its time, by key. It knows no clock: every call is told the time.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use event_core::private::after;

/// When an event goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::listen) enum Rule {
    /// The last one, when none came for a time.
    Debounce,
    /// The first one at once, and the latest of the others at the end of each period.
    Throttle,
}

/// The events of one listener that wait. One of each key at most, since a later one replaces it; and none goes on while another one of its
/// key is being delivered.
pub(super) struct Slots<T> {
    rule: Rule,
    time: Duration,
    keys: HashMap<u64, Slot<T>>,
    /// By time, and then by the order in which they were set.
    dues: BTreeMap<(Instant, u64), u64>,
    numbers: u64,
    waiting: usize,
    most: usize,
    replaced: u64,
}

struct Slot<T> {
    /// With the time at which it came.
    waits: Option<(Instant, T)>,
    /// The end of the quiet time, or of the period.
    due: Option<(Instant, u64)>,
    running: bool,
}

/// What is there at one moment.
pub(super) struct Figures {
    pub(super) waiting: usize,
    pub(super) most: usize,
    pub(super) oldest: Option<Instant>,
    pub(super) replaced: u64,
}

impl<T> Slots<T> {
    pub(super) fn new(rule: Rule, time: Duration) -> Self {
        Self {
            rule,
            time,
            keys: HashMap::new(),
            dues: BTreeMap::new(),
            numbers: 0,
            waiting: 0,
            most: 0,
            replaced: 0,
        }
    }

    /// Takes an event in; what it replaced.
    pub(super) fn take(
        &mut self,
        key: u64,
        item: T,
        now: Instant,
        out: &mut Vec<(u64, T)>,
    ) -> Option<T> {
        let slot = self.keys.entry(key).or_insert(Slot {
            waits: None,
            due: None,
            running: false,
        });
        let at_once = self.rule == Rule::Throttle && slot.due.is_none() && !slot.running;
        if at_once {
            slot.running = true;
            out.push((key, item));
            self.set(key, now);
            return None;
        }
        let before = slot.waits.replace((now, item));
        if before.is_some() {
            self.replaced += 1;
        } else {
            self.waiting += 1;
            self.most = self.most.max(self.waiting);
        }
        if self.rule == Rule::Debounce {
            self.set(key, now);
        }
        before.map(|(_, item)| item)
    }

    /// Begins a time of this key.
    fn set(&mut self, key: u64, now: Instant) {
        let Some(slot) = self.keys.get_mut(&key) else {
            return;
        };
        self.numbers += 1;
        let due = (after(now, self.time), self.numbers);
        if let Some(before) = slot.due.replace(due) {
            self.dues.remove(&before);
        }
        self.dues.insert(due, key);
    }

    /// When the next time ends.
    pub(super) fn next(&self) -> Option<Instant> {
        self.dues.keys().next().map(|(at, _)| *at)
    }

    /// What goes on at this time, in the order of the times.
    pub(super) fn ring(&mut self, now: Instant) -> Vec<(u64, T)> {
        let later = self.dues.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut self.dues, later);
        let mut out = Vec::new();
        for key in due.into_values() {
            if let Some(slot) = self.keys.get_mut(&key) {
                slot.due = None;
            }
            out.extend(self.go(key, now));
        }
        out
    }

    /// A delivery has ended; what goes on after it.
    pub(super) fn ended(&mut self, key: u64, now: Instant) -> Option<(u64, T)> {
        self.keys.get_mut(&key)?.running = false;
        self.go(key, now)
    }

    /// What goes on of this key, whose time may be over.
    fn go(&mut self, key: u64, now: Instant) -> Option<(u64, T)> {
        let slot = self.keys.get_mut(&key)?;
        if slot.running || slot.due.is_some() {
            return None;
        }
        let Some((_, item)) = slot.waits.take() else {
            self.keys.remove(&key);
            return None;
        };
        slot.running = true;
        self.waiting -= 1;
        if self.rule == Rule::Throttle {
            self.set(key, now);
        }
        Some((key, item))
    }

    /// All that waits, in the order of the times. The ends of deliveries count for nothing then, if nothing waits again.
    pub(super) fn flush(&mut self, forget: bool) -> Vec<(u64, T)> {
        let dues = std::mem::take(&mut self.dues);
        let mut order: Vec<u64> = Vec::new();
        // Those whose time is over wait for the delivery before them only.
        let over = |slot: &Slot<T>| slot.due.is_none() && slot.waits.is_some();
        let mut late: Vec<_> = self.keys.iter().filter(|(_, slot)| over(slot)).collect();
        late.sort_by_key(|(_, slot)| slot.waits.as_ref().map(|(since, _)| *since));
        order.extend(late.into_iter().map(|(key, _)| *key));
        order.extend(dues.into_values());
        let mut out = Vec::new();
        for key in order {
            let Some(slot) = self.keys.get_mut(&key) else {
                continue;
            };
            slot.due = None;
            if let Some((_, item)) = slot.waits.take() {
                slot.running = true;
                out.push((key, item));
            } else if !slot.running {
                self.keys.remove(&key);
            }
        }
        self.waiting = 0;
        if forget {
            self.keys.clear();
        }
        out
    }

    pub(super) fn figures(&self) -> Figures {
        let since = |slot: &Slot<T>| slot.waits.as_ref().map(|(since, _)| *since);
        Figures {
            waiting: self.waiting,
            most: self.most,
            oldest: self.keys.values().filter_map(since).min(),
            replaced: self.replaced,
        }
    }
}
