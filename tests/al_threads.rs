//! The loop and other threads, slow items, whole programs on a loop, and what is used from elsewhere: clauses that have no home among the others.
#![cfg(feature = "runtime")]

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use futures::channel::oneshot;
use futures::executor::block_on;
use futures::stream::{FuturesUnordered, StreamExt};
use tidings::event_loop::{EventLoop, Fatal, JoinError, LoopError, run};

const SECOND: Duration = Duration::from_secs(1);

type Log = Rc<RefCell<Vec<String>>>;

fn told(lp: &EventLoop) -> Log {
    let log = Log::default();
    let inner = Rc::clone(&log);
    lp.on_failure(move |failure| inner.borrow_mut().push(failure.to_string()));
    log
}

#[test]
fn al15_a_close_does_not_wait_for_threads_and_a_shutdown_does() {
    for lp in [EventLoop::virtual_time(), EventLoop::new().unwrap()] {
        let (go, wait) = channel::<()>();
        let call = lp.blocking(move || wait.recv()).unwrap();
        lp.close().unwrap();
        assert!(call.is_finished());
        go.send(()).unwrap();
    }
    for lp in [EventLoop::virtual_time(), EventLoop::new().unwrap()] {
        let ended = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&ended);
        let (go, wait) = channel::<()>();
        let call = lp.blocking(move || {
            wait.recv().unwrap();
            theirs.store(true, Ordering::Release);
        });
        drop(call.unwrap());
        lp.call_soon(move |_| go.send(())).unwrap();
        assert!(lp.shutdown(SECOND * 60).unwrap().is_empty());
        assert!(ended.load(Ordering::Acquire) && lp.is_closed());
    }
}

#[test]
fn al15_a_shutdown_drops_what_takes_too_long_and_counts_it() {
    let lp = EventLoop::virtual_time();
    let own = lp.clone();
    let slow = lp.spawn(async move {
        own.cancelled().await;
        pending::<()>().await;
    });
    lp.turn(Duration::ZERO).unwrap();
    let left = lp.shutdown(SECOND).unwrap();
    assert_eq!((left.tasks, lp.elapsed()), (1, SECOND));
    assert!(slow.unwrap().is_finished());
    assert!(matches!(lp.shutdown(SECOND), Err(LoopError::Closed)));
}

#[test]
fn al15_a_shutdown_asks_also_what_a_task_starts_while_it_ends() {
    let lp = EventLoop::virtual_time();
    let own = lp.clone();
    let task = lp.spawn(async move {
        own.cancelled().await;
        drop(own.spawn(pending::<()>()));
    });
    lp.turn(Duration::ZERO).unwrap();
    assert!(lp.shutdown(SECOND).unwrap().is_empty());
    assert!(task.unwrap().is_finished());
}

#[test]
fn al31_a_call_from_a_thread_ends_the_wait_and_calls_of_a_thread_keep_their_order() {
    for lp in [
        EventLoop::virtual_time(),
        EventLoop::new().unwrap(),
        EventLoop::builder().without_io().build().unwrap(),
    ] {
        let remote = lp.remote();
        let (send, receive) = channel();
        let thread = std::thread::spawn(move || {
            for number in 0..1000 {
                let send = send.clone();
                remote.call_soon(move |_| send.send(number)).unwrap();
            }
            remote.stop();
        });
        lp.run_forever().unwrap();
        thread.join().unwrap();
        lp.run_until_idle().unwrap();
        let got: Vec<i32> = receive.try_iter().collect();
        assert_eq!(got, (0..1000).collect::<Vec<_>>());
    }
}

#[test]
fn al33_items_that_take_long_are_counted() {
    let slow = Duration::from_millis(5);
    let lp = EventLoop::builder().slow_items(slow).build().unwrap();
    let busy = move |lp: &EventLoop| {
        let begun = lp.time();
        while lp.time() - begun < slow {
            std::hint::spin_loop();
        }
    };
    lp.call_soon(busy).unwrap();
    let own = lp.clone();
    drop(lp.spawn(async move { busy(&own) }).unwrap());
    lp.run_until_idle().unwrap();
    assert_eq!(lp.slow_count(), 2);
    // Time that only a virtual clock shows is nobody's work.
    let lp = EventLoop::builder().slow_items(slow).build_virtual();
    lp.run_until_complete(lp.sleep(SECOND)).unwrap();
    assert_eq!(lp.slow_count(), 0);
}

#[test]
fn al35_a_hook_sees_every_task_start_and_its_panic_is_told() {
    let lp = EventLoop::virtual_time();
    let log = told(&lp);
    let seen = Log::default();
    let inner = Rc::clone(&seen);
    lp.on_spawn(move |name, place| {
        let name = name.unwrap_or("-");
        inner.borrow_mut().push(format!("{name} {}", place.file()));
        assert!(name != "broken", "oh");
    });
    drop(lp.spawn_named("first", async {}).unwrap());
    lp.run_until_complete(lp.scope(async |scope| drop(scope.spawn(async {}))))
        .unwrap()
        .unwrap();
    let task = lp.spawn_named("broken", async { 7 }).unwrap();
    assert_eq!(lp.run_until_complete(task).unwrap(), Ok(7));
    let file = file!();
    let expected = ["first", "-", "broken"].map(|name| format!("{name} {file}"));
    assert_eq!(seen.take(), expected);
    assert!(log.take().concat().contains("oh"));
}

#[test]
fn al44_run_ends_what_main_left_behind_and_closes() {
    let log = Log::default();
    let kept = RefCell::new(None);
    let value = run(async |lp| {
        let inner = Rc::clone(&log);
        lp.on_failure(move |failure| inner.borrow_mut().push(failure.message().to_owned()));
        let own = lp.clone();
        let fails = lp.spawn(async move {
            own.cancelled().await;
            own.next_turn().await;
            Err::<(), _>("while it tidied up")
        });
        fails?.detach();
        drop(lp.spawn(pending::<()>())?);
        lp.next_turn().await;
        *kept.borrow_mut() = Some(lp.clone());
        assert!(matches!(run(async |_| ()), Err(LoopError::AlreadyRunning)));
        Ok::<_, LoopError>(7)
    });
    assert_eq!(value.unwrap().unwrap(), 7);
    assert_eq!(log.take(), ["while it tidied up"]);
    let lp = kept.take().unwrap();
    assert!(lp.is_closed() && lp.task_count() == 0);
}

#[test]
fn al44_run_gives_the_error_that_ended_it() {
    let ended = run(async |lp| {
        drop(lp.call_soon(|_| Err::<(), _>(Fatal::new("disk"))));
        pending::<()>().await;
    });
    assert!(matches!(ended, Err(LoopError::Fatal(_))), "{ended:?}");
    let ended = run(async |lp| {
        lp.stop();
        pending::<()>().await;
    });
    assert!(matches!(ended, Err(LoopError::Stopped)), "{ended:?}");
}

#[test]
fn af13_a_result_crosses_to_a_thread_and_a_cancel_crosses_back() {
    let lp = EventLoop::new().unwrap();
    let (remote, dropped) = (lp.remote(), lp.remote());
    let thread = std::thread::spawn(move || {
        let (send, receive) = oneshot::channel();
        let given = remote.spawn(|lp| {
            let sleep = lp.sleep(Duration::from_millis(1));
            async move {
                sleep.await;
                send.send(7).unwrap();
            }
        });
        given.unwrap();
        let answer = block_on(receive).unwrap();
        let (mut send, receive) = oneshot::channel::<()>();
        drop(receive);
        let given = dropped.spawn(|lp| {
            let lp = lp.clone();
            async move {
                send.cancellation().await;
                lp.stop();
            }
        });
        given.unwrap();
        answer
    });
    lp.run_forever().unwrap();
    assert_eq!(thread.join().unwrap(), 7);
}

#[test]
fn at3_a_task_is_started_from_whatever_can_be_awaited() {
    let lp = EventLoop::virtual_time();
    let (promise, answer) = lp.promise();
    promise.resolve(1);
    let one = lp.spawn(answer).unwrap();
    let two = lp.spawn(one).unwrap();
    let ended = lp.run_until_complete(two).unwrap();
    assert_eq!(ended.unwrap().unwrap().unwrap(), 1);
}

#[test]
fn at16_at17_tasks_come_in_the_order_of_their_ends_and_a_timeout_leaves_them_running() {
    let lp = EventLoop::virtual_time();
    let mut set: FuturesUnordered<_> = [3, 1, 2]
        .map(|seconds| {
            let sleep = lp.sleep(SECOND * seconds);
            lp.spawn(async move {
                sleep.await;
                seconds
            })
            .unwrap()
        })
        .into_iter()
        .collect();
    assert_eq!(lp.run_until_complete(set.next()).unwrap(), Some(Ok(1)));
    let late = lp.timeout(SECOND / 2, set.next());
    assert!(lp.run_until_complete(late).unwrap().is_err());
    assert_eq!((set.len(), lp.task_count()), (2, 2));
    assert_eq!(
        lp.run_until_complete(set.collect::<Vec<_>>()).unwrap(),
        [Ok(2), Ok(3)]
    );
}

#[test]
fn at21_the_registry_has_every_task_that_has_not_ended() {
    let lp = EventLoop::virtual_time();
    let task = lp.spawn_named("worker", pending::<()>()).unwrap();
    drop(lp.spawn(pending::<()>()).unwrap());
    assert_eq!(
        (lp.task_count(), lp.task_names()),
        (2, vec!["worker".to_owned()])
    );
    let own = lp.clone();
    let place = lp.spawn(async move { own.current_task() }).unwrap();
    let place = lp.run_until_complete(place).unwrap().unwrap().unwrap();
    assert!(place.starts_with(file!()), "{place}");
    assert_eq!(lp.current_task(), None);
    task.abort();
    lp.run_until_idle().unwrap();
    assert!(lp.task_names().is_empty());
}

#[test]
fn ao1_errors_and_cancels_of_the_block_are_not_timeouts() {
    let lp = EventLoop::virtual_time();
    let foreign = lp.timeout_with(SECOND, async |_| Err::<(), _>("foreign"));
    assert_eq!(lp.run_until_complete(foreign).unwrap(), Ok(Err("foreign")));
    let own = lp.clone();
    let task = lp
        .spawn(async move {
            own.timeout_with(SECOND, async |_| pending::<()>().await)
                .await
        })
        .unwrap();
    lp.turn(Duration::ZERO).unwrap();
    task.cancel();
    assert_eq!(
        lp.run_until_complete(task).unwrap(),
        Err(JoinError::Cancelled)
    );
    assert_eq!((lp.timer_count(), lp.elapsed()), (0, Duration::ZERO));
}

#[test]
fn ao2_of_nested_timeouts_the_inner_one_reports_also_after_a_busy_time() {
    let lp = EventLoop::new().unwrap();
    let nested = lp.timeout(Duration::from_millis(2), async {
        let inner = lp.timeout(Duration::from_millis(1), pending::<()>());
        let busy = lp.call_soon(|lp| {
            while lp.elapsed() < Duration::from_millis(100) {
                std::hint::spin_loop();
            }
        });
        drop(busy);
        inner.await
    });
    let ended = lp.run_until_complete(nested).unwrap();
    assert!(ended.expect("the outer one has not reported").is_err());
}

#[test]
fn ao3_a_deadline_is_moved_disabled_and_set_into_the_past() {
    let lp = EventLoop::virtual_time();
    let moved = lp.timeout_with(SECOND, async |deadline| {
        assert_eq!(deadline.when(), Some(lp.time() + SECOND));
        deadline.reset(SECOND * 3);
        lp.sleep(SECOND * 2).await;
        deadline.disable();
        assert_eq!(deadline.when(), None);
        lp.sleep(SECOND * 5).await;
        deadline.reset(SECOND);
        pending::<()>().await;
    });
    assert!(lp.run_until_complete(moved).unwrap().is_err());
    assert_eq!(lp.elapsed(), SECOND * 8);
    let entered = Cell::new(false);
    let past = lp.timeout_with(SECOND, async |deadline| {
        deadline.reset_at(lp.time().checked_sub(SECOND).unwrap());
        entered.set(true);
        pending::<()>().await;
    });
    assert!(lp.run_until_complete(past).unwrap().is_err());
    assert_eq!((entered.get(), lp.elapsed()), (true, SECOND * 8));
    assert_eq!(lp.timer_places(), 0);
}

#[test]
fn ak1_tokios_locks_are_fair_on_the_loop_and_a_waiter_that_gave_up_hands_its_turn_on() {
    let lp = EventLoop::virtual_time();
    let lock = Arc::new(tokio::sync::Mutex::new(Vec::new()));
    let held = Rc::new(Cell::new(Some(
        lp.run_until_complete(Arc::clone(&lock).lock_owned())
            .unwrap(),
    )));
    let tasks: Vec<_> = (0..10)
        .map(|number| {
            let (lock, lp_) = (Arc::clone(&lock), lp.clone());
            lp.spawn(async move {
                for _ in 0..2 {
                    let mut order = lock.lock().await;
                    order.push(number);
                    lp_.next_turn().await;
                }
            })
            .unwrap()
        })
        .collect();
    lp.turn(Duration::ZERO).unwrap();
    // The first one is given the lock and gives up in the same turn.
    drop(held.take());
    tasks[0].cancel();
    lp.run_until_idle().unwrap();
    let order = lp.run_until_complete(lock.lock()).unwrap();
    let twice: Vec<_> = (1..10).chain(1..10).collect();
    assert_eq!(*order, twice);
}

#[test]
fn ak2_an_event_wakes_everybody_who_waits_also_if_it_is_cleared_at_once() {
    let lp = EventLoop::virtual_time();
    let (set, is_set) = tokio::sync::watch::channel(0);
    let woken = Rc::new(Cell::new(0));
    for _ in 0..10 {
        let (mut is_set, woken) = (is_set.clone(), Rc::clone(&woken));
        drop(lp.spawn(async move {
            is_set.changed().await.unwrap();
            woken.set(woken.get() + 1);
        }));
    }
    lp.turn(Duration::ZERO).unwrap();
    set.send_replace(1);
    set.send_replace(0);
    lp.run_until_idle().unwrap();
    assert_eq!(woken.get(), 10);
}

#[test]
fn aq1_a_bounded_queue_keeps_order_and_a_sender_that_gave_up_hands_its_place_on() {
    let lp = EventLoop::virtual_time();
    let (send, mut receive) = tokio::sync::mpsc::channel(1);
    let senders: Vec<_> = (0..5)
        .map(|number| {
            let send = send.clone();
            lp.spawn(async move { send.send(number).await.unwrap() })
                .unwrap()
        })
        .collect();
    drop(send);
    lp.turn(Duration::ZERO).unwrap();
    assert_eq!(receive.try_recv(), Ok(0));
    // Its place was free, and goes to the next one.
    senders[1].cancel();
    let mut got = Vec::new();
    lp.run_until_complete(async {
        while let Some(number) = receive.recv().await {
            got.push(number);
        }
    })
    .unwrap();
    assert_eq!(got, [2, 3, 4]);
}

#[test]
fn al32_what_belongs_to_a_loop_stays_on_its_thread() {
    /// Ambiguous, so that it does not compile, for a type that is `Send`.
    trait Stays<Marker> {
        fn stays() {}
    }
    impl<T> Stays<()> for T {}
    impl<T: Send> Stays<u8> for T {}
    fn goes<T: Send + Sync + Clone>() {}

    <EventLoop as Stays<_>>::stays();
    <tidings::event_loop::Handle as Stays<_>>::stays();
    <tidings::event_loop::JoinHandle<()> as Stays<_>>::stays();
    <tidings::event_loop::Promise<()> as Stays<_>>::stays();
    <tidings::event_loop::PromiseFuture<()> as Stays<_>>::stays();
    <tidings::event_loop::TaskScope as Stays<_>>::stays();
    <tidings::event_loop::Entered as Stays<_>>::stays();
    <tidings::event_loop::Sleep as Stays<_>>::stays();

    goes::<tidings::Remote>();
}
