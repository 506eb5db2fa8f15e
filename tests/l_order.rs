//! L5: phases and relations that hold, and ids.

use std::sync::{Arc, Mutex};

use tidings::{AnyEvent, Bus, ListenerSet, catalog, event, listener};

#[event("orders.placed")]
struct Placed;

type Log = Mutex<Vec<&'static str>>;

/// A listener that writes its name.
macro_rules! writes {
    ($name:ident $($args:tt)*) => {
        #[listener($($args)*)]
        fn $name(_: &Placed, log: &Log) {
            log.lock().unwrap().push(stringify!($name));
        }
    };
}

writes!(late_one late);
writes!(main_one);
writes!(early_one early);

writes!(last after = middle);
writes!(middle after = "order.first");
writes!(first id = "order.first");

writes!(behind_left_out after = left_out, before = "order.first");
writes!(left_out);

writes!(between after(first, left_out), before(middle, last));
writes!(twice after = first, after = middle);

#[listener("orders.**", before = first)]
fn audit(e: &AnyEvent<'_>, log: &Log) {
    assert!(e.is::<Placed>());
    log.lock().unwrap().push("audit");
}

writes!(after_associated after = Desk::open, before = read_later);

struct Desk;

#[tidings::listeners]
impl Desk {
    #[listener]
    fn open(_: &Placed, log: &Log) {
        log.lock().unwrap().push("open");
    }
}

#[listener]
async fn read_later(_: &Placed, log: &Log) {
    log.lock().unwrap().push("read_later");
}

mod warehouse {
    use super::{Log, Placed};

    #[tidings::listener(after = crate::last)]
    pub(crate) fn pack(_: &Placed, log: &Log) {
        log.lock().unwrap().push("pack");
    }

    #[tidings::listener(before = super::early_one, early)]
    pub(crate) fn lock(_: &Placed, log: &Log) {
        log.lock().unwrap().push("lock");
    }
}

/// The order in which the chosen listeners run.
fn order<M>(listeners: impl ListenerSet<M>) -> Vec<&'static str> {
    let log = Arc::new(Log::default());
    Bus::builder()
        .only(listeners)
        .state(Arc::clone(&log))
        .build()
        .unwrap()
        .emit(Placed);
    std::mem::take(&mut *log.lock().unwrap())
}

#[test]
fn l5_early_listeners_run_before_the_main_ones_and_late_ones_after() {
    assert_eq!(
        order((late_one, main_one, early_one)),
        ["early_one", "main_one", "late_one"]
    );
}

#[test]
fn l5_relations_by_path_and_by_id_hold_against_the_order_of_the_source() {
    assert_eq!(order((last, middle, first)), ["first", "middle", "last"]);
}

#[test]
fn l5_paths_lead_into_other_modules() {
    assert_eq!(
        order((warehouse::pack, last, early_one, warehouse::lock)),
        ["lock", "early_one", "last", "pack"]
    );
}

#[test]
fn l5_relations_name_associated_and_async_functions() {
    let log = Arc::new(Log::default());
    let builder = Bus::builder().only((read_later, after_associated, Desk::open));
    let bus = builder.state(Arc::clone(&log)).build().unwrap();

    let report = futures::executor::block_on(async { bus.emit(Placed).await });

    assert_eq!(report.ran(), 3);
    assert_eq!(
        *log.lock().unwrap(),
        ["open", "after_associated", "read_later"]
    );
}

#[test]
fn l5_several_relations_of_one_listener_hold_together() {
    assert_eq!(
        order((last, middle, first, left_out, between)),
        ["first", "left_out", "between", "middle", "last"]
    );
    assert_eq!(order((twice, middle, first)), ["first", "middle", "twice"]);
}

#[test]
fn l5_a_pattern_listener_is_ordered_against_a_typed_one() {
    assert_eq!(order((first, audit)), ["audit", "first"]);
}

#[test]
fn l5_a_relation_to_a_listener_that_the_bus_left_out_is_ignored() {
    assert_eq!(order((last, first)), ["last", "first"]);
    assert_eq!(
        order((behind_left_out, first)),
        ["behind_left_out", "first"]
    );
    assert_eq!(order((middle, last)), ["middle", "last"]);
}

#[test]
fn l5_all_relations_hold_at_once() {
    let all = order((
        (last, middle, first, left_out, between, twice),
        (
            behind_left_out,
            audit,
            warehouse::pack,
            warehouse::lock,
            early_one,
            late_one,
        ),
    ));

    let place = |name| all.iter().position(|other| *other == name).unwrap();
    let before = |a, b| assert!(place(a) < place(b), "{a} {b}: {all:?}");
    assert_eq!(all.len(), 12);
    before("audit", "first");
    before("left_out", "behind_left_out");
    before("behind_left_out", "first");
    before("first", "middle");
    before("middle", "last");
    before("first", "between");
    before("between", "middle");
    before("middle", "twice");
    before("last", "pack");
    assert_eq!(all[..2], ["lock", "early_one"]);
    assert_eq!(all[11], "late_one");
}

#[test]
fn l5_the_id_is_the_path_unless_it_is_given() {
    let id = |function| {
        let found = catalog()
            .listeners()
            .iter()
            .find(|listener| listener.function() == function);
        found.unwrap().id()
    };

    assert_eq!(id("main_one"), "l_order::main_one");
    assert_eq!(id("pack"), "l_order::warehouse::pack");
    assert_eq!(id("first"), "order.first");
}

mod same_names {
    use tidings::{Bus, event, listener};

    #[event]
    struct Rang;

    fn one() {
        #[listener(id = "same.one")]
        fn ring(_: &Rang) {}
        ring(&Rang);
    }

    fn two() {
        #[listener(id = "same.two")]
        fn ring(_: &Rang) {}
        ring(&Rang);
    }

    #[test]
    fn l5_same_named_listeners_in_two_function_bodies_are_told_apart_by_an_id() {
        one();
        two();
        let both = Bus::builder()
            .only_ids(["same.one", "same.two"])
            .build()
            .unwrap();
        let single = Bus::builder().only_ids(["same.two"]).build().unwrap();

        assert_eq!(both.emit(Rang).report().ran(), 2);
        assert_eq!(single.emit(Rang).report().ran(), 1);
    }
}
