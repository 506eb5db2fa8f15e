//! Emissions in the destructors of a thread's own values, when other values of the thread are gone.

use std::sync::atomic::{AtomicUsize, Ordering};

use tidings::{emit, event, listener};

#[event]
struct Left;

static HEARD: AtomicUsize = AtomicUsize::new(0);

#[listener]
fn count(_: &Left) {
    HEARD.fetch_add(1, Ordering::SeqCst);
}

/// Does something when its thread ends.
struct AtEnd(fn());

impl Drop for AtEnd {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn a_destructor_of_a_thread_may_emit() {
    thread_local! {
        static LAST: AtEnd = const { AtEnd(|| { emit(Left); }) };
    }
    let thread = std::thread::spawn(|| {
        LAST.with(|_| ());
        emit(Left);
    });
    thread.join().expect("it ends");
    assert_eq!(HEARD.load(Ordering::SeqCst), 2);
}

#[cfg(feature = "test")]
#[test]
fn a_destructor_of_a_thread_may_have_a_bus_of_its_own() {
    use tidings::test::TestBus;

    fn hears() {
        let bus = TestBus::builder().stub(|_: &Left| ()).build();
        bus.emit(Left);
        bus.settle_blocking().emitted::<Left>().once();
        ENDED.fetch_add(1, Ordering::SeqCst);
    }
    static ENDED: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static LAST: AtEnd = const { AtEnd(hears) };
    }
    let thread = std::thread::spawn(|| {
        LAST.with(|_| ());
        hears();
    });
    thread.join().expect("it ends");
    assert_eq!(ENDED.load(Ordering::SeqCst), 2);
}
