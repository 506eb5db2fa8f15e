//! L8: the crate compiles under its lints; here it runs.

use std::sync::Arc;

use lints::events::{Closed, Confirm, GetPage, Paid, Placed};
use lints::listeners::Log;
use lints::methods::Counter;
use tidings::Bus;

#[test]
fn l8_the_listeners_of_the_strict_crate_run() {
    let bus = Bus::builder()
        .state(Log::default())
        .build()
        .expect("all state is given")
        .install()
        .expect("no other test installs one");
    let counter = Arc::new(Counter::default());
    let _attached = bus
        .attach(Arc::clone(&counter))
        .expect("the methods need nothing");

    let placed = Placed {
        total: 100,
        system: String::new(),
    };
    let report = bus.emit(placed).report();
    assert_eq!((report.ran(), report.failed()), (3, 0));

    let report = futures::executor::block_on(lints::emissions::wait(&bus));
    assert_eq!(report.failed(), 0);
    assert!(lints::emissions::result(&bus).is_ok());
    lints::emissions::forget(&bus);
    assert!(lints::emissions::report(&bus).heard());

    assert!(counter.heard() > 0);
    let topics: Vec<_> = tidings::catalog()
        .events()
        .iter()
        .map(|event| event.topic())
        .collect();
    assert!(topics.contains(&"hidden") && topics.contains(&"ordered"));
    assert!(bus.emit(Closed).report().heard() && bus.emit(Paid(1)).report().heard());

    assert_eq!(
        bus.request(GetPage(7)).now().expect("it is answered"),
        Ok(vec![7])
    );
    assert!(futures::executor::block_on(bus.request(Confirm)).is_ok());
}
