//! A worker begins and ends calls while its bus gives up: each delivery is begun or not, and never both.
#![cfg(tidings_loom)]

#[path = "../../../../event-core/src/delivery/runs.rs"]
mod runs;
#[path = "../../../../event-core/src/sync.rs"]
#[allow(dead_code, unused_imports, reason = "not everything is needed here")]
mod sync;

use std::time::Instant;

use loom::thread;
use runs::Runs;
use sync::Arc;

#[test]
fn what_begins_is_counted_before_the_bus_gives_up_or_does_not_begin() {
    loom::model(|| {
        let runs = Arc::new(Runs::new());
        let theirs = Arc::clone(&runs);
        let worker = thread::spawn(move || {
            let now = Instant::now();
            let first = theirs.begin(now, 2, false)?;
            drop(first);
            let second = theirs.begin(now, 1, false)?;
            Some(second.is_given_up())
        });
        let begun = runs.give_up().expect("it is the first time");
        let second = worker.join().unwrap();

        assert_eq!(begun.between, 0);
        match second {
            // It began nothing, or only what had ended or ran when the bus gave up.
            None => assert!(matches!(
                (begun.ever, begun.running.len()),
                (0, 0) | (2, 0 | 2)
            )),
            Some(given_up) => {
                assert!(matches!((begun.ever, begun.running.len()), (3, 0 | 1)));
                assert!(!given_up || begun.ever == 3);
            }
        }
        assert!(runs.give_up().is_none());
    });
}

#[test]
fn what_is_to_be_tried_again_runs_or_is_counted_as_between() {
    loom::model(|| {
        let runs = Arc::new(Runs::new());
        let theirs = Arc::clone(&runs);
        let worker = thread::spawn(move || {
            let now = Instant::now();
            let first = theirs.begin(now, 2, false).ok_or("not begun")?;
            if !first.end_for_now() {
                return Err("given up while it ran");
            }
            let again = theirs.begin(now, 2, true).ok_or("given up between")?;
            drop(again);
            Ok(())
        });
        let begun = runs.give_up().expect("it is the first time");
        let found = (begun.ever, begun.between, begun.running.len());
        match worker.join().unwrap() {
            Err("not begun") => assert_eq!(found, (0, 0, 0)),
            Err("given up while it ran") => assert_eq!(found, (2, 0, 2)),
            Err("given up between") => assert_eq!(found, (2, 2, 0)),
            Err(other) => panic!("{other}"),
            Ok(()) => assert!(matches!(found, (2, 0, 0 | 2))),
        }
    });
}
