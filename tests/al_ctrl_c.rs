//! The first signal stops a loop gracefully, the second one ends the process (AL45). Signals are the whole process's, so the tests of this
//! program wait for each other.
#![cfg(all(feature = "signal", unix))]

use std::cell::RefCell;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidings::event_loop::{CancelReason, LoopError, run};
use tidings::{EventLoop, Signal};

type Tested = Result<(), Box<dyn std::error::Error>>;

fn alone() -> MutexGuard<'static, ()> {
    static SIGNALS: Mutex<()> = Mutex::new(());
    SIGNALS.lock().unwrap_or_else(PoisonError::into_inner)
}

const CHILD: &str = "TIDINGS_TEST_CHILD";

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// The signal that ends the test `name` in a process of its own, and what it printed before.
fn end_of(name: &str) -> (Option<i32>, String) {
    let program = std::env::current_exe().expect("a running program has a path");
    let mut child = Command::new(program);
    child
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .stderr(Stdio::null());
    let output = child.output().expect("the program runs again");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.signal(), printed)
}

type Log = Rc<RefCell<Vec<&'static str>>>;

struct Notes(Log, &'static str);

impl Drop for Notes {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

fn raise(signal: Signal) -> Result<(), LoopError> {
    signal.raise().map_err(LoopError::Driver)
}

#[test]
fn al45_the_first_signal_drops_main_and_then_the_rest_is_shut_down() {
    let _alone = alone();
    let log = Log::default();
    let tidied = Rc::clone(&log);

    let ended = run(async |lp| {
        lp.stop_on_signals([Signal::User1, Signal::User2])?;
        let own = lp.clone();
        let task = async move {
            own.cancelled().await;
            own.next_turn().await;
            tidied.borrow_mut().push("the task tidied up");
        };
        lp.spawn(task)?.detach();
        let _notes = Notes(Rc::clone(&log), "main was dropped");
        lp.next_turn().await;
        raise(Signal::User2)?;
        std::future::pending::<Result<(), LoopError>>().await
    });

    assert!(matches!(ended, Err(LoopError::Signalled(Signal::User2))));
    assert_eq!(*log.borrow(), ["main was dropped", "the task tidied up"]);
}

#[test]
fn al45_a_main_that_listens_gives_its_result() -> Tested {
    let _alone = alone();
    let answer = run(async |lp| {
        lp.stop_on_signals([Signal::User1])?;
        raise(Signal::User1)?;
        lp.cancelled().await;
        lp.sleep(Duration::from_millis(1)).await;
        Ok::<_, LoopError>(42)
    })??;
    assert_eq!(answer, 42);
    Ok(())
}

#[test]
fn al45_a_scope_of_main_is_cancelled_with_it() {
    let _alone = alone();
    let log = Log::default();
    let ended = run(async |lp| {
        lp.stop_on_signals([Signal::User1])?;
        let tidied = Rc::clone(&log);
        let own = lp.clone();
        let scope = lp.scope(async move |s| {
            let task = own.clone();
            s.spawn(async move {
                task.cancelled().await;
                tidied.borrow_mut().push("the child tidied up");
                Ok::<(), LoopError>(())
            })?
            .detach();
            own.next_turn().await;
            raise(Signal::User1)?;
            std::future::pending::<Result<(), LoopError>>().await
        });
        drop(scope.await);
        Ok::<(), LoopError>(())
    });
    assert!(
        matches!(ended, Err(LoopError::Signalled(Signal::User1))),
        "{ended:?}"
    );
    assert_eq!(*log.borrow(), ["the child tidied up"]);
}

#[test]
fn al45_whom_main_waits_for_hears_of_the_signal() {
    let _alone = alone();
    let told = Rc::new(RefCell::new(Vec::new()));
    let ended = run(async |lp| {
        lp.stop_on_signals([Signal::User1])?;
        let mut set = lp.task_set();
        let listens = || {
            let (own, told) = (lp.clone(), Rc::clone(&told));
            async move {
                let reason = own.cancelled().await;
                told.borrow_mut().push(reason);
            }
        };
        let awaited = lp.spawn(listens())?;
        set.spawn(listens())?;
        lp.next_turn().await;
        raise(Signal::User1)?;
        drop(awaited.await);
        drop(set.next().await);
        Ok::<(), LoopError>(())
    });
    assert!(
        matches!(ended, Err(LoopError::Signalled(Signal::User1))),
        "{ended:?}"
    );
    let signal = CancelReason::Signal(Signal::User1);
    assert_eq!(*told.borrow(), [signal.clone(), signal]);
}

#[test]
fn al45_main_is_the_current_task() -> Tested {
    let name = run(async |lp| lp.current_task())?;
    assert_eq!(name.as_deref(), Some("main"));
    Ok(())
}

#[test]
fn al45_another_run_is_stopped_and_the_loop_goes_on_later() -> Tested {
    let _alone = alone();
    let lp = EventLoop::new()?;
    lp.stop_on_signals([Signal::User1])?;
    lp.call_soon(|_| Signal::User1.raise())?;
    lp.run_forever()?;
    assert_eq!(lp.run_until_complete(async { 3 })?, 3);
    Ok(())
}

#[test]
fn al45_the_host_of_a_turn_is_told_of_the_first_signal() -> Tested {
    let _alone = alone();
    let lp = EventLoop::new()?;
    lp.stop_on_signals([Signal::User1])?;
    Signal::User1.raise()?;
    let turn = lp.turn(Duration::from_secs(60))?;
    assert_eq!((turn.ran, turn.is_stopped), (1, true));
    assert!(!lp.turn(Duration::ZERO)?.is_stopped);
    Ok(())
}

#[test]
fn al45_asked_for_again_the_next_signal_is_a_first_one() -> Tested {
    let _alone = alone();
    let lp = EventLoop::new()?;
    for _ in 0..3 {
        lp.stop_on_signals([Signal::User1])?;
        lp.call_soon(|_| Signal::User1.raise())?;
        lp.run_forever()?;
    }
    Ok(())
}

#[test]
fn al45_a_first_signal_during_the_shutdown_changes_nothing() -> Tested {
    let _alone = alone();
    let log = Log::default();
    let tidied = Rc::clone(&log);
    let answer = run(async |lp| {
        lp.stop_on_signals([Signal::User1])?;
        let (heard, first) = lp.promise::<()>();
        let mut heard = Some(heard);
        lp.on_signal(Signal::User1, move |_| {
            if let Some(heard) = heard.take() {
                heard.resolve(());
            }
        })?;
        let own = lp.clone();
        let task = async move {
            own.cancelled().await;
            raise(Signal::User1)?;
            drop(first.await);
            own.sleep(Duration::from_millis(1)).await;
            tidied.borrow_mut().push("the task tidied up");
            Ok::<(), LoopError>(())
        };
        lp.spawn(task)?.detach();
        lp.next_turn().await;
        Ok::<_, LoopError>(42)
    })??;
    assert_eq!(answer, 42);
    assert_eq!(*log.borrow(), ["the task tidied up"]);
    Ok(())
}

#[test]
fn al45_a_second_signal_during_the_shutdown_is_fatal() -> Tested {
    if !is_child() {
        let (signal, printed) = end_of("al45_a_second_signal_during_the_shutdown_is_fatal");
        assert_eq!(signal, Some(Signal::Interrupt.number()));
        assert!(printed.contains("heard the first"), "{printed}");
        return Ok(());
    }
    run(async |lp| {
        lp.stop_on_signals([Signal::Interrupt])?;
        lp.on_signal(Signal::Interrupt, |_| {
            println!("heard the first");
            raise(Signal::Interrupt)
        })?;
        let own = lp.clone();
        let task = async move {
            own.cancelled().await;
            raise(Signal::Interrupt)?;
            std::future::pending::<Result<(), LoopError>>().await
        };
        lp.spawn(task)?.detach();
        lp.next_turn().await;
        Ok::<_, LoopError>(())
    })??;
    Ok(())
}

#[test]
fn al45_the_second_signal_is_fatal_while_the_thread_is_stuck() -> Tested {
    if !is_child() {
        let (signal, printed) = end_of("al45_the_second_signal_is_fatal_while_the_thread_is_stuck");
        assert_eq!(signal, Some(Signal::Terminate.number()));
        assert!(printed.contains("asked"), "{printed}");
        return Ok(());
    }
    run(async |lp| {
        lp.stop_on_signals([Signal::Interrupt, Signal::Terminate])?;
        raise(Signal::Interrupt)?;
        lp.cancelled().await;
        println!("asked");
        raise(Signal::Terminate)?;
        std::thread::sleep(Duration::from_secs(60));
        Ok::<_, LoopError>(())
    })??;
    Ok(())
}

#[test]
fn al45_a_loop_that_gives_it_up_leaves_the_signal_to_the_system() -> Tested {
    if !is_child() {
        let name = "al45_a_loop_that_gives_it_up_leaves_the_signal_to_the_system";
        assert_eq!(end_of(name).0, Some(Signal::Terminate.number()));
        return Ok(());
    }
    let lp = EventLoop::new()?;
    lp.stop_on_signals([Signal::Terminate])?;
    lp.stop_on_signals([])?;
    Signal::Terminate.raise()?;
    lp.run_for(Duration::from_secs(60))?;
    Ok(())
}
