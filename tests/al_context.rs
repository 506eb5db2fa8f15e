//! What a scheduled item takes along.
#![cfg(feature = "runtime")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidings::{Bus, EventLoop, event, listener};

#[test]
fn al46_the_bus_of_the_scheduling_is_current_in_the_callback() {
    #[event]
    struct Asked;

    #[listener]
    fn ask(_: &Asked) {
        let lp = EventLoop::current().unwrap();
        lp.call_soon(|_| drop(tidings::emit(Answered("callback"))))
            .unwrap();
        lp.emit_later(Duration::from_millis(1), Answered("timer"))
            .unwrap();
        lp.spawn(async { drop(tidings::emit(Answered("task"))) })
            .unwrap()
            .detach();
    }

    #[event]
    struct Answered(&'static str);

    #[listener]
    fn answered(e: &Answered, heard: &Mutex<Vec<&'static str>>) {
        heard.lock().unwrap().push(e.0);
    }

    let heard = Arc::<Mutex<Vec<&'static str>>>::default();
    let bus = Bus::builder().state(Arc::clone(&heard));
    let lp = EventLoop::virtual_time();
    let bus = bus.runtime(lp.remote()).build().unwrap();
    let _entered = lp.enter();
    bus.emit(Asked);
    lp.run_until_idle().unwrap();
    assert_eq!(*heard.lock().unwrap(), ["callback", "task", "timer"]);
}
