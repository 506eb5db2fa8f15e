//! L8: a renamed dependency.

use std::sync::atomic::Ordering;
use std::sync::Arc;

use alias::{Counts, Mailer, Page, Placed};
use evt::Bus;

evt::link!(alias);

#[test]
fn l8_the_listeners_of_a_renamed_library_run() {
    let counts = Arc::new(Counts::default());
    let mailer = Arc::new(Mailer::default());
    let bus = Bus::builder()
        .state(Arc::clone(&counts))
        .build()
        .expect("all state is given");
    let _attached = bus
        .attach(Arc::clone(&mailer))
        .expect("the methods need nothing");

    let report = futures::executor::block_on(async { bus.emit(Placed { total: 2 }).await });
    assert_eq!((report.ran(), report.failed()), (3, 0));
    assert_eq!(bus.emit(Page(vec![1_u8])).report().ran(), 3);
    let by_name = bus
        .emit_json("alias.placed", r#"{"total": 1}"#)
        .expect("the payload fits");
    assert_eq!(
        (by_name.report().skipped(), mailer.0.load(Ordering::Relaxed)),
        (1, 2)
    );

    assert_eq!(counts.charged.load(Ordering::Relaxed), 1);
    assert_eq!(counts.audited.load(Ordering::Relaxed), 4);
    assert_eq!(counts.wired.load(Ordering::Relaxed), 1);
}
