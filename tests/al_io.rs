//! I/O beside the loop's own items: tokio's sockets, timers and tasks on a loop that has its reactor.
#![cfg(all(feature = "tokio", unix))]

use std::cell::Cell;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream as Blocking;
use std::rc::Rc;
use std::time::Duration;

use tidings::event_loop::EventLoop;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// Long enough that a test which needs it has failed.
const LONG: Duration = Duration::from_secs(60);

/// Both ends of a connection, one of them for a task.
fn pair() -> (Blocking, Blocking) {
    let (ours, theirs) = Blocking::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    (ours, theirs)
}

/// A task that sends back the first byte that it reads.
fn echo(lp: &EventLoop, theirs: Blocking) -> tidings::event_loop::JoinHandle<u8> {
    lp.spawn(async move {
        let mut stream = UnixStream::from_std(theirs).unwrap();
        let byte = stream.read_u8().await.unwrap();
        stream.write_u8(byte).await.unwrap();
        byte
    })
    .unwrap()
}

#[test]
fn al02_a_task_that_waits_for_a_socket_goes_on_while_the_loop_waits() {
    let lp = EventLoop::new().unwrap();
    let (mut ours, theirs) = pair();
    let task = echo(&lp, theirs);
    let peer = std::thread::spawn(move || {
        let mut byte = [0];
        ours.write_all(&[7])
            .and_then(|()| ours.read_exact(&mut byte))
            .map(|()| byte)
    });
    let ended = lp.run_until_complete(lp.timeout(LONG, task)).unwrap();
    assert_eq!(ended, Ok(Ok(7)));
    assert_eq!(peer.join().unwrap().unwrap(), [7]);
}

#[test]
fn al02_tokios_timers_and_tasks_end_the_wait_of_the_loop() {
    let lp = EventLoop::new().unwrap();
    let (promise, answer) = lp.promise();
    lp.call_soon(move |lp| {
        let lp = lp.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            // All of these come from outside of the loop's turns.
            lp.call_soon(move |lp| {
                lp.spawn(async move { promise.resolve(7) })
                    .unwrap()
                    .detach();
            })
            .unwrap();
        });
    })
    .unwrap();
    let ended = lp.run_until_complete(lp.timeout(LONG, answer)).unwrap();
    assert_eq!(ended.unwrap().unwrap(), 7);
    let slept = lp.timeout(LONG, tokio_sleep());
    assert_eq!(lp.run_until_complete(slept).unwrap(), Ok(()));
}

async fn tokio_sleep() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[test]
fn al04_a_timer_and_a_stop_from_a_tokio_task_are_seen_while_the_loop_waits() {
    let lp = EventLoop::new().unwrap();
    let guard = lp.call_later(LONG, |_| ()).unwrap();
    lp.call_soon(|lp| {
        let lp = lp.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let own = lp.clone();
            lp.call_later(Duration::from_millis(1), move |_| {
                tokio::task::spawn_local(async move {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    own.stop();
                });
            })
            .unwrap();
        });
    })
    .unwrap();
    lp.run_forever().unwrap();
    assert!(guard.is_pending());
}

#[test]
fn al03_a_turn_that_does_not_wait_looks_for_io_as_well() {
    let lp = EventLoop::new().unwrap();
    let (mut ours, theirs) = pair();
    let task = echo(&lp, theirs);
    lp.turn(Duration::ZERO).unwrap();
    ours.write_all(&[7]).unwrap();
    for _ in 0..100 {
        lp.turn(Duration::ZERO).unwrap();
    }
    assert!(task.is_finished());
}

#[test]
fn al02_a_callback_that_schedules_for_ever_keeps_neither_io_nor_timers_out() {
    fn again(lp: &EventLoop, turns: &Rc<Cell<u32>>) {
        turns.set(turns.get() + 1);
        let turns = Rc::clone(turns);
        lp.call_soon(move |lp| again(lp, &turns)).unwrap();
    }

    for lp in [
        EventLoop::new().unwrap(),
        EventLoop::builder().poll_every(16).build().unwrap(),
    ] {
        let turns = Rc::new(Cell::new(0));
        again(&lp, &turns);
        let (mut ours, theirs) = pair();
        let task = echo(&lp, theirs);
        ours.write_all(&[7]).unwrap();
        let timer = lp.sleep(Duration::from_millis(2));
        let both = async { (task.await, timer.await) };
        let ended = lp.run_until_complete(lp.timeout(LONG, both)).unwrap();
        assert_eq!(ended, Ok((Ok(7), ())));
        assert!(turns.get() > 2);
    }
}

/// Sets the flag when it is dropped, and has a handle of the loop.
struct Holds(
    Rc<Cell<u32>>,
    #[expect(dead_code, reason = "it is held")] EventLoop,
);

impl Drop for Holds {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// Two tasks of tokio's that never end.
fn hold(lp: &EventLoop, dropped: &Rc<Cell<u32>>) {
    for _ in 0..2 {
        let holds = Holds(Rc::clone(dropped), lp.clone());
        let task = async move {
            let _holds = holds;
            std::future::pending::<()>().await;
        };
        lp.call_soon(|_| drop(tokio::task::spawn_local(task)))
            .unwrap();
    }
}

#[test]
fn al13_a_close_drops_tokios_tasks_also_those_that_hold_a_handle_of_the_loop() {
    let dropped = Rc::new(Cell::new(0));
    let lp = EventLoop::new().unwrap();
    hold(&lp, &dropped);
    lp.run_until_idle().unwrap();
    assert_eq!(dropped.get(), 0);
    lp.close().unwrap();
    assert_eq!(dropped.get(), 2);
    lp.close().unwrap();

    let lp = EventLoop::new().unwrap();
    hold(&lp, &dropped);
    let handle = lp.clone();
    lp.run_until_idle().unwrap();
    drop(lp);
    assert_eq!(dropped.get(), 4);
    assert!(handle.is_closed());
}

#[test]
fn al13_a_loop_dropped_in_its_own_run_drops_tokios_tasks_at_the_end_of_the_run() {
    let dropped = Rc::new(Cell::new(0));
    let lp = EventLoop::new().unwrap();
    hold(&lp, &dropped);
    let handle = lp.clone();
    let own = Cell::new(Some(lp));
    let seen = Rc::clone(&dropped);
    handle
        .call_soon(move |_| {
            drop(own.take());
            assert_eq!(seen.get(), 0);
        })
        .unwrap();
    assert!(handle.run_forever().is_err());
    assert_eq!(dropped.get(), 2);
}
