//! S6: an integration test registers its own events and listeners, and each test builds its own bus.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tidings::{Bus, catalog, event, listener};

#[event]
struct Rang;

#[listener]
fn count(_: &Rang, rings: &AtomicU32) {
    rings.fetch_add(1, Ordering::Relaxed);
}

mod nested {
    pub(crate) mod module {
        #[tidings::listener(early)]
        pub(crate) fn open(_: &crate::Rang) {}
    }
}

const _: () = {
    #[listener(late)]
    fn in_a_constant(_: &Rang) {}
};

#[cfg(any())]
#[listener]
fn configured_out(_: &Rang) {}

macro_rules! bell {
    ($name:ident) => {
        #[listener]
        fn $name(_: &Rang) {}
    };
}

bell!(by_macro);

#[test]
fn s6_listeners_of_modules_constants_and_macros_are_linked() {
    let ids: Vec<_> = catalog()
        .listeners()
        .iter()
        .map(tidings::ListenerInfo::id)
        .collect();

    assert_eq!(
        ids,
        [
            "s_registration::nested::module::open",
            "s_registration::count",
            "s_registration::by_macro",
            "s_registration::in_a_constant",
        ]
    );
}

#[test]
fn s6_buses_of_parallel_tests_share_nothing() {
    let counts = std::thread::scope(|scope| {
        let run = |times: u32| {
            let rings = Arc::new(AtomicU32::new(0));
            let bus = Bus::builder().state(Arc::clone(&rings)).build().unwrap();
            (0..times).for_each(|_| drop(bus.emit(Rang)));
            rings.load(Ordering::Relaxed)
        };
        let threads: Vec<_> = (1..=8).map(|n| scope.spawn(move || run(n * 100))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>()
    });

    assert_eq!(counts, [100, 200, 300, 400, 500, 600, 700, 800]);
}

#[test]
fn s6_a_listener_is_a_plain_function_that_a_test_calls() {
    let rings = AtomicU32::new(0);

    count(&Rang, &rings);

    assert_eq!(rings.into_inner(), 1);
}
