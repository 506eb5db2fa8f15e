//! A loop and other threads, and a loop as the runtime of a bus.
#![cfg(feature = "runtime")]

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tidings::{Bus, EventLoop, Remote, Runtime, event, listener};

/// Says that it is dropped.
struct Says(Sender<()>);

impl Drop for Says {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[event]
struct Counted(u32);

#[listener(retry = 2, queue = 8, backoff = "10ms..20ms")]
async fn store(e: &Counted, seen: &Mutex<Vec<u32>>, tries: &AtomicU32) -> Result<(), &'static str> {
    if e.0 == 7 && tries.fetch_add(1, Ordering::Relaxed) < 2 {
        return Err("not yet");
    }
    seen.lock().unwrap().push(e.0);
    Ok(())
}

fn bus(remote: Remote) -> (Bus, Arc<Mutex<Vec<u32>>>) {
    let seen = Arc::<Mutex<Vec<u32>>>::default();
    let bus = Bus::builder()
        .state(Arc::clone(&seen))
        .state(AtomicU32::new(0))
        .runtime(remote);
    (bus.build().unwrap(), seen)
}

#[test]
fn al31_calls_from_other_threads_wake_the_loop_and_keep_their_order() {
    let lp = EventLoop::new().unwrap();
    let heard = Rc::new(RefCell::new(Vec::new()));
    let own = Rc::clone(&heard);
    lp.call_soon(move |_| own.borrow_mut().push(0)).unwrap();
    let remote = lp.remote();
    let (send, receive) = channel();
    let thread = thread::spawn(move || {
        for number in 1..=1000 {
            let send = send.clone();
            remote.call_soon(move |_| send.send(number)).unwrap();
        }
        remote.stop();
    });
    lp.run_forever().unwrap();
    lp.run_until_idle().unwrap();
    thread.join().unwrap();
    assert_eq!(*heard.borrow(), [0]);
    assert_eq!(
        receive.try_iter().collect::<Vec<_>>(),
        (1..=1000).collect::<Vec<_>>()
    );
}

#[test]
fn a_bus_whose_runtime_is_a_virtual_loop_retries_in_virtual_time() {
    let lp = EventLoop::virtual_time();
    let (bus, seen) = bus(lp.remote());
    let report = lp
        .run_until_complete(async { bus.emit(Counted(7)).await })
        .unwrap();
    assert_eq!(report.queued(), 1);
    lp.run_until_idle().unwrap();
    assert_eq!(*seen.lock().unwrap(), [7]);
    assert!(lp.elapsed() >= Duration::from_millis(20));
    let shutdown = lp.run_until_complete(bus.shutdown(Duration::from_secs(1)));
    assert!(shutdown.unwrap().unwrap().is_clean());
}

#[test]
fn a_loop_in_the_background_is_the_runtime_of_a_bus_and_ends_with_it() {
    let remote = EventLoop::background().unwrap();
    assert!(!remote.is_current());
    let (bus, seen) = bus(remote.clone());
    for number in 0..100 {
        futures::executor::block_on(async { bus.emit(Counted(number)).await });
    }
    assert!(
        bus.shutdown_blocking(Duration::from_secs(30))
            .unwrap()
            .is_clean()
    );
    assert_eq!(seen.lock().unwrap().len(), 100);
    let (send, ended) = channel();
    let says = Says(send);
    remote
        .spawn(move |_| async move {
            let _says = says;
            std::future::pending::<()>().await;
        })
        .unwrap();
    drop((bus, remote));
    ended.recv_timeout(Duration::from_secs(30)).unwrap();
}

#[test]
fn a_listener_of_a_loop_hears_every_thread_on_its_own_and_may_change_what_it_holds() {
    #[event]
    struct Clicked(u32);

    let bus = Bus::empty();
    let lp = EventLoop::new().unwrap();
    let heard = Rc::new(RefCell::new(Vec::new()));
    let own = Rc::clone(&heard);
    let mut count = 0;
    let stop = lp.clone();
    let subscription = lp
        .on(&bus, move |click: &Clicked| {
            count += 1;
            own.borrow_mut().push((click.0, count));
            if count == 4 {
                stop.stop();
            }
            if click.0 == 2 {
                Err("told, and the next one comes")
            } else {
                Ok(())
            }
        })
        .unwrap();
    let told = Rc::new(RefCell::new(Vec::new()));
    let failures = Rc::clone(&told);
    lp.on_failure(move |failure| failures.borrow_mut().push(failure.message().to_owned()));
    let sender = bus.clone();
    let thread = thread::spawn(move || {
        for number in 1..=4 {
            assert_eq!(sender.emit(Clicked(number)).report().queued(), 1);
        }
    });
    lp.run_forever().unwrap();
    thread.join().unwrap();
    assert_eq!(*heard.borrow(), [(1, 1), (2, 2), (3, 3), (4, 4)]);
    assert_eq!(*told.borrow(), ["told, and the next one comes"]);
    bus.emit(Clicked(5));
    drop(subscription);
    assert_eq!(bus.emit(Clicked(6)).report().queued(), 0);
    lp.run_until_idle().unwrap();
    assert_eq!(heard.borrow().len(), 4);
}

#[test]
fn a_closed_loop_hears_nothing_and_the_emission_goes_on() {
    #[event]
    struct Late;

    let bus = Bus::empty();
    let lp = EventLoop::virtual_time();
    let _subscription = lp.on(&bus, |_: &Late| ()).unwrap();
    lp.close().unwrap();
    let report = bus.emit(Late).report();
    assert_eq!((report.queued(), report.failures().len()), (0, 0));
}

#[event]
struct Never;

const WAIT: Duration = Duration::from_millis(300);

/// Stops a loop in the background and waits for its end.
fn end(remote: &Remote) {
    let (send, ended) = channel();
    let says = Says(send);
    let keeps = move |_: &EventLoop| async move {
        let _says = says;
        std::future::pending::<()>().await;
    };
    remote.spawn(keeps).unwrap();
    remote.stop();
    ended.recv_timeout(Duration::from_secs(30)).unwrap();
    assert!(remote.is_closed());
}

#[test]
fn nothing_comes_early_a_wait_that_had_begun_goes_on_when_its_loop_is_closed() {
    let remote = EventLoop::background().unwrap();
    let (bus, _seen) = bus(remote.clone());
    let begun = Instant::now();
    let next = bus.next::<Never>().within(WAIT);
    let (send, ended) = channel();
    thread::spawn(move || {
        let is_late = futures::executor::block_on(next).is_err();
        send.send((is_late, begun.elapsed()))
    });
    // Whether the timer was set before the loop ended or the wait finds it closed.
    remote.stop();
    let (is_late, took) = ended.recv_timeout(Duration::from_secs(30)).unwrap();
    assert!(is_late && took >= WAIT, "{took:?}");
}

#[test]
fn nothing_comes_early_that_waits_for_the_timer_of_a_loop_that_is_closed() {
    let remote = EventLoop::background().unwrap();
    let begun = Instant::now();
    let mut sleep = remote.sleep_until(begun + WAIT);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(sleep.as_mut().poll(&mut cx).is_pending());
    end(&remote);
    futures::executor::block_on(sleep);
    assert!(begun.elapsed() >= WAIT);
}

#[test]
fn nothing_comes_early_after_the_end_of_a_loop() {
    let remote = EventLoop::background().unwrap();
    let (bus, _seen) = bus(remote.clone());
    end(&remote);
    let begun = Instant::now();
    futures::executor::block_on(bus.sleep(WAIT));
    assert!(begun.elapsed() >= WAIT);
}

#[test]
fn a_virtual_clock_goes_on_with_the_real_one_once_its_loop_is_closed() {
    let lp = EventLoop::virtual_time();
    let remote = lp.remote();
    lp.run_for(Duration::from_secs(3600)).unwrap();
    lp.close().unwrap();
    let at = remote.now() + WAIT;
    assert!(at >= lp.time() + WAIT);
    futures::executor::block_on(remote.sleep_until(at));
    assert!(remote.now() >= at && lp.is_closed());
    assert_eq!(lp.elapsed(), Duration::from_secs(3600));
}

#[event]
struct Charged;

static TRIES: Mutex<Vec<Instant>> = Mutex::new(Vec::new());

#[listener(queue = 8, retry = 1, backoff = "300ms..300ms")]
fn charge(_: &Charged) -> Result<(), &'static str> {
    let mut tries = TRIES.lock().unwrap();
    tries.push(Instant::now());
    if tries.len() < 2 { Err("down") } else { Ok(()) }
}

#[test]
fn nothing_comes_early_a_retry_keeps_its_backoff_after_the_end_of_the_loop() {
    let remote = EventLoop::background().unwrap();
    let (bus, _seen) = bus(remote.clone());
    end(&remote);
    assert_eq!(bus.emit(Charged).report().queued(), 1);
    let left = bus.shutdown_blocking(Duration::from_secs(30));
    assert!(left.unwrap().is_clean());
    let tries = TRIES.lock().unwrap();
    assert_eq!(tries.len(), 2);
    assert!(tries[1] - tries[0] >= WAIT);
}

#[test]
fn waits_that_other_threads_drop_leave_no_timer() {
    let lp = EventLoop::new().unwrap();
    let remote = lp.remote();
    let drops = thread::spawn(move || {
        for _ in 0..20_000 {
            let far = remote.now() + Duration::from_secs(10_000);
            let mut sleep = remote.sleep_until(far);
            let polled = sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
        }
        remote.stop();
    });
    lp.run_forever().unwrap();
    drops.join().unwrap();
    lp.run_until_idle().unwrap();
    assert_eq!(lp.timer_count(), 0);
}
