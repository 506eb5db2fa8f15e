//! The tasks and timers of one runtime, and its clock.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use event_core::Task;

use crate::queue::quiet::{drop_quietly, forget_panic};
use crate::sync::{Mutex, MutexGuard, lock};

/// What the handles of a runtime share. Nothing of anybody else's runs under its lock.
pub(super) struct World {
    home: Thread,
    start: Instant,
    pub(super) driven: AtomicBool,
    state: Mutex<State>,
}

pub(super) struct State {
    pub(super) now: Instant,
    /// By their number.
    tasks: BTreeMap<u64, Slot>,
    pub(super) ready: VecDeque<u64>,
    /// By time, and then by the order in which they were set.
    pub(super) timers: BTreeMap<(Instant, u64), Waker>,
    numbers: u64,
    random: Option<fastrand::Rng>,
    /// The tasks of other executors that find something to do here when there is something again.
    helpers: Vec<Waker>,
    /// Who found nothing ready, since something was made ready.
    pub(super) quiet: Vec<usize>,
    /// How often something became possible.
    stirs: u64,
    /// How often all that was ready had its turn, since the clock went on.
    pub(super) rounds: u64,
    /// The home thread has ended.
    ended: bool,
    /// How often the tasks are being dropped just now.
    dropping: usize,
}

struct Slot {
    /// Not while it is polled.
    task: Option<Task>,
    waker: Waker,
    ready: bool,
}

/// Makes one task ready. Does not keep it.
struct Bell {
    world: Weak<World>,
    number: u64,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(world) = self.world.upgrade() {
            world.make_ready(self.number);
        }
    }
}

impl State {
    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn pick(&mut self) -> Option<u64> {
        match &mut self.random {
            Some(random) if !self.ready.is_empty() => {
                self.ready.remove(random.usize(..self.ready.len()))
            }
            _ => self.ready.pop_front(),
        }
    }

    /// Something can be done again.
    fn stir(&mut self) -> Vec<Waker> {
        self.stirs += 1;
        self.quiet.clear();
        std::mem::take(&mut self.helpers)
    }
}

impl World {
    pub(super) fn new(random: Option<fastrand::Rng>) -> Arc<Self> {
        let now = Instant::now();
        Arc::new(Self {
            home: thread::current(),
            start: now,
            driven: AtomicBool::new(false),
            state: Mutex::new(State {
                now,
                tasks: BTreeMap::new(),
                ready: VecDeque::new(),
                timers: BTreeMap::new(),
                numbers: 0,
                random,
                helpers: Vec::new(),
                quiet: Vec::new(),
                stirs: 0,
                rounds: 0,
                ended: false,
                dropping: 0,
            }),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(super) fn is_home(&self) -> bool {
        thread::current().id() == self.home.id()
    }

    pub(super) fn is_driven_here(&self) -> bool {
        self.driven.load(Ordering::Relaxed) && self.is_home()
    }

    pub(super) fn start(&self) -> Instant {
        self.start
    }

    pub(super) fn now(&self) -> Instant {
        self.lock().now
    }

    pub(super) fn stirs(&self) -> u64 {
        self.lock().stirs
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.lock().ready.is_empty()
    }

    pub(super) fn counts(&self) -> [usize; 3] {
        let state = self.lock();
        [state.tasks.len(), state.ready.len(), state.timers.len()]
    }

    pub(super) fn spawn(self: &Arc<Self>, task: Task) {
        let mut state = self.lock();
        if state.ended || state.dropping > 0 {
            drop(state);
            // Nobody can run it; what it stands for reports itself.
            return drop_quietly(task);
        }
        let number = state.number();
        let bell = Bell {
            world: Arc::downgrade(self),
            number,
        };
        let slot = Slot {
            task: Some(task),
            waker: Waker::from(Arc::new(bell)),
            ready: true,
        };
        state.tasks.insert(number, slot);
        state.ready.push_back(number);
        self.call(state);
    }

    fn make_ready(&self, number: u64) {
        let mut state = self.lock();
        let Some(slot) = state.tasks.get_mut(&number) else {
            return;
        };
        if !std::mem::replace(&mut slot.ready, true) {
            state.ready.push_back(number);
            self.call(state);
        }
    }

    /// Tells whoever may be waiting that something can be done.
    pub(super) fn call(&self, mut state: MutexGuard<'_, State>) {
        let helpers = state.stir();
        drop(state);
        if !self.is_driven_here() {
            self.home.unpark();
        }
        helpers.into_iter().for_each(wake_quietly);
    }

    /// Polls one task that is ready. Says whether there was one.
    pub(super) fn turn(&self) -> bool {
        let mut state = self.lock();
        let (number, mut task, waker) = loop {
            let Some(number) = state.pick() else {
                return false;
            };
            let Some(slot) = state.tasks.get_mut(&number) else {
                continue;
            };
            slot.ready = false;
            if let Some(task) = slot.task.take() {
                break (number, task, slot.waker.clone());
            }
        };
        drop(state);
        let mut cx = Context::from_waker(&waker);
        let polled = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(&mut cx)));
        let mut state = self.lock();
        if let Ok(Poll::Pending) = polled {
            // It may have been dropped with the others meanwhile.
            if let Some(slot) = state.tasks.get_mut(&number) {
                slot.task = Some(task);
                return true;
            }
        }
        state.tasks.remove(&number);
        drop(state);
        drop_quietly(task);
        if let Err(panic) = polled {
            tell(number, &*panic);
            forget_panic(panic);
        }
        true
    }

    /// Has this waker called when there is something to do. It is called at once if there is, or if something became possible since `seen`: another
    /// thread may have set a timer meanwhile, and found nobody to tell.
    pub(super) fn call_later(&self, waker: Waker, seen: u64) {
        let mut state = self.lock();
        if state.stirs == seen && state.ready.is_empty() {
            if !state.helpers.iter().any(|other| other.will_wake(&waker)) {
                state.helpers.push(waker);
            }
            return;
        }
        drop(state);
        wake_quietly(waker);
    }

    /// Drops the tasks of now, and those that they would leave behind: a worker that is dropped asks for another one.
    pub(super) fn drop_tasks(&self) {
        let mut state = self.lock();
        let tasks = std::mem::take(&mut state.tasks);
        state.ready.clear();
        state.dropping += 1;
        drop(state);
        tasks.into_values().for_each(drop_quietly);
        self.lock().dropping -= 1;
    }

    /// Drops the tasks and takes no others.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.drop_tasks();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.drop_tasks();
    }
}

/// A waker that panics is its executor's mistake; the others are called all the same.
pub(super) fn wake_quietly(waker: Waker) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        forget_panic(panic);
    }
}

fn tell(number: u64, panic: &(dyn std::any::Any + Send)) {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("of a value that is no text");
    // `eprintln!`, since test runners capture that. It panics where there is no stderr, and the others are to go on.
    let told = catch_unwind(|| {
        eprintln!("tidings: task {number} of the virtual runtime panicked: {message}");
    });
    if let Err(panic) = told {
        forget_panic(panic);
    }
}
