//! Turns of an async listener, asked for, waited for and given back at once.
#![cfg(tidings_loom)]

#[path = "../../../../event-core/src/delivery/flights.rs"]
#[allow(dead_code, reason = "not everything is needed here")]
mod flights;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "public in the core, and not everything is needed here"
)]
#[path = "../../../../event-core/src/listener"]
mod listener {
    pub(crate) mod policy;
    pub(crate) mod timed;
}
#[path = "../../../../event-core/src/sync.rs"]
#[allow(dead_code, reason = "not everything is needed here")]
mod sync;

use std::future::poll_fn;
use std::time::Instant;

use flights::{Admission, Flights, Say, Turn};
use listener::policy::{Overlap, Policy};
use loom::future::block_on;
use loom::thread;
use sync::Arc;
use sync::atomic::{AtomicUsize, Ordering};

fn flights(overlap: Overlap) -> Arc<Flights<()>> {
    Arc::new(Flights::new(
        Policy::asynchronous().limit(1).overlap(overlap),
    ))
}

fn admit(flights: &Arc<Flights<()>>) -> Turn<()> {
    match Flights::admit(flights, Instant::now(), true) {
        Admission::Turn(turn) => turn,
        Admission::Skipped | Admission::Overloaded => panic!("who may wait is not refused"),
    }
}

fn wait(turn: &mut Turn<()>) -> Say {
    block_on(poll_fn(|cx| turn.poll(Instant::now, cx)))
}

fn take_a_turn(flights: &Arc<Flights<()>>, inside: &AtomicUsize) {
    let mut turn = admit(flights);
    assert_eq!(wait(&mut turn), Say::Go);
    assert_eq!(inside.fetch_add(1, Ordering::AcqRel), 0);
    inside.fetch_sub(1, Ordering::AcqRel);
    drop(turn);
}

/// Two ask at once; each has its turn, and never both.
fn two_take_turns(overlap: Overlap) {
    loom::model(move || {
        let (flights, inside) = (flights(overlap), Arc::new(AtomicUsize::new(0)));
        let (other, theirs) = (Arc::clone(&flights), Arc::clone(&inside));
        let thread = thread::spawn(move || take_a_turn(&other, &theirs));
        take_a_turn(&flights, &inside);
        thread.join().unwrap();
    });
}

#[test]
fn d6_the_limit_is_never_exceeded_and_nobody_waits_for_ever() {
    two_take_turns(Overlap::Parallel);
}

#[test]
fn d6_serial_deliveries_never_overlap() {
    two_take_turns(Overlap::Serial);
}

#[test]
fn d6_one_who_gives_up_waiting_does_not_take_the_turn_with_him() {
    loom::model(|| {
        let flights = flights(Overlap::Serial);
        let (first, second) = (admit(&flights), admit(&flights));
        let mut third = admit(&flights);
        let threads = [first, second].map(|turn| thread::spawn(move || drop(turn)));
        assert_eq!(wait(&mut third), Say::Go);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn d6_a_superseded_delivery_is_told_wherever_it_is() {
    loom::model(|| {
        let flights = flights(Overlap::Latest);
        let mut first = admit(&flights);
        let theirs = Arc::clone(&flights);
        let thread = thread::spawn(move || {
            let mut newest = admit(&theirs);
            assert_eq!(wait(&mut newest), Say::Go);
        });
        // A running delivery is polled again only when it is woken.
        block_on(poll_fn(|cx| match first.poll(Instant::now, cx) {
            std::task::Poll::Ready(Say::Superseded) => std::task::Poll::Ready(()),
            _ => std::task::Poll::Pending,
        }));
        drop(first);
        thread.join().unwrap();
    });
}

#[test]
fn who_waits_is_told_when_everything_is_given_up() {
    loom::model(|| {
        let flights = flights(Overlap::Serial);
        let first = admit(&flights);
        let mut second = admit(&flights);
        let theirs = Arc::clone(&flights);
        let thread = thread::spawn(move || theirs.give_up().waiting);
        assert_eq!(wait(&mut second), Say::GivenUp);
        assert_eq!(thread.join().unwrap(), 1);
        drop((first, second));
    });
}

#[test]
fn who_runs_is_woken_when_everything_is_given_up() {
    loom::model(|| {
        let flights = flights(Overlap::Serial);
        let mut turn = admit(&flights);
        let theirs = Arc::clone(&flights);
        let thread = thread::spawn(move || theirs.give_up().running.len());
        block_on(poll_fn(|cx| {
            let said = match turn.poll(Instant::now, cx) {
                std::task::Poll::Ready(Say::Go) => turn.goes_on_in(cx.waker()),
                std::task::Poll::Ready(said) => said,
                std::task::Poll::Pending => return std::task::Poll::Pending,
            };
            match said {
                Say::GivenUp => std::task::Poll::Ready(()),
                _ => std::task::Poll::Pending,
            }
        }));
        assert_eq!(thread.join().unwrap(), 1);
        drop(turn);
    });
}
