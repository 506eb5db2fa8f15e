//! Awaited emissions with listeners that are ready at once.
//!
//! Not in the library: more listeners on the bus of the inline contestants would be other contestants.

use std::hint::black_box;
use std::rc::Rc;

use tidings::{BuildError, Bus, event, listener};
use tidings_benches::harness::Contestant;
use tidings_benches::work;
use tokio::runtime::Runtime;

#[event("awaited.single")]
struct Single {
    amount: u64,
}

#[listener]
async fn hear_single(event: &Single) {
    work::add(event.amount, 0);
}

#[event("awaited.paid")]
struct Paid {
    amount: u64,
}

macro_rules! ten_listeners {
    ($($name:ident $number:literal)*) => {$(
        #[listener]
        async fn $name(event: &Paid) {
            work::add(event.amount, $number);
        }
    )*};
}

ten_listeners! {
    pay_0 0 pay_1 1 pay_2 2 pay_3 3 pay_4 4 pay_5 5 pay_6 6 pay_7 7 pay_8 8 pay_9 9
}

/// Builds a bus of these listeners alone; without a runtime they run in the awaiting task.
///
/// # Errors
///
/// When the bus cannot be built.
pub(crate) fn bus(runtime: Option<&Runtime>) -> Result<Bus, BuildError> {
    let pays = (
        pay_0, pay_1, pay_2, pay_3, pay_4, pay_5, pay_6, pay_7, pay_8, pay_9,
    );
    let builder = Bus::builder().only((hear_single, pays));
    match runtime {
        Some(runtime) => builder.runtime(runtime.handle().clone()).build(),
        None => builder.build(),
    }
}

/// Awaits emissions to one listener.
pub(crate) async fn emit_to_one(bus: &Bus, calls: u64) {
    for _ in 0..calls {
        let amount = black_box(1);
        bus.emit(Single { amount }).await;
    }
}

/// Awaits emissions to ten listeners.
pub(crate) async fn emit_to_ten(bus: &Bus, calls: u64) {
    for _ in 0..calls {
        let amount = black_box(1);
        bus.emit(Paid { amount }).await;
    }
}

/// The one thread on which all contestants await, and on which what they spawn runs: waking another one would cost more than the rest.
///
/// # Errors
///
/// When the system refuses.
pub(crate) fn runtime() -> std::io::Result<Rc<Runtime>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(Rc::new(runtime))
}

/// Emissions in the awaiting task, and on the runtime.
///
/// # Errors
///
/// When a bus cannot be built.
pub(crate) fn contestants(runtime: &Rc<Runtime>) -> Result<Vec<Contestant>, BuildError> {
    let (here, there) = (bus(None)?, bus(Some(runtime))?);
    Ok(vec![
        one("tidings in task/1", &here, runtime),
        ten("tidings in task/10", &here, runtime),
        one("tidings on tokio/1", &there, runtime),
        ten("tidings on tokio/10", &there, runtime),
    ])
}

fn one(name: &'static str, bus: &Bus, runtime: &Rc<Runtime>) -> Contestant {
    let (bus, runtime) = (bus.clone(), Rc::clone(runtime));
    Contestant::in_runs(name, 1, move |calls| {
        runtime.block_on(emit_to_one(&bus, calls));
    })
}

fn ten(name: &'static str, bus: &Bus, runtime: &Rc<Runtime>) -> Contestant {
    let (bus, runtime) = (bus.clone(), Rc::clone(runtime));
    Contestant::in_runs(name, 10, move |calls| {
        runtime.block_on(emit_to_ten(&bus, calls));
    })
}
