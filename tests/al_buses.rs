//! What is scheduled runs on the bus that was current there, whatever is current when it runs.
#![cfg(feature = "runtime")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use support::Recorder;
use tidings::event_loop::{EventLoop, Missed};
use tidings::{Bus, emit, event, listener};

#[event]
struct Noted(&'static str);

#[listener]
fn note(e: &Noted, log: &Recorder) {
    log.note(e.0);
}

#[event]
struct Schedule;

fn noted(what: &'static str) {
    drop(emit(Noted(what)));
}

#[listener]
fn schedule(_: &Schedule) {
    let lp = EventLoop::current().expect("a loop runs here");
    let second = Duration::from_secs(1);
    lp.call_soon(|_| noted("callback")).unwrap();
    lp.call_later(second, |_| noted("timer")).unwrap();
    lp.emit_soon(Noted("event")).unwrap();
    lp.emit_later(second, Noted("event for later")).unwrap();
    lp.remote().call_soon(|_| noted("remote")).unwrap();
    let every = lp.call_every(second * 2, Missed::Skip, |lp| {
        noted("periodic");
        lp.stop();
    });
    drop(every.unwrap());
    let own = lp.clone();
    let task = lp.spawn(async move {
        noted("task");
        own.sleep(second).await;
        noted("task later");
    });
    task.unwrap().on_done(|_| noted("end of a task"));
    let (promise, answer) = lp.promise();
    answer.on_done(|_, _| noted("done-callback"));
    // Kept on another bus, or on none.
    let other = Bus::empty();
    let _deeper = other.emit(Noted("heard by nobody"));
    promise.resolve(());
    answer.on_done(|_, _| noted("late done-callback"));
}

#[test]
fn al46_everything_runs_on_the_bus_that_was_current_when_it_was_scheduled() {
    let (log, other) = (Arc::new(Recorder::default()), Arc::new(Recorder::default()));
    let lp = EventLoop::virtual_time();
    let build = |log: &Arc<Recorder>| {
        let builder = Bus::builder().state(Arc::clone(log));
        builder.state(lp.remote()).build().unwrap()
    };
    let (bus, installed) = (build(&log), build(&other));
    let _installed = installed.install().unwrap();
    lp.call_soon({
        let bus = bus.clone();
        move |_| drop(bus.emit(Schedule))
    })
    .unwrap();
    lp.call_later(Duration::from_millis(500), |_| noted("installed"))
        .unwrap();
    lp.run_forever().unwrap();
    assert_eq!(
        log.take(),
        [
            "callback",
            "event",
            "remote",
            "task",
            "done-callback",
            "late done-callback",
            "timer",
            "event for later",
            "task later",
            "end of a task",
            "periodic",
        ]
    );
    assert_eq!(other.take(), ["installed"]);
}

#[event]
struct FromThread;

#[listener]
fn from_thread(_: &FromThread, remote: &tidings::Remote) {
    remote.call_soon(|_| noted("from a thread")).unwrap();
    remote.emit_soon(Noted("event from a thread")).unwrap();
    remote
        .spawn(|lp| {
            let lp = lp.clone();
            async move {
                noted("task from a thread");
                lp.stop();
            }
        })
        .unwrap();
}

#[test]
fn al46_what_comes_from_another_thread_runs_on_the_bus_that_was_current_there() {
    let log = Arc::new(Recorder::default());
    let lp = EventLoop::new().unwrap();
    let bus = Bus::builder()
        .state(Arc::clone(&log))
        .state(lp.remote())
        .build()
        .unwrap();
    let theirs = bus.clone();
    let thread = std::thread::spawn(move || drop(theirs.emit(FromThread)));
    lp.run_forever().unwrap();
    thread.join().unwrap();
    assert_eq!(
        log.take(),
        ["from a thread", "event from a thread", "task from a thread"]
    );
}

#[cfg(feature = "test")]
#[test]
fn an_emission_of_the_loop_has_the_place_of_who_asked_for_it() {
    let bus = tidings::test::TestBus::builder()
        .only(note)
        .state(Recorder::default())
        .build();
    let scheduled = bus.on(|_: &Schedule| {
        let lp = EventLoop::virtual_time();
        let second = Duration::from_secs(1);
        lp.emit_soon(Noted("soon")).unwrap();
        lp.emit_later(second, Noted("later")).unwrap();
        lp.emit_at(lp.time(), Noted("at")).unwrap();
        lp.emit_every(second, Missed::Skip, |_| Noted("every"))
            .unwrap();
        lp.remote().emit_soon(Noted("remote")).unwrap();
        lp.run_for(second).unwrap();
    });
    bus.emit(Schedule);
    drop(scheduled);
    let timeline = bus.settle_blocking().to_string();
    let told = timeline.matches("`noted` emitted at tests/al_buses.rs:");
    assert_eq!(told.count(), 5, "{timeline}");
}
