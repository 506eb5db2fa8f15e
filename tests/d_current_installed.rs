//! D7: which bus the free `emit` uses while one is installed.

mod support;

use std::future::{IntoFuture, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread;

use futures::FutureExt;
use support::Recorder;
use tidings::{Bus, BusBuilder, InstallErrorKind, Runtime, Task, emit, event, listener};

#[event]
struct Noted(&'static str);

#[listener]
fn note(e: &Noted, log: &Recorder) {
    log.note(e.0);
}

#[event]
struct Nested;

#[listener]
fn nested(_: &Nested) {
    emit(Noted("nested"));
}

#[event]
struct Visited;

/// Goes to another bus and comes back.
#[listener]
fn visit(_: &Visited, other: Option<&Bus>) {
    emit(Noted("before the visit"));
    if let Some(other) = other {
        other.emit(Nested);
    }
    emit(Noted("after the visit"));
}

#[event]
struct Threaded;

#[listener]
fn threaded(_: &Threaded) {
    let thread = thread::spawn(|| drop(emit(Noted("in a thread of its own"))));
    thread.join().unwrap();
}

#[event]
struct Slow;

#[listener]
async fn slow(_: &Slow, log: &Recorder) {
    emit(Noted("first poll"));
    next_poll().await;
    emit(Noted("second poll"));
    let task: Task = Box::pin(async { drop(emit(Noted("in a task of its own"))) });
    SHELF
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(task);
    log.note("slow ends");
}

/// Waits once.
async fn next_poll() {
    let mut waited = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[event]
struct Broken;

#[listener]
fn broken(_: &Broken) {
    panic!("on purpose");
}

/// Tasks of nobody's bus.
static SHELF: Mutex<Vec<Task>> = Mutex::new(Vec::new());

#[derive(Default, Clone)]
struct Keep(Arc<Mutex<Vec<Task>>>);

impl Runtime for Keep {
    fn spawn(&self, task: Task) {
        self.0.lock().unwrap().push(task);
    }
}

/// One place in the process, so one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn builder() -> (BusBuilder, Arc<Recorder>) {
    let log = Arc::new(Recorder::default());
    let builder = Bus::builder().state(Arc::clone(&log)).on_failure(|_| ());
    (builder, log)
}

fn bus() -> (Bus, Arc<Recorder>) {
    let (builder, log) = builder();
    (builder.build().unwrap(), log)
}

/// Polls until it is over; nothing here waits for anything but its next turn.
fn run(mut task: Task) {
    while (&mut task).now_or_never().is_none() {}
}

#[test]
fn d7_the_free_emit_uses_the_installed_bus() {
    let _alone = alone();
    let (bus, log) = bus();
    let installed = bus.install().unwrap();

    assert_eq!(emit(Noted("free")).report().ran(), 1);
    assert_eq!(installed.emit(Noted("through the guard")).report().ran(), 1);
    thread::spawn(|| drop(emit(Noted("on another thread"))))
        .join()
        .unwrap();

    assert_eq!(
        log.take(),
        ["free", "through the guard", "on another thread"]
    );
}

#[test]
fn d7_a_second_install_is_refused_and_gives_the_bus_back() {
    let _alone = alone();
    let ((one, one_log), (two, two_log)) = (bus(), bus());
    let _installed = one.install().unwrap();

    let error = two.install().unwrap_err();

    assert_eq!(error.kind(), InstallErrorKind::AlreadyInstalled);
    assert_eq!(
        error.to_string(),
        "another bus is installed; drop its guard first, or emit with `bus.emit(..)`"
    );
    emit(Noted("free"));
    error.into_bus().emit(Noted("given back"));
    assert_eq!(
        (one_log.take(), two_log.take()),
        (vec!["free".to_owned()], vec!["given back".to_owned()])
    );
}

#[test]
fn d7_dropping_the_guard_uninstalls() {
    let _alone = alone();
    let ((one, one_log), (two, two_log)) = (bus(), bus());
    let weak = one.downgrade();

    drop(one.install().unwrap());
    let _installed = two.install().unwrap();
    emit(Noted("free"));

    assert!(weak.upgrade().is_none(), "the guard held the last handle");
    assert!(one_log.take().is_empty());
    assert_eq!(two_log.take(), ["free"]);
}

#[test]
fn d7_inside_a_listener_the_free_emit_stays_on_the_listeners_bus() {
    let _alone = alone();
    let ((own, own_log), (installed, installed_log)) = (bus(), bus());
    let _installed = installed.install().unwrap();

    own.emit(Nested);

    assert_eq!(own_log.take(), ["nested"]);
    assert!(installed_log.take().is_empty());
}

#[test]
fn d7_a_nested_emission_on_another_bus_changes_the_current_bus_only_while_it_lasts() {
    let _alone = alone();
    let (other, other_log) = bus();
    let (builder, own_log) = builder();
    let own = builder.state(other).build().unwrap();

    own.emit(Visited);

    assert_eq!(own_log.take(), ["before the visit", "after the visit"]);
    assert_eq!(other_log.take(), ["nested"]);
}

#[test]
fn d7_after_a_listener_panicked_the_installed_bus_is_current_again() {
    let _alone = alone();
    let ((own, own_log), (installed, installed_log)) = (bus(), bus());
    let _installed = installed.install().unwrap();

    assert_eq!(own.emit(Broken).report().failed(), 1);
    emit(Noted("free"));

    assert!(own_log.take().is_empty());
    assert_eq!(installed_log.take(), ["free"]);
}

#[test]
fn d7_a_thread_that_a_listener_spawns_itself_uses_the_installed_bus() {
    let _alone = alone();
    let ((own, own_log), (installed, installed_log)) = (bus(), bus());
    let _installed = installed.install().unwrap();

    own.emit(Threaded);

    assert!(own_log.take().is_empty());
    assert_eq!(installed_log.take(), ["in a thread of its own"]);
}

#[test]
fn d7_an_awaited_async_listener_stays_on_its_bus_at_every_poll_and_its_own_tasks_do_not() {
    let _alone = alone();
    let ((own, own_log), (installed, installed_log)) = (bus(), bus());
    let _installed = installed.install().unwrap();

    let mut emission = own.emit(Slow).into_future();
    assert!((&mut emission).now_or_never().is_none());
    emit(Noted("between polls"));
    let report = emission.now_or_never().unwrap();

    assert_eq!(report.to_string(), "1 ran, 0 skipped, 0 failed, 0 queued");
    assert_eq!(own_log.take(), ["first poll", "second poll", "slow ends"]);
    std::mem::take(&mut *SHELF.lock().unwrap())
        .into_iter()
        .for_each(run);
    assert_eq!(
        installed_log.take(),
        ["between polls", "in a task of its own"]
    );
}

#[test]
fn d7_a_spawned_async_listener_stays_on_its_bus_after_the_last_handle_was_dropped() {
    let _alone = alone();
    let (installed, installed_log) = bus();
    let _installed = installed.install().unwrap();
    let keep = Keep::default();
    let (builder, log) = builder();
    let own = builder.runtime(keep.clone()).build().unwrap();
    let weak = own.downgrade();

    own.emit(Slow);
    drop(own);
    let tasks = std::mem::take(&mut *keep.0.lock().unwrap());
    assert_eq!(tasks.len(), 1);
    for task in tasks {
        thread::spawn(|| run(task)).join().unwrap();
    }

    assert_eq!(log.take(), ["first poll", "second poll", "slow ends"]);
    assert!(
        weak.upgrade().is_none(),
        "the delivery held the last handle"
    );
    SHELF.lock().unwrap().clear();
    assert!(installed_log.take().is_empty());
}
