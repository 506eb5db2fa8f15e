//! Subscribing, unsubscribing and emitting at once: every interleaving that loom finds, over the core's own `overlay.rs`.
#![cfg(tidings_loom)]

#[allow(
    dead_code,
    reason = "which of the inline loops runs is nothing that threads share"
)]
#[path = "../../../../event-core/src/bus/overlay.rs"]
mod overlay;
#[path = "../../../../event-core/src/sync.rs"]
mod sync;

use loom::thread;
use overlay::{FULL, Flag, INLINE, NOBODY, Overlay};
use sync::atomic::{AtomicBool, AtomicU32, Ordering};
use sync::{Arc, Mutex, lock};

/// One event of a bus: its flag, its list and the bus's writers' lock.
struct Event<T> {
    flag: Flag,
    overlay: Overlay<T>,
    writers: Mutex<()>,
}

impl<T> Event<T> {
    fn new(linked: u8) -> Arc<Self> {
        Arc::new(Self {
            flag: Flag::new(linked),
            overlay: Overlay::new(),
            writers: Mutex::new(()),
        })
    }

    fn push(&self, item: T) {
        let writers = lock(&self.writers);
        self.overlay.push(item, &self.flag);
        drop(writers);
    }

    fn remove(&self, gone: impl Fn(&T) -> bool) {
        let writers = lock(&self.writers);
        let old = self.overlay.remove(gone, &self.flag);
        drop(writers);
        drop(old);
    }

    /// What an emission does: the list is looked at only if the flag says so.
    fn emit(&self, mut heard: impl FnMut(&T)) {
        if self.flag.mode() == FULL {
            let now = self.overlay.of_now(&self.flag);
            now.iter()
                .flat_map(|now| now.iter())
                .for_each(|item| heard(item));
        }
    }
}

impl Event<u32> {
    fn heard(&self) -> Vec<u32> {
        let mut heard = Vec::new();
        self.emit(|item| heard.push(*item));
        heard
    }
}

#[test]
fn o3_an_emission_that_happens_after_a_subscription_reaches_it() {
    loom::model(|| {
        let (event, subscribed) = (Event::new(NOBODY), Arc::new(AtomicBool::new(false)));
        let (theirs, tell) = (Arc::clone(&event), Arc::clone(&subscribed));
        let writer = thread::spawn(move || {
            theirs.push(1);
            tell.store(true, Ordering::Release);
        });

        let after = subscribed.load(Ordering::Acquire);
        let heard = event.heard();

        assert!(!after || heard == [1], "{heard:?}");
        writer.join().unwrap();
        assert_eq!(event.heard(), [1]);
    });
}

#[test]
fn o3_an_emission_that_happens_after_an_unsubscription_does_not_reach_it() {
    loom::model(|| {
        let (event, gone) = (Event::new(INLINE), Arc::new(AtomicBool::new(false)));
        event.push(1);
        let (theirs, tell) = (Arc::clone(&event), Arc::clone(&gone));
        let writer = thread::spawn(move || {
            theirs.remove(|item| *item == 1);
            tell.store(true, Ordering::Release);
        });

        let after = gone.load(Ordering::Acquire);
        let heard = event.heard();

        assert!(!after || heard.is_empty(), "{heard:?}");
        writer.join().unwrap();
        assert!(event.heard().is_empty());
        assert_eq!(event.flag.mode(), INLINE);
    });
}

#[test]
fn o3_an_emission_that_runs_meanwhile_sees_the_old_list_or_the_new_one() {
    loom::model(|| {
        let event = Event::new(NOBODY);
        event.push(1);
        event.push(2);
        let theirs = Arc::clone(&event);
        let writer = thread::spawn(move || {
            theirs.remove(|item| *item == 1);
            theirs.push(3);
        });

        let heard = event.heard();

        let whole: [&[u32]; 3] = [&[1, 2], &[2], &[2, 3]];
        assert!(whole.contains(&&*heard), "{heard:?}");
        writer.join().unwrap();
        assert_eq!(event.heard(), [2, 3]);
    });
}

#[test]
fn o3_two_writers_lose_nothing_and_the_flag_fits_the_list() {
    loom::model(|| {
        let event = Event::new(NOBODY);
        event.push(1);
        let theirs = Arc::clone(&event);
        let writer = thread::spawn(move || theirs.remove(|item| *item == 1));

        event.push(2);

        writer.join().unwrap();
        assert_eq!(event.flag.mode(), FULL);
        assert_eq!(event.heard(), [2]);
        event.remove(|item| *item == 2);
        assert_eq!(event.flag.mode(), NOBODY);
    });
}

#[test]
fn s3_a_listener_that_is_taken_out_lives_until_the_emission_that_runs_it_ends() {
    struct Closure(Arc<AtomicBool>);
    impl Drop for Closure {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }
    loom::model(|| {
        let (event, dropped) = (Event::new(NOBODY), Arc::new(AtomicBool::new(false)));
        event.push(Closure(Arc::clone(&dropped)));
        let theirs = Arc::clone(&event);
        let writer = thread::spawn(move || theirs.remove(|_| true));

        event.emit(|closure| {
            assert!(
                !closure.0.load(Ordering::Acquire),
                "it runs and is dropped already"
            )
        });

        writer.join().unwrap();
        assert!(
            dropped.load(Ordering::Acquire),
            "nobody holds the list any more"
        );
    });
}

/// The cell of `Bus::once`: whoever takes the function calls it.
struct Once<F>(Mutex<Option<F>>);

/// Emits to a `once` listener, which takes itself out before it calls; says how often it called.
fn emit_once<F: FnOnce()>(event: &Event<Once<F>>) -> u32 {
    let mut ran = 0;
    event.emit(|once| {
        let Some(call) = lock(&once.0).take() else {
            return;
        };
        event.remove(|_| true);
        call();
        ran += 1;
    });
    ran
}

#[test]
fn s3_of_two_emissions_at_once_one_is_heard_by_a_once_listener() {
    loom::model(|| {
        let (event, calls) = (Event::new(NOBODY), Arc::new(AtomicU32::new(0)));
        let counted = Arc::clone(&calls);
        let call = move || {
            counted.fetch_add(1, Ordering::Relaxed);
        };
        event.push(Once(Mutex::new(Some(call))));
        let theirs = Arc::clone(&event);
        let other = thread::spawn(move || emit_once(&theirs));

        let mine = emit_once(&event);

        assert_eq!(mine + other.join().unwrap(), 1);
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert_eq!(event.flag.mode(), NOBODY);
    });
}
