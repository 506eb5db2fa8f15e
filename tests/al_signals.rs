//! Signals as items of the loop (AL40, AL41). They are the whole process's, so the tests of this program wait for each other.
#![cfg(all(feature = "signal", unix))]

use std::cell::{Cell, RefCell};
use std::error::Error as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidings::event_loop::{LoopError, LoopItem};
use tidings::{Bus, EventLoop, Signal, SignalReceived, event, listener};

type Tested = Result<(), Box<dyn std::error::Error>>;

fn alone() -> MutexGuard<'static, ()> {
    static SIGNALS: Mutex<()> = Mutex::new(());
    SIGNALS.lock().unwrap_or_else(PoisonError::into_inner)
}

const CHILD: &str = "TIDINGS_TEST_CHILD";

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// How the test `name` ends in a process of its own.
fn end_of(name: &str) -> ExitStatus {
    let program = std::env::current_exe().expect("a running program has a path");
    let mut child = Command::new(program);
    child.args(["--exact", name]).env(CHILD, "1");
    let child = child.stdout(Stdio::null()).stderr(Stdio::null());
    child.status().expect("the program runs again")
}

#[test]
fn al40_a_signal_is_an_ordinary_item() -> Tested {
    let _alone = alone();
    let lp = EventLoop::new()?;
    let log = Rc::new(RefCell::new(Vec::new()));
    let (heard, raised) = (Rc::clone(&log), Rc::clone(&log));
    lp.on_signal(Signal::User1, move |lp| {
        heard.borrow_mut().push("signal");
        lp.stop();
    })?;

    lp.call_soon(move |_| {
        Signal::User1.raise()?;
        raised.borrow_mut().extend(["raised", "end of the item"]);
        Ok::<(), std::io::Error>(())
    })?;
    lp.run_forever()?;

    assert_eq!(*log.borrow(), ["raised", "end of the item", "signal"]);
    Ok(())
}

#[test]
fn al40_a_signal_ends_the_wait_of_every_kind_of_loop() -> Tested {
    let _alone = alone();
    let loops = [
        EventLoop::new()?,
        EventLoop::builder().without_io().build()?,
        EventLoop::virtual_time(),
    ];
    for lp in loops {
        lp.on_signal(Signal::User1, EventLoop::stop)?;
        let thread = std::thread::spawn(|| Signal::User1.raise());
        lp.run_forever()?;
        thread.join().expect("it does not panic")?;
    }
    Ok(())
}

#[test]
fn al40_re_adding_replaces_and_drops_the_one_before() -> Tested {
    let _alone = alone();
    let lp = EventLoop::new()?;
    let held = Rc::new(());
    let first = Rc::clone(&held);
    lp.on_signal(Signal::User1, move |_| -> () {
        panic!("{first:?} is replaced")
    })?;
    lp.on_signal(Signal::from_number(Signal::User1.number()), EventLoop::stop)?;
    assert_eq!(Rc::strong_count(&held), 1);
    let told = Rc::new(Cell::new(0));
    let failures = Rc::clone(&told);
    lp.on_failure(move |_| failures.set(failures.get() + 1));

    Signal::User1.raise()?;
    lp.run_forever()?;

    assert_eq!(told.get(), 0);
    Ok(())
}

#[test]
fn al40_remove_says_whether_there_was_one() -> Tested {
    let _alone = alone();
    let lp = EventLoop::new()?;
    assert!(!lp.remove_signal(Signal::User1));
    lp.on_signal(Signal::User1, |_| ())?;
    assert!(!lp.remove_signal(Signal::User2));
    assert!(lp.remove_signal(Signal::User1));
    assert!(!lp.remove_signal(Signal::User1));
    Ok(())
}

#[test]
fn al40_what_was_removed_before_its_turn_is_not_called() -> Tested {
    let _alone = alone();
    let lp = EventLoop::new()?;
    let was_called = Rc::new(Cell::new(false));
    let called = Rc::clone(&was_called);
    lp.on_signal(Signal::User1, move |_| called.set(true))?;
    let other = EventLoop::background()?;
    let (told, heard) = channel();
    other.on_signal(Signal::User1, move |_| told.send(()))?;
    Signal::User1.raise()?;
    // The loop that asked last is told last.
    heard.recv()?;
    assert!(lp.remove_signal(Signal::User1));

    lp.run_until_idle()?;

    assert!(!was_called.get());
    Ok(())
}

#[test]
fn al40_a_handler_may_replace_itself_and_take_itself_out() -> Tested {
    let _alone = alone();
    let lp = EventLoop::new()?;
    lp.on_signal(Signal::User1, |lp| -> Result<(), LoopError> {
        lp.on_signal(Signal::User1, |lp| {
            assert!(lp.remove_signal(Signal::User1));
            lp.stop();
        })?;
        Signal::User1.raise().map_err(LoopError::Driver)
    })?;
    Signal::User1.raise()?;

    lp.run_forever()?;

    assert!(!lp.remove_signal(Signal::User1));
    Ok(())
}

/// What is said, with the reason.
fn whole(error: &LoopError) -> String {
    let reason = error.source().expect("the system has a reason");
    format!("{error}: {reason}")
}

#[test]
fn al40_what_cannot_be_caught_or_does_not_exist_is_refused_by_name() -> Tested {
    let lp = EventLoop::new()?;
    let bus = Bus::empty();
    for (number, text) in [
        (
            9,
            "SIGKILL cannot be handled: the system lets no program handle it; `Signal::Terminate` is the one that asks",
        ),
        (
            11,
            "SIGSEGV cannot be handled: it tells of a broken instruction of this thread, which cannot wait for a callback",
        ),
        (
            1000,
            "signal 1000 cannot be handled: this system has no such signal",
        ),
        (
            -1,
            "signal -1 cannot be handled: this system has no such signal",
        ),
    ] {
        let signal = Signal::from_number(number);
        let error = lp.on_signal(signal, |_| ()).unwrap_err();
        assert!(matches!(error, LoopError::SignalRefused(refused, _) if refused == signal));
        assert_eq!(whole(&error), text);
        let error = lp.emit_signals(&bus, [Signal::Hangup, signal]).unwrap_err();
        assert_eq!(whole(&error), text);
        let error = lp.remote().on_signal(signal, |_| ()).unwrap_err();
        assert_eq!(whole(&error), text);
        assert!(!lp.remove_signal(signal));
    }
    Ok(())
}

#[test]
fn al40_a_failing_handler_is_told_and_called_again() -> Tested {
    let _alone = alone();
    let lp = EventLoop::new()?;
    let told = Rc::new(RefCell::new(Vec::new()));
    let failures = Rc::clone(&told);
    lp.on_failure(move |failure| {
        failures
            .borrow_mut()
            .push((failure.item(), failure.message().to_owned()));
    });
    let mut calls = 0;
    lp.on_signal(Signal::User1, move |lp| {
        calls += 1;
        match calls {
            1 => Signal::User1.raise().map_err(|error| error.to_string())?,
            2 => {
                Signal::User1.raise().map_err(|error| error.to_string())?;
                panic!("the second one");
            }
            _ => lp.stop(),
        }
        if calls == 1 {
            return Err("the first one".to_owned());
        }
        Ok(())
    })?;
    Signal::User1.raise()?;

    lp.run_forever()?;

    let told = told.borrow();
    let texts: Vec<_> = told.iter().map(|(item, text)| (*item, &**text)).collect();
    assert_eq!(
        texts,
        [
            (LoopItem::Callback, "the first one"),
            (LoopItem::Callback, "the second one"),
        ]
    );
    Ok(())
}

#[test]
fn al40_handlers_of_several_loops_are_all_called() -> Tested {
    let _alone = alone();
    let (one, two) = (EventLoop::background()?, EventLoop::background()?);
    let (told, heard) = channel();
    for (name, remote) in [("one", &one), ("two", &two)] {
        let told = told.clone();
        remote.on_signal(Signal::User2, move |_| told.send(name))?;
    }
    Signal::User2.raise()?;
    let mut names = [heard.recv()?, heard.recv()?];
    names.sort_unstable();
    assert_eq!(names, ["one", "two"]);
    assert!(one.remove_signal(Signal::User2));
    Signal::User2.raise()?;
    assert_eq!(heard.recv()?, "two");
    Ok(())
}

#[test]
fn al40_a_closed_loop_takes_no_handler() -> Tested {
    let lp = EventLoop::new()?;
    let remote = lp.remote();
    lp.close()?;
    let closed = |ended: Result<(), LoopError>| matches!(ended, Err(LoopError::Closed));
    assert!(closed(lp.on_signal(Signal::User1, |_| ())));
    assert!(closed(lp.emit_signals(&Bus::empty(), [Signal::User1])));
    assert!(closed(lp.stop_on_signals([Signal::User1])));
    drop(lp);
    assert!(closed(remote.on_signal(Signal::User1, |_| ())));
    assert!(!remote.remove_signal(Signal::User1));
    Ok(())
}

#[event]
struct Reload;

#[listener]
async fn stop(e: &SignalReceived) {
    if e.signal == Signal::User2 {
        EventLoop::current().expect("a loop runs here").stop();
    }
}

#[test]
fn al40_a_signal_is_an_event_for_plain_listeners() -> Tested {
    let _alone = alone();
    let bus = Bus::builder().build()?;
    let lp = EventLoop::new()?;
    let log = Rc::new(RefCell::new(Vec::new()));
    let heard = Rc::clone(&log);
    let _on = lp.on(&bus, move |e: &SignalReceived| {
        heard.borrow_mut().push(e.signal);
    })?;
    lp.emit_signals(&bus, [Signal::User1, Signal::User2])?;
    lp.on_signal(Signal::User1, |_| Signal::User2.raise())?;

    Signal::User1.raise()?;
    lp.run_forever()?;
    lp.run_until_idle()?;

    assert_eq!(*log.borrow(), [Signal::User1, Signal::User2]);
    Ok(())
}

#[test]
fn al40_the_signals_of_a_bus_are_replaced_as_a_whole() -> Tested {
    let _alone = alone();
    let (one, two) = (Bus::empty(), Bus::empty());
    let lp = EventLoop::new()?;
    let log = Rc::new(RefCell::new(Vec::new()));
    let on = |name: &'static str, bus: &Bus| {
        let heard = Rc::clone(&log);
        lp.on(bus, move |e: &SignalReceived| {
            heard.borrow_mut().push((name, e.signal));
        })
    };
    let _both = (on("one", &one)?, on("two", &two)?);
    lp.emit_signals(&one, [Signal::User1, Signal::User2])?;
    lp.emit_signals(&two, [Signal::User1])?;
    lp.emit_signals(&one, [Signal::User2])?;
    lp.on_signal(Signal::User2, |lp| lp.call_soon(EventLoop::stop).map(drop))?;

    lp.on_signal(Signal::User1, |_| Signal::User2.raise())?;
    Signal::User1.raise()?;
    lp.run_forever()?;
    lp.run_until_idle()?;

    assert_eq!(
        *log.borrow(),
        [("two", Signal::User1), ("one", Signal::User2)]
    );
    Ok(())
}

#[test]
fn al40_the_bus_that_was_current_is_current_in_the_handler() -> Tested {
    let _alone = alone();
    let bus = Bus::empty().install()?;
    let lp = EventLoop::new()?;
    let stop = lp.clone();
    let _reload = lp.on(&bus, move |_: &Reload| stop.stop())?;
    lp.on_signal(Signal::User1, |_| {
        tidings::emit(Reload);
    })?;
    // The one that is installed when the signal comes is another.
    let _kept = bus.clone();
    drop(bus);
    let _other = Bus::empty().install()?;
    Signal::User1.raise()?;
    lp.run_forever()?;
    Ok(())
}

#[test]
fn al41_a_removed_handler_leaves_the_signal_to_the_system() -> Tested {
    if !is_child() {
        let end = end_of("al41_a_removed_handler_leaves_the_signal_to_the_system");
        assert_eq!(end.signal(), Some(Signal::User1.number()), "{end}");
        return Ok(());
    }
    let lp = EventLoop::new()?;
    lp.on_signal(Signal::User1, |_| ())?;
    assert!(lp.remove_signal(Signal::User1));
    Signal::User1.raise()?;
    lp.run_for(Duration::from_secs(60))?;
    Ok(())
}

#[test]
fn al41_a_closed_loop_leaves_the_signal_to_the_system() -> Tested {
    if !is_child() {
        let end = end_of("al41_a_closed_loop_leaves_the_signal_to_the_system");
        assert_eq!(end.signal(), Some(Signal::Terminate.number()), "{end}");
        return Ok(());
    }
    let lp = EventLoop::new()?;
    lp.on_signal(Signal::Terminate, |_| ())?;
    drop(lp);
    Signal::Terminate.raise()?;
    EventLoop::new()?.run_for(Duration::from_secs(60))?;
    Ok(())
}

#[test]
fn al41_a_bus_that_is_gone_leaves_the_signal_to_the_system() -> Tested {
    if !is_child() {
        let end = end_of("al41_a_bus_that_is_gone_leaves_the_signal_to_the_system");
        assert_eq!(end.signal(), Some(Signal::Hangup.number()), "{end}");
        return Ok(());
    }
    let lp = EventLoop::new()?;
    let bus = Bus::empty();
    lp.emit_signals(&bus, [Signal::Hangup])?;
    drop(bus);
    Signal::Hangup.raise()?;
    lp.run_for(Duration::from_secs(60))?;
    Ok(())
}

#[test]
fn al41_a_signal_that_the_system_ignores_stays_ignored() -> Tested {
    let _alone = alone();
    let lp = EventLoop::new()?;
    lp.on_signal(Signal::WindowChange, |_| ())?;
    assert!(lp.remove_signal(Signal::WindowChange));
    Signal::WindowChange.raise()?;
    // Heard by the same thread, and after it.
    lp.on_signal(Signal::User1, EventLoop::stop)?;
    Signal::User1.raise()?;
    lp.run_forever()?;
    Ok(())
}

#[test]
fn c1_the_event_of_signals_is_shown_because_a_listener_hears_it() {
    let catalog = tidings::catalog();
    let shown = catalog.events().iter();
    let shown = shown.filter(|event| event.topic() == "signal.received");
    assert_eq!(shown.count(), 1);
}
