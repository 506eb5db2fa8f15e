//! Installing, uninstalling and the default bus at once: every interleaving that loom finds, over the core's own `place.rs`.
#![cfg(tidings_loom)]

#[path = "../../../../event-core/src/bus/place.rs"]
mod place;
#[allow(unused_imports, reason = "the place needs no atomics")]
#[path = "../../../../event-core/src/sync.rs"]
mod sync;

use loom::thread;
use place::{Place, Refused};
use sync::Arc;

/// What the free `emit` does: the installed bus, else the claim; `None` stands for the default bus.
fn current(place: &Place<u32>) -> Option<u32> {
    let installed = place.installed();
    match &**installed {
        Some(bus) => Some(**bus),
        None => place.claim_default().map(|bus| *bus),
    }
}

#[test]
fn d7_of_two_installations_at_once_one_is_refused() {
    loom::model(|| {
        let place = Arc::new(Place::new());
        let theirs = Arc::clone(&place);
        let other = thread::spawn(move || theirs.install(Arc::new(1)));

        let mine = place.install(Arc::new(2));

        let winner = match (mine, other.join().unwrap()) {
            (Ok(()), Err(Refused::AlreadyInstalled)) => 2,
            (Err(Refused::AlreadyInstalled), Ok(())) => 1,
            both => panic!("{both:?}"),
        };
        assert_eq!(current(&place), Some(winner));
    });
}

#[test]
fn d7_an_installation_beside_the_first_emit_wins_or_is_refused() {
    loom::model(|| {
        let place = Arc::new(Place::new());
        let theirs = Arc::clone(&place);
        let other = thread::spawn(move || current(&theirs));

        let installed = place.install(Arc::new(1));

        match (installed, other.join().unwrap()) {
            (Ok(()), Some(1)) => assert_eq!(current(&place), Some(1)),
            (Err(Refused::AlreadyInUse), None) => assert_eq!(current(&place), None),
            both => panic!("an event went to one bus while the program uses another: {both:?}"),
        }
    });
}

#[test]
fn d7_every_emit_before_any_installation_agrees_on_the_default() {
    loom::model(|| {
        let place = Arc::new(Place::new());
        let theirs = Arc::clone(&place);
        let other = thread::spawn(move || current(&theirs));

        assert_eq!(current(&place), None);
        assert_eq!(other.join().unwrap(), None);
        assert_eq!(place.install(Arc::new(1)), Err(Refused::AlreadyInUse));
    });
}

#[test]
fn d7_an_emit_beside_an_uninstallation_sees_the_bus_or_the_free_place() {
    loom::model(|| {
        let place = Arc::new(Place::new());
        place.install(Arc::new(1)).unwrap();
        let theirs = Arc::clone(&place);
        let other = thread::spawn(move || current(&theirs));

        let taken = place.uninstall();

        assert_eq!(Option::clone(&taken).map(|bus| *bus), Some(1));
        match other.join().unwrap() {
            Some(1) => assert_eq!(place.install(Arc::new(2)), Ok(())),
            None => assert_eq!(place.install(Arc::new(2)), Err(Refused::AlreadyInUse)),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn d7_a_place_that_is_freed_can_be_taken_again_while_others_read() {
    loom::model(|| {
        let place = Arc::new(Place::new());
        place.install(Arc::new(1)).unwrap();
        let theirs = Arc::clone(&place);
        let reader = thread::spawn(move || theirs.installed().as_ref().as_ref().map(|bus| **bus));

        drop(place.uninstall());
        place.install(Arc::new(2)).unwrap();

        let seen = reader.join().unwrap();
        assert!(matches!(seen, Some(1 | 2) | None), "{seen:?}");
        assert_eq!(current(&place), Some(2));
    });
}
