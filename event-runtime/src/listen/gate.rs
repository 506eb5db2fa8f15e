//! Events that wait for their time: the last one after a quiet time, or at most one in a period.

mod slots;

use std::hash::{BuildHasher, Hasher as _, RandomState};
use std::mem;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use event_core::private::{Abandoned, Berth, Hear, Installer, Lane, Offer, Origin};
use event_core::{FailureKind, QueueStats};

use super::alarm::{Alarm, Call, End, Ends, Lost, Rings, Timers};
use super::line::{Ending, elsewhere, figures, take_out};
use super::{Item, KeyFn, WhenFn, Work};
use crate::clock::Clock;
use crate::queue::quiet::drop_quietly;
use crate::queue::{Channel, Config, Refused};
use crate::sync::lock;
pub(super) use slots::Rule;
use slots::Slots;

/// The way of one listener's events to its queue.
struct Gate<P: Hear<Share: Clone + Send + Sync>> {
    channel: Channel<Item<P>>,
    berth: Arc<Berth>,
    clock: Arc<dyn Clock>,
    alarm: Alarm,
    key: Option<KeyFn<P>>,
    when: Option<WhenFn<P>>,
    /// An event of another key that had the same hash would be replaced, so nobody may find such keys.
    hasher: RandomState,
    state: Mutex<State<Item<P>>>,
    own: Weak<Self>,
}

struct State<T> {
    slots: Slots<T>,
    /// What the alarm was set to.
    set: Option<Instant>,
    /// Nothing waits for its time any more.
    resting: bool,
    closed: bool,
}

/// What goes to the queue now.
type Due<T> = Vec<(u64, T)>;

/// Puts the accepted listener behind a gate.
pub(super) fn install<P: Hear<Share: Clone + Send + Sync>>(
    installer: &mut Installer<'_>,
    work: Work<P>,
    rule: Rule,
    key: Option<KeyFn<P>>,
    when: Option<WhenFn<P>>,
) {
    let policy = installer.policy();
    let time = match rule {
        Rule::Debounce => policy.debounce_time(),
        Rule::Throttle => policy.throttle_period(),
    };
    let alarm = Timers::of(installer).alarm();
    // Each key has at most one event there, and room for it.
    let config = Config::new(usize::MAX);
    let own = Arc::new_cyclic(|own| Gate {
        channel: work.channel(config),
        berth: Arc::clone(&work.berth),
        clock: Arc::clone(&work.clock),
        alarm,
        key,
        when,
        hasher: RandomState::new(),
        state: Mutex::new(State {
            // It has one, or it would not be here.
            slots: Slots::new(rule, time.unwrap_or(Duration::ZERO)),
            set: None,
            resting: false,
            closed: false,
        }),
        own: Weak::clone(own),
    });
    let lane: Weak<dyn Lane> = Arc::downgrade(&own) as Weak<Gate<P>>;
    installer.dock(work.berth, Some(lane));
    P::install_queue(
        installer,
        Box::new(move |share, origin| own.take(share, origin)),
    );
}

impl<P: Hear<Share: Clone + Send + Sync>> Gate<P> {
    /// Takes an event in, if its listener wants it.
    fn take(&self, share: P::Share, origin: Origin) -> Offer {
        let key = {
            let held = P::hold(&share);
            if let Some(when) = &self.when {
                if !when(&held) {
                    return Offer::Skipped;
                }
            }
            self.key.as_ref().map_or(0, |key| {
                let mut hasher = self.hasher.build_hasher();
                key(&held, &mut hasher);
                hasher.finish()
            })
        };
        if !self.channel.has_workers_here() {
            return elsewhere();
        }
        let open = match self.berth.take_in() {
            Ok(open) => open,
            Err(refused) => return refused,
        };
        let item = Item {
            share,
            origin,
            _end: None,
        };
        let now = self.clock.now();
        let mut state = lock(&self.state);
        if state.closed {
            drop(state);
            return Offer::Refused(FailureKind::Closed, "the bus is shut down".to_owned());
        }
        if state.resting {
            drop(state);
            mem::forget(open);
            self.deliver(vec![(key, item)]);
            return Offer::Accepted;
        }
        let mut due = Vec::new();
        let replaced = state.slots.take(key, item, now, &mut due);
        let armed = self.arm(&mut state);
        drop(state);
        if replaced.is_some() {
            // This one stays open in its place.
            drop_quietly(replaced);
            drop(open);
        } else {
            mem::forget(open);
        }
        self.deliver(due);
        self.settle(armed);
        Offer::Accepted
    }

    fn arm(&self, state: &mut State<Item<P>>) -> Result<Call, Lost> {
        let next = state.slots.next();
        let rings: Weak<dyn Rings> = Weak::clone(&self.own) as Weak<Gate<P>>;
        let before = mem::replace(&mut state.set, next);
        self.alarm.set(before, next, &rings)
    }

    fn settle(&self, armed: Result<Call, Lost>) {
        match armed {
            Ok(call) => call.make(),
            Err(Lost) => self.flush(true),
        }
    }

    fn deliver(&self, due: Due<Item<P>>) {
        for (key, item) in due {
            let to: Weak<dyn Ends> = Weak::clone(&self.own) as Weak<Gate<P>>;
            let item = item.telling(End { to, key });
            let item = match self.channel.offer(0, item) {
                Ok(_) => continue,
                Err(
                    Refused::Closed(item)
                    | Refused::Full(item)
                    | Refused::Elsewhere(item)
                    | Refused::Dropped(item),
                ) => item,
            };
            // It was accepted.
            let _ending = Ending::of(&self.berth, 1);
            let ended = "the bus ended before the time of the delivery had come";
            let failure = self.berth.failure(FailureKind::Abandoned, ended);
            self.berth.tell(Some(item.origin), failure);
            drop_quietly(item);
        }
    }

    /// Delivers what waits; with `rest` nothing waits from here on.
    fn flush(&self, rest: bool) {
        let mut state = lock(&self.state);
        state.resting |= rest;
        let due = state.slots.flush(rest);
        let armed = self.arm(&mut state);
        drop(state);
        self.deliver(due);
        if let Ok(call) = armed {
            call.make();
        }
    }
}

/// A listener that is taken out of its bus is given what it had accepted, as behind a queue.
impl<P: Hear<Share: Clone + Send + Sync>> Drop for Gate<P> {
    fn drop(&mut self) {
        self.flush(true);
    }
}

impl<P: Hear<Share: Clone + Send + Sync>> Rings for Gate<P> {
    fn ring(&self, now: Instant) {
        let mut state = lock(&self.state);
        // It may be set anew while it rings.
        state.set = state.set.filter(|set| *set > now);
        let due = state.slots.ring(now);
        let armed = self.arm(&mut state);
        drop(state);
        self.deliver(due);
        self.settle(armed);
    }

    fn lost(&self, _: &str) {
        // Whether there is somebody to deliver it is for the queue to say.
        self.flush(true);
    }
}

impl<P: Hear<Share: Clone + Send + Sync>> Ends for Gate<P> {
    fn ended(&self, key: u64) {
        let now = self.clock.now();
        let mut state = lock(&self.state);
        let due = state.slots.ended(key, now);
        let armed = self.arm(&mut state);
        drop(state);
        self.deliver(due.into_iter().collect());
        self.settle(armed);
    }
}

impl<P: Hear<Share: Clone + Send + Sync>> Lane for Gate<P> {
    fn rest(&self) {
        self.flush(!self.berth.is_open());
    }

    fn close(&self) {
        lock(&self.state).closed = true;
        self.channel.close();
    }

    fn abandon(&self) -> Abandoned {
        let mut state = lock(&self.state);
        let held = state.slots.flush(true);
        let armed = self.arm(&mut state);
        drop(state);
        if let Ok(call) = armed {
            call.make();
        }
        let held = held.into_iter().map(|(_, item)| item).collect();
        take_out(&self.channel, &self.berth, held)
    }

    fn stats(&self) -> QueueStats {
        let now = self.clock.now();
        let mut stats = figures(&self.channel);
        let held = lock(&self.state).slots.figures();
        let oldest = held.oldest.map(|at| now.saturating_duration_since(at));
        stats.depth += held.waiting;
        stats.high_water = stats.high_water.max(held.most);
        stats.oldest = stats.oldest.max(oldest);
        stats.replaced = held.replaced;
        stats
    }
}
