//! The end of a bus under load: with emitters that wait, retries in backoff, handles in odd places and state that acts when it is dropped.
#![cfg(feature = "tokio")]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use tidings::{Bus, Context, Failure, FailureKind, QueueStats, WeakBus, event, listener};

const SOON: Duration = Duration::from_secs(60);

/// Lets through as many as were let in before.
struct Gate(Mutex<Receiver<()>>);

#[event]
struct Printed;

#[listener(queue = 2)]
fn file(_: &Printed, gate: &Gate) {
    // Without a sender all are let through.
    let _ = gate.0.lock().unwrap().recv();
}

#[event]
struct Paid;

#[listener(queue = 2, retry = 1, backoff = "1h..1h")]
fn book(_: &Paid) -> Result<(), &'static str> {
    Err("the bank is closed")
}

#[event]
struct Closing;

#[listener(queue = 2)]
fn closes_its_bus(_: &Closing, cx: Context<'_>, said: &Mutex<Sender<bool>>) {
    let refused = cx.bus().shutdown_blocking(SOON).is_err();
    said.lock().unwrap().send(refused).unwrap();
}

/// The last handle, for a listener to drop.
type Last = Mutex<Option<Bus>>;

static LAST: [Last; 2] = [const { Mutex::new(None) }; 2];

#[event]
struct Quit;

#[listener(queue = 2)]
fn quits_on_a_thread(_: &Quit, gate: &Gate, _: &Witness) {
    gate.0.lock().unwrap().recv().unwrap();
    drop(LAST[0].lock().unwrap().take());
}

#[event]
struct Left;

#[listener]
async fn quits_in_a_task(_: &Left, gate: &Gate, _: &Witness) {
    gate.0.lock().unwrap().recv().unwrap();
    drop(LAST[1].lock().unwrap().take());
}

/// What it does when it is dropped.
struct Witness(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Witness {
    fn new(act: impl FnOnce() + Send + 'static) -> Self {
        Self(Mutex::new(Some(Box::new(act))))
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        if let Some(act) = self.0.get_mut().unwrap().take() {
            act();
        }
    }
}

#[derive(Default, Clone)]
struct Told(Arc<Mutex<Vec<(FailureKind, String)>>>);

impl Told {
    fn kinds(&self) -> Vec<FailureKind> {
        let told = self.0.lock().unwrap();
        told.iter().map(|(kind, _)| *kind).collect()
    }

    fn until(&self, times: usize) {
        while self.0.lock().unwrap().len() < times {
            thread::yield_now();
        }
    }
}

struct Fixture {
    bus: Bus,
    told: Told,
    open: Sender<()>,
    said: Receiver<bool>,
}

fn fixture(witness: Witness) -> Fixture {
    let (open, gate) = channel();
    let (say, said) = channel();
    let told = Told::default();
    let hook = told.clone();
    let bus = Bus::builder()
        .state(Gate(Mutex::new(gate)))
        .state(Mutex::new(say))
        .state(witness)
        .on_failure(move |failure: &Failure| {
            let line = (failure.kind(), failure.message().to_owned());
            hook.0.lock().unwrap().push(line);
        });
    let bus = match tokio::runtime::Handle::try_current() {
        Ok(handle) => bus.runtime(handle),
        Err(_) => bus,
    };
    Fixture {
        bus: bus.build().unwrap(),
        told,
        open,
        said,
    }
}

fn quiet() -> Witness {
    Witness::new(|| ())
}

fn stats(bus: &Bus, function: &str) -> QueueStats {
    let queues = bus.queues().into_iter();
    let mut own = queues.filter(|(listener, _)| listener.function() == function);
    own.next().unwrap().1
}

#[test]
fn two_shutdowns_at_once_tell_each_delivery_once_and_free_who_waits_for_room() {
    let Fixture {
        bus, told, open, ..
    } = fixture(quiet());
    bus.emit(Paid);
    while stats(&bus, "book").in_backoff < 1 {
        thread::yield_now();
    }
    let emitters: Vec<_> = (0..3)
        .map(|_| {
            let bus = bus.clone();
            thread::spawn(move || {
                let reports = (0..4).map(|_| bus.emit(Printed).report());
                reports.map(|report| report.queued()).sum::<usize>()
            })
        })
        .collect();
    let is_full = |figures: QueueStats| (figures.depth, figures.in_flight) == (2, 1);
    while !is_full(stats(&bus, "file")) {
        thread::yield_now();
    }

    let start = Arc::new(Barrier::new(2));
    let shutdowns = [(); 2].map(|()| {
        let (bus, start) = (bus.clone(), Arc::clone(&start));
        thread::spawn(move || {
            start.wait();
            let shutdown = bus.shutdown_blocking(Duration::ZERO).unwrap();
            let left = shutdown.left().iter();
            left.map(|left| left.waiting() + left.in_backoff() + left.in_flight().len())
                .sum::<usize>()
        })
    });
    let left = shutdowns.map(|one| one.join().unwrap());
    let queued: usize = emitters.into_iter().map(|one| one.join().unwrap()).sum();
    drop(open);

    // Three in the queue and in flight, and one that waited for its next try. Both say so.
    assert_eq!((left, queued), ([4; 2], 3));
    let kinds = told.kinds();
    let count = |kind| kinds.iter().filter(|other| **other == kind).count();
    assert_eq!(count(FailureKind::Abandoned), 4);
    assert_eq!(count(FailureKind::Closed), 12 - 3);
    assert_eq!(kinds.len(), 13);
}

#[test]
fn a_shutdown_inside_a_worker_is_refused() {
    let Fixture { bus, said, .. } = fixture(quiet());
    bus.emit(Closing);
    assert!(said.recv().unwrap());
    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
}

#[test]
fn a_worker_may_drop_the_last_handle_with_state_that_panics() {
    let (gone, is_gone) = channel();
    let Fixture {
        bus, told, open, ..
    } = fixture(Witness::new(move || {
        gone.send(()).unwrap();
        panic!("the state's own drop");
    }));
    bus.emit(Quit);
    bus.emit(Quit);
    *LAST[0].lock().unwrap() = Some(bus);
    open.send(()).unwrap();

    // It goes with the worker, which holds what its listener needs.
    is_gone.recv().unwrap();
    assert_eq!(told.kinds(), [FailureKind::Abandoned]);
}

#[test]
fn a_task_may_drop_the_last_handle() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let entered = runtime.enter();
    let (gone, is_gone) = channel();
    let Fixture {
        bus, told, open, ..
    } = fixture(Witness::new(move || gone.send(()).unwrap()));
    bus.emit(Left);
    *LAST[1].lock().unwrap() = Some(bus);
    open.send(()).unwrap();

    is_gone.recv().unwrap();
    drop(entered);
    drop(runtime);
    assert!(told.kinds().is_empty());
}

#[test]
fn state_that_emits_when_it_is_dropped_reaches_no_bus_and_harms_none() {
    let weak = Arc::new(Mutex::new(None::<WeakBus>));
    let (say, says) = channel();
    let own = Arc::clone(&weak);
    let Fixture { bus, told, .. } = fixture(Witness::new(move || {
        let bus = own.lock().unwrap().as_ref().and_then(WeakBus::upgrade);
        say.send(bus.is_none()).unwrap();
        // The default bus lacks state for its listeners, so it says that there is none.
        let report = tidings::emit(Printed).report();
        say.send(report.failures()[0].kind() == FailureKind::NoBus)
            .unwrap();
    }));
    *weak.lock().unwrap() = Some(bus.downgrade());
    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());

    drop(bus);

    assert_eq!([says.recv(), says.recv()], [Ok(true), Ok(true)]);
    assert!(told.kinds().is_empty());
}

#[test]
fn state_that_blocks_when_it_is_dropped_blocks_only_who_dropped_the_bus() {
    let (release, released) = channel::<()>();
    let (sender, began) = channel();
    let Fixture { bus, .. } = fixture(Witness::new(move || {
        sender.send(()).unwrap();
        released.recv().unwrap();
    }));
    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    let dropping = thread::spawn(move || drop(bus));
    began.recv().unwrap();

    // Neither the list of buses nor any other bus is locked meanwhile.
    let Fixture {
        bus, told, open, ..
    } = fixture(quiet());
    drop(open);
    assert_eq!(bus.emit(Printed).report().queued(), 1);
    assert!(bus.shutdown_blocking(SOON).unwrap().is_clean());
    assert!(told.kinds().is_empty());
    drop(bus);

    release.send(()).unwrap();
    dropping.join().unwrap();
}

#[test]
fn state_that_holds_the_last_handle_of_another_bus_ends_it_too() {
    let Fixture {
        bus: inner,
        told,
        open,
        ..
    } = fixture(quiet());
    inner.emit(Printed);
    while stats(&inner, "file").in_flight < 1 {
        thread::yield_now();
    }
    inner.emit(Printed);
    let Fixture { bus: outer, .. } = fixture(Witness::new(move || drop(inner)));

    drop(outer);
    drop(open);

    told.until(1);
    assert_eq!(told.kinds(), [FailureKind::Abandoned]);
}

#[test]
fn state_outlives_the_bus_while_a_listener_holds_it() {
    let (gone, is_gone) = channel();
    let Fixture {
        bus, told, open, ..
    } = fixture(Witness::new(move || gone.send(()).unwrap()));
    bus.emit(Quit);
    while stats(&bus, "quits_on_a_thread").in_flight < 1 {
        thread::yield_now();
    }

    let shutdown = bus.shutdown_blocking(Duration::ZERO).unwrap();
    assert_eq!(shutdown.left()[0].in_flight().len(), 1);
    drop(bus);
    assert!(is_gone.try_recv().is_err());

    open.send(()).unwrap();
    is_gone.recv().unwrap();
    assert_eq!(told.kinds(), [FailureKind::Abandoned]);
}
