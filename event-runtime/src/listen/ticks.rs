//! A listener without an event, called at the end of every period.

use std::mem;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use event_core::private::{Abandoned, Berth, Hear, Installer, Lane, Offer, after};
use event_core::{FailureKind, Missed, QueueStats};

use super::alarm::{Alarm, Call, End, Ends, Lost, Rings, Timers};
use super::line::{figures, take_out};
use super::{Item, Work};
use crate::clock::Clock;
use crate::queue::{Channel, Config, Refused};
use crate::sync::lock;

/// The ticks of one listener on one bus. A tick never runs beside another one.
struct Ticks<P: Hear> {
    channel: Channel<Item<P>>,
    berth: Arc<Berth>,
    clock: Arc<dyn Clock>,
    alarm: Alarm,
    period: Duration,
    missed: Missed,
    share: fn() -> P::Share,
    state: Mutex<State>,
    own: Weak<Self>,
}

#[derive(Default)]
struct State {
    /// When the next tick is due. `None` before the first period and after the end.
    due: Option<Instant>,
    /// What the alarm was set to.
    set: Option<Instant>,
    running: bool,
    /// A tick became due while another one ran.
    late: bool,
    replaced: u64,
}

/// The ticks of the accepted listener.
pub(super) fn install<P: Hear<Share: Clone + Send + Sync>>(
    installer: &mut Installer<'_>,
    work: Work<P>,
    share: fn() -> P::Share,
) {
    let policy = installer.policy();
    let alarm = Timers::of(installer).alarm();
    let own = Arc::new_cyclic(|own| Ticks {
        channel: work.channel(Config::new(1)),
        berth: Arc::clone(&work.berth),
        clock: Arc::clone(&work.clock),
        alarm,
        // It has one, or it would not be here.
        period: policy.period().unwrap_or(Duration::MAX),
        missed: policy.on_missed(),
        share,
        state: Mutex::default(),
        own: Weak::clone(own),
    });
    let lane: Weak<dyn Lane> = Arc::downgrade(&own) as Weak<Ticks<P>>;
    installer.dock(work.berth, Some(lane));
    // Nobody emits a tick: the table keeps the ticks for as long as the listener is there.
    P::install_queue(
        installer,
        Box::new(move |_, _| {
            let _held = &own;
            Offer::Skipped
        }),
    );
}

impl<P: Hear<Share: Clone + Send + Sync>> Ticks<P> {
    /// Begins the tick that is due, and says what is left to do.
    fn begin(&self, state: &mut State, now: Instant) -> Option<Result<Call, Lost>> {
        let due = state.due?;
        state.running = true;
        let next = match self.missed {
            Missed::Burst => after(due, self.period),
            Missed::Delay => after(now, self.period),
            _ => {
                let passed = periods(now.saturating_duration_since(due), self.period);
                state.replaced = state.replaced.saturating_add(passed);
                after(due, times(self.period, passed.saturating_add(1)))
            }
        };
        // A period at the end of all times ends never.
        state.due = (next > due).then_some(next);
        Some(self.arm(state))
    }

    fn arm(&self, state: &mut State) -> Result<Call, Lost> {
        let rings: Weak<dyn Rings> = Weak::clone(&self.own) as Weak<Ticks<P>>;
        let before = mem::replace(&mut state.set, state.due);
        self.alarm.set(before, state.due, &rings)
    }

    /// Does what the lock was released for.
    fn go(&self, begun: Option<Result<Call, Lost>>) {
        let Some(armed) = begun else { return };
        let offered = (self.berth.tick().zip(self.berth.take_in().ok())).map(|(origin, open)| {
            let end = End {
                to: Weak::clone(&self.own) as Weak<Ticks<P>>,
                key: 0,
            };
            let item = Item {
                share: (self.share)(),
                origin,
                _end: Some(end),
            };
            let offered = self.channel.offer(0, item);
            if offered.is_ok() {
                mem::forget(open);
            }
            offered
        });
        self.settle(armed);
        match offered {
            Some(Err(Refused::Elsewhere(item))) => {
                let forked = "the threads of the listener are in the process that this one was forked from: build the bus after the fork";
                let failure = self.berth.failure(FailureKind::Forked, forked);
                self.berth.tell(Some(item.origin), failure);
                self.stop();
            }
            // The bus has ended, and with it the ticks.
            None | Some(Err(_)) => {
                self.stop();
            }
            Some(Ok(_)) => {}
        }
    }

    fn settle(&self, armed: Result<Call, Lost>) {
        match armed {
            Ok(call) => call.make(),
            Err(Lost) => self.lost("nobody waits for times any more"),
        }
    }

    /// Whether it had not stopped before.
    fn stop(&self) -> bool {
        let mut state = lock(&self.state);
        let ticked = state.due.take().is_some();
        state.late = false;
        let armed = self.arm(&mut state);
        drop(state);
        if let Ok(call) = armed {
            call.make();
        }
        ticked
    }
}

impl<P: Hear<Share: Clone + Send + Sync>> Rings for Ticks<P> {
    fn ring(&self, now: Instant) {
        let mut state = lock(&self.state);
        // It may be set anew while it rings.
        state.set = state.set.filter(|set| *set > now);
        if state.due.is_none_or(|due| due > now) {
            return;
        }
        let begun = if state.running {
            state.late = true;
            None
        } else {
            self.begin(&mut state, now)
        };
        drop(state);
        self.go(begun);
    }

    fn lost(&self, why: &str) {
        if self.stop() && self.berth.is_open() {
            let message = format!("the listener ticks no more: {why}");
            let failure = self.berth.failure(FailureKind::Abandoned, message);
            self.berth.tell(None, failure);
        }
    }
}

impl<P: Hear<Share: Clone + Send + Sync>> Ends for Ticks<P> {
    fn ended(&self, _: u64) {
        let now = self.clock.now();
        let mut state = lock(&self.state);
        state.running = false;
        let begun = if mem::take(&mut state.late) {
            self.begin(&mut state, now)
        } else {
            None
        };
        drop(state);
        self.go(begun);
    }
}

impl<P: Hear<Share: Clone + Send + Sync>> Lane for Ticks<P> {
    fn open(&self) {
        if let Err(Offer::Refused(kind, message)) = self.berth.take_in() {
            let failure = self.berth.failure(kind, message);
            return self.berth.tell(None, failure);
        }
        let first = after(self.clock.now(), self.period);
        let mut state = lock(&self.state);
        state.due = Some(first);
        let armed = self.arm(&mut state);
        drop(state);
        self.settle(armed);
    }

    fn rest(&self) {
        self.stop();
    }

    fn close(&self) {
        self.stop();
        self.channel.close();
    }

    fn abandon(&self) -> Abandoned {
        take_out(&self.channel, &self.berth, Vec::new())
    }

    fn stats(&self) -> QueueStats {
        let mut stats = figures(&self.channel);
        stats.replaced = lock(&self.state).replaced;
        stats
    }
}

/// How many periods end within `time`.
fn periods(time: Duration, period: Duration) -> u64 {
    let periods = time.as_nanos() / period.as_nanos().max(1);
    u64::try_from(periods).unwrap_or(u64::MAX)
}

/// So many periods, or as long as can be said.
fn times(period: Duration, times: u64) -> Duration {
    let nanos = period.as_nanos().saturating_mul(u128::from(times));
    let seconds = u64::try_from(nanos / 1_000_000_000);
    let rest = u32::try_from(nanos % 1_000_000_000);
    match (seconds, rest) {
        (Ok(seconds), Ok(rest)) => Duration::new(seconds, rest),
        _ => Duration::MAX,
    }
}

/// For an async listener on a bus that cannot run its ticks: it says so once the bus is made.
pub(super) fn refuse<P: Hear>(installer: &mut Installer<'_>, berth: Arc<Berth>) {
    let own = Arc::new(Refusal(Arc::clone(&berth)));
    let lane: Weak<dyn Lane> = Arc::downgrade(&own) as Weak<Refusal>;
    installer.dock(berth, Some(lane));
    P::install_queue(
        installer,
        Box::new(move |_, _| {
            let _held = &own;
            Offer::Skipped
        }),
    );
}

struct Refusal(Arc<Berth>);

impl Lane for Refusal {
    fn open(&self) {
        let (kind, message) = match self.0.take_in() {
            Err(Offer::Refused(kind, message)) => (kind, message),
            _ => (
                FailureKind::NoRuntime,
                "the ticks of an async listener are tasks, and the bus has no runtime: build it with `.runtime(..)`".to_owned(),
            ),
        };
        self.0.tell(None, self.0.failure(kind, message));
    }

    fn close(&self) {}

    fn abandon(&self) -> Abandoned {
        Abandoned {
            waiting: 0,
            in_backoff: 0,
            taken: 0,
        }
    }

    fn stats(&self) -> QueueStats {
        QueueStats::default()
    }
}
