//! `tidings`, and floors that call the very same listener functions.

use std::error::Error;
use std::sync::Arc;

use tidings::{Bus, Installed, emit, event, listener};

use crate::floor::{self, Boxed};
use crate::harness::Contestant;
use crate::work;

#[event]
struct Unheard {
    #[expect(dead_code, reason = "as large as the events of the other contestants")]
    amount: u64,
}

#[event]
struct Single {
    amount: u64,
}

#[listener]
fn hear_single(event: &Single) {
    work::add(event.amount, 0);
}

#[event]
struct Paid {
    amount: u64,
}

#[event]
struct Booked {
    amount: u64,
}

/// The state of the listeners that have one.
struct Ledger {
    scale: u64,
}

macro_rules! ten_listeners {
    ($($plain:ident $stateful:ident $number:literal,)*) => {
        $(
            #[listener]
            fn $plain(event: &Paid) {
                work::add(event.amount, $number);
            }

            #[listener]
            fn $stateful(event: &Booked, ledger: &Ledger) {
                work::add(event.amount * ledger.scale, $number);
            }
        )*

        const PLAIN: &[fn(&Paid)] = &[$($plain),*];

        fn boxed(ledger: &Arc<Ledger>) -> Vec<Boxed<Booked>> {
            vec![$({
                let ledger = Arc::clone(ledger);
                Box::new(move |event: &Booked| $stateful(event, &ledger))
            }),*]
        }
    };
}

ten_listeners! {
    pay_0 book_0 0,
    pay_1 book_1 1,
    pay_2 book_2 2,
    pay_3 book_3 3,
    pay_4 book_4 4,
    pay_5 book_5 5,
    pay_6 book_6 6,
    pay_7 book_7 7,
    pay_8 book_8 8,
    pay_9 book_9 9,
}

#[event("generic")]
struct Generic<T: 'static> {
    amount: u64,
    #[expect(
        dead_code,
        reason = "an event type that is generic needs a field of the type"
    )]
    detail: T,
}

#[listener]
fn hear_generic(event: &Generic<u32>) {
    work::add(event.amount, 0);
}

#[event]
struct Subscribed {
    amount: u64,
}

/// Builds the bus of all listeners here and installs it until the guard is dropped.
///
/// # Errors
///
/// When the bus cannot be built or another bus is installed.
pub fn install() -> Result<Installed, Box<dyn Error>> {
    let bus = Bus::builder().state(Ledger { scale: 1 }).build()?;
    bus.on(|event: &Subscribed| work::add(event.amount, 0))
        .forever();
    Ok(bus.install()?)
}

/// Emits to nobody.
pub fn nobody(bus: &Bus) -> Contestant {
    let bus = bus.clone();
    Contestant::new("tidings/0", 0, move |amount| {
        bus.emit(Unheard { amount });
    })
}

/// Emits to one listener.
pub fn one(bus: &Bus) -> Contestant {
    let bus = bus.clone();
    Contestant::new("tidings/1", 1, move |amount| {
        bus.emit(Single { amount });
    })
}

/// Emits to ten listeners.
pub fn ten(bus: &Bus) -> Contestant {
    let bus = bus.clone();
    Contestant::new("tidings/10", 10, move |amount| {
        bus.emit(Paid { amount });
    })
}

/// Emits to ten listeners with state.
pub fn ten_with_state(bus: &Bus) -> Contestant {
    let bus = bus.clone();
    Contestant::new("tidings with state/10", 10, move |amount| {
        bus.emit(Booked { amount });
    })
}

/// Emits an event of a generic type to one listener.
pub fn generic(bus: &Bus) -> Contestant {
    let bus = bus.clone();
    Contestant::new("tidings generic/1", 1, move |amount| {
        let detail = 7_u32;
        bus.emit(Generic { amount, detail });
    })
}

/// Emits to one closure that was subscribed at run time.
pub fn subscription(bus: &Bus) -> Contestant {
    let bus = bus.clone();
    Contestant::new("tidings subscription/1", 1, move |amount| {
        bus.emit(Subscribed { amount });
    })
}

/// Emits to one listener with the free function, on the installed bus.
pub fn free_one() -> Contestant {
    Contestant::new("tidings free/1", 1, |amount| {
        emit(Single { amount });
    })
}

/// Emits to ten listeners with the free function, on the installed bus.
pub fn free_ten() -> Contestant {
    Contestant::new("tidings free/10", 10, |amount| {
        emit(Paid { amount });
    })
}

/// Returns everything above.
pub fn contestants(bus: &Bus) -> Vec<Contestant> {
    vec![
        nobody(bus),
        one(bus),
        ten(bus),
        ten_with_state(bus),
        generic(bus),
        subscription(bus),
        free_one(),
        free_ten(),
    ]
}

/// Returns the floors.
pub fn floors() -> Vec<Contestant> {
    let ledger = Arc::new(Ledger { scale: 1 });
    vec![
        floor::call(),
        floor::functions("functions/1", vec![hear_single], |amount| Single { amount }),
        floor::functions("functions/10", PLAIN.to_vec(), |amount| Paid { amount }),
        floor::closures("closures/10", boxed(&ledger), |amount| Booked { amount }),
    ]
}
