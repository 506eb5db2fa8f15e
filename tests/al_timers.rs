//! The loop's timers.
#![cfg(feature = "runtime")]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tidings::event_loop::{EventLoop, Handle, Missed};

const MS: Duration = Duration::from_millis(1);

#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<(u32, Duration)>>>);

impl Log {
    fn writes(&self, number: u32) -> impl FnOnce(&EventLoop) + 'static {
        let log = self.clone();
        move |lp| log.0.borrow_mut().push((number, lp.elapsed()))
    }

    fn numbers(&self) -> Vec<u32> {
        self.0.borrow().iter().map(|(number, _)| *number).collect()
    }
}

/// Until the clock has moved.
fn spin(lp: &EventLoop) {
    let begun = lp.time();
    while lp.time() == begun {
        std::hint::spin_loop();
    }
}

#[test]
fn turn_time_is_that_of_the_turn_also_on_a_loop_without_timers() {
    let lp = EventLoop::new().unwrap();
    lp.on_failure(|failure| panic!("{failure}"));
    let times = Rc::new(RefCell::new(Vec::new()));
    for _ in 0..2 {
        spin(&lp);
        let before = lp.time();
        for _ in 0..2 {
            let times = Rc::clone(&times);
            lp.call_soon(move |lp| {
                times.borrow_mut().push((before, lp.turn_time()));
                spin(lp);
            })
            .unwrap();
        }
        lp.run_until_idle().unwrap();
    }
    let times = times.take();
    assert_eq!(times.len(), 4);
    assert!(times.iter().all(|(before, turn)| turn >= before));
    assert_eq!((times[0], times[2]), (times[1], times[3]));
}

#[test]
fn al16_the_time_never_goes_back_and_goes_on_inside_a_callback() {
    let lp = EventLoop::new().unwrap();
    lp.call_soon(|lp| {
        let begun = lp.time();
        while lp.time() == begun {
            std::hint::spin_loop();
        }
        assert!(lp.time() > begun);
    })
    .unwrap();
    lp.on_failure(|failure| panic!("{failure}"));
    lp.run_until_idle().unwrap();
}

#[test]
fn al17_no_timer_is_early() {
    for lp in [
        EventLoop::virtual_time(),
        EventLoop::new().unwrap(),
        EventLoop::builder().without_io().build().unwrap(),
    ] {
        let early = Rc::new(RefCell::new(Vec::new()));
        for micros in (0..3000).step_by(37) {
            let at = lp.time() + Duration::from_micros(micros);
            let early = Rc::clone(&early);
            lp.call_at(at, move |lp| {
                if lp.time() < at {
                    early.borrow_mut().push(micros);
                }
            })
            .unwrap();
        }
        lp.run_until_idle().unwrap();
        assert_eq!(*early.borrow(), [0; 0]);
    }
}

#[test]
fn al18_short_sleeps_take_few_turns() {
    let lp = EventLoop::new().unwrap();
    lp.call_later(MS / 10, |_| ()).unwrap();
    let mut turns = 0;
    while lp.timer_count() > 0 {
        lp.turn(Duration::from_secs(1)).unwrap();
        turns += 1;
    }
    assert!(turns <= 2, "{turns} turns");
}

#[test]
fn al19_what_is_past_comes_in_the_next_turn_ordered_by_deadline() {
    let lp = EventLoop::virtual_time();
    let begun = lp.time();
    lp.run_for(Duration::from_secs(10)).unwrap();
    let log = Log::default();
    let now = lp.time();
    lp.call_at(begun + Duration::from_secs(9), log.writes(2))
        .unwrap();
    lp.call_at(begun + Duration::from_secs(5), log.writes(1))
        .unwrap();
    lp.call_at(now, log.writes(3)).unwrap();
    assert_eq!(lp.turn(Duration::ZERO).unwrap().ran, 3);
    assert_eq!(log.numbers(), [1, 2, 3]);
}

#[test]
fn al20_timers_of_one_time_come_in_the_order_in_which_they_were_set() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let at = lp.time() + MS;
    for number in 0..100 {
        lp.call_at(at, log.writes(number)).unwrap();
    }
    lp.run_until_idle().unwrap();
    assert_eq!(log.numbers(), (0..100).collect::<Vec<_>>());
}

#[test]
fn al21_a_delay_of_zero_comes_after_what_is_queued_and_before_what_that_queues() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let inner = log.clone();
    lp.call_soon(move |lp| {
        let deeper = inner.clone();
        lp.call_soon(move |lp| {
            let late = deeper.writes(4);
            deeper.writes(2)(lp);
            lp.call_soon(late).unwrap();
        })
        .unwrap();
        lp.call_later(Duration::ZERO, inner.writes(3)).unwrap();
        inner.writes(1)(lp);
    })
    .unwrap();
    lp.run_until_idle().unwrap();
    assert_eq!(log.numbers(), [1, 2, 3, 4]);
}

#[test]
fn al22_delays_that_no_clock_reaches_are_legal() {
    for lp in [EventLoop::virtual_time(), EventLoop::new().unwrap()] {
        let never = lp.call_later(Duration::MAX, |_| ()).unwrap();
        let far = lp.call_later(Duration::from_secs(1 << 40), |_| ()).unwrap();
        let log = Log::default();
        lp.call_later(MS, log.writes(1)).unwrap();
        lp.run_for(MS * 2).unwrap();
        assert_eq!(log.numbers(), [1]);
        assert!(never.when() > far.when() && never.is_pending() && far.is_pending());
    }
}

#[test]
fn al23_when_says_the_same_after_the_fire_and_after_the_cancel() {
    let lp = EventLoop::virtual_time();
    let at = lp.time() + MS;
    let fired = lp.call_at(at, |_| ()).unwrap();
    let cancelled = lp.call_at(at, |_| ()).unwrap();
    cancelled.cancel();
    lp.run_until_idle().unwrap();
    assert_eq!((fired.when(), cancelled.when()), (Some(at), Some(at)));
    assert_eq!(lp.call_soon(|_| ()).unwrap().when(), None);
}

#[test]
fn al24_cancel_drops_at_once_and_stops_also_what_is_in_this_batch() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let captured = Rc::new(());
    let held = Rc::clone(&captured);
    let timer = lp.call_later(MS, move |_| drop(held)).unwrap();
    assert!(timer.cancel());
    assert_eq!(Rc::strong_count(&captured), 1);
    assert!(!timer.cancel());

    let victim = Rc::new(RefCell::new(None));
    let shared = Rc::clone(&victim);
    lp.call_soon(move |_| {
        let handle: Option<tidings::event_loop::Handle> = shared.take();
        assert!(handle.is_some_and(|handle| handle.cancel()));
    })
    .unwrap();
    *victim.borrow_mut() = Some(lp.call_soon(log.writes(1)).unwrap());
    lp.run_until_idle().unwrap();
    assert_eq!(log.numbers(), [0; 0]);
}

#[test]
fn al24_a_due_timer_can_be_cancelled_in_its_batch() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let victim = Rc::new(RefCell::new(None));
    let shared = Rc::clone(&victim);
    let at = lp.time() + MS;
    lp.call_at(at, move |_| {
        let handle: Option<tidings::event_loop::Handle> = shared.take();
        assert!(handle.is_some_and(|handle| handle.cancel()));
    })
    .unwrap();
    *victim.borrow_mut() = Some(lp.call_at(at, log.writes(1)).unwrap());
    lp.run_until_idle().unwrap();
    assert_eq!(log.numbers(), [0; 0]);
    assert_eq!(lp.timer_count(), 0);
}

#[test]
fn al25_cancelled_timers_do_not_pile_up() {
    let lp = EventLoop::virtual_time();
    let keeps: Vec<_> = (0..10)
        .map(|_| lp.call_later(MS * 100_000, |_| ()).unwrap())
        .collect();
    for _ in 0..1000 {
        for handle in (0..100)
            .map(|_| lp.call_later(MS * 1000, |_| ()).unwrap())
            .collect::<Vec<_>>()
        {
            handle.cancel();
        }
        lp.turn(Duration::ZERO).unwrap();
        assert!(lp.timer_places() <= 220, "{}", lp.timer_places());
    }
    assert_eq!(lp.timer_count(), keeps.len());
}

#[test]
fn al26_a_dropped_handle_takes_nothing_back_unless_it_is_scoped() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    drop(lp.call_later(MS, log.writes(1)).unwrap());
    drop(lp.call_later(MS, log.writes(2)).unwrap().scoped());
    lp.run_until_idle().unwrap();
    assert_eq!(log.numbers(), [1]);
}

#[test]
fn a_timer_can_be_put_off_and_called_forward() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let later = lp.call_later(MS * 10, log.writes(1)).unwrap();
    let sooner = lp.call_later(MS * 10, log.writes(2)).unwrap();
    assert!(later.reset(MS * 20) && sooner.reset(MS * 5));
    assert!(later.reset(MS * 30));
    lp.run_until_idle().unwrap();
    assert_eq!(*log.0.borrow(), [(2, MS * 5), (1, MS * 30)]);
    assert!(!later.reset(MS));
    assert_eq!(lp.timer_places(), 0);
}

#[test]
fn of_two_timers_at_one_time_the_one_that_was_reset_last_is_last() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let at = lp.time() + MS;
    let first = lp.call_at(at, log.writes(1)).unwrap();
    lp.call_at(at, log.writes(2)).unwrap();
    assert!(first.reset_at(at));
    lp.run_until_idle().unwrap();
    assert_eq!(log.numbers(), [2, 1]);
}

#[test]
fn a_periodic_callback_comes_until_it_is_cancelled_also_by_itself() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let own = Rc::new(RefCell::new(None));
    let (inner, handle) = (log.clone(), Rc::clone(&own));
    let mut number = 0;
    let periodic = lp.call_every(MS * 10, Missed::Skip, move |lp| {
        number += 1;
        inner.writes(number)(lp);
        if number == 3 {
            let handle: Option<tidings::event_loop::Handle> = handle.take();
            assert!(handle.is_some_and(|handle| handle.cancel()));
        }
    });
    *own.borrow_mut() = Some(periodic.unwrap());
    lp.run_until_idle().unwrap();
    assert_eq!(*log.0.borrow(), [(1, MS * 10), (2, MS * 20), (3, MS * 30)]);
    assert_eq!(lp.timer_places(), 0);
}

/// What comes out of `reset` when another timer of the same turn, before it, resets a periodic callback of 10 ms to each of these times in ms.
fn reset_when_due(
    lp: &EventLoop,
    log: &Log,
    delays: &'static [u32],
) -> (Rc<Handle>, Rc<RefCell<Vec<bool>>>) {
    let periodic: Rc<RefCell<Option<Rc<Handle>>>> = Rc::default();
    let was_set: Rc<RefCell<Vec<bool>>> = Rc::default();
    let (shared, told) = (Rc::clone(&periodic), Rc::clone(&was_set));
    lp.call_later(MS * 10, move |_| {
        let periodic = shared.take().unwrap();
        let reset = delays.iter().map(|delay| periodic.reset(MS * *delay));
        told.borrow_mut().extend(reset);
    })
    .unwrap();
    let (inner, mut number) = (log.clone(), 0);
    let every = lp.call_every(MS * 10, Missed::Skip, move |lp| {
        number += 1;
        inner.writes(number)(lp);
    });
    let every = Rc::new(every.unwrap());
    *periodic.borrow_mut() = Some(Rc::clone(&every));
    (every, was_set)
}

#[test]
fn a_periodic_callback_whose_time_has_come_can_be_reset_until_it_is_called() {
    let (lp, log) = (EventLoop::virtual_time(), Log::default());
    let (periodic, was_set) = reset_when_due(&lp, &log, &[25, 5]);
    lp.run_for(MS * 30).unwrap();
    assert_eq!(*was_set.borrow(), [true, true]);
    // Counted from the time that it was set to.
    assert_eq!(*log.0.borrow(), [(1, MS * 15), (2, MS * 25)]);
    assert_eq!(lp.timer_count(), 1);
    assert!(periodic.cancel());
    assert_eq!(lp.timer_count(), 0);
}

#[test]
fn a_periodic_callback_that_is_reset_to_now_is_called_once() {
    let (lp, log) = (EventLoop::virtual_time(), Log::default());
    let (_, was_set) = reset_when_due(&lp, &log, &[0]);
    lp.run_for(MS * 25).unwrap();
    assert_eq!(*was_set.borrow(), [true]);
    assert_eq!(*log.0.borrow(), [(1, MS * 10), (2, MS * 20)]);
}

#[test]
fn a_timer_at_the_end_of_time_does_not_keep_a_run_busy() {
    let lp = EventLoop::new().unwrap();
    let far = Instant::now() + Duration::from_secs(1 << 40);
    let handle = lp.call_at(far, |_| ()).unwrap();
    assert_eq!(lp.turn(MS).unwrap().ran, 0);
    assert!(handle.cancel());
    lp.run_until_idle().unwrap();
}
