//! The least that a delivery can cost: calls through pointers, without isolation, order or reports.

use std::hint::black_box;

use crate::harness::Contestant;

struct Nobody {
    #[expect(dead_code, reason = "as large as the events of the other contestants")]
    amount: u64,
}

fn ignore(_: &Nobody) {}

/// Makes one call through a pointer, to a function that does nothing.
pub fn call() -> Contestant {
    let function: fn(&Nobody) = ignore;
    Contestant::new("call/0", 0, move |amount| {
        black_box(function)(&Nobody { amount });
    })
}

/// Loops over functions.
///
/// The slice is hidden from the optimiser, which would otherwise call the functions directly.
pub fn functions<E: 'static>(
    name: &'static str,
    functions: Vec<fn(&E)>,
    event: impl Fn(u64) -> E + 'static,
) -> Contestant {
    Contestant::new(name, functions.len(), move |amount| {
        let event = event(amount);
        for function in black_box(functions.as_slice()) {
            function(&event);
        }
    })
}

/// A listener of the floor with state.
pub type Boxed<E> = Box<dyn Fn(&E)>;

/// Loops over boxed closures.
pub fn closures<E: 'static>(
    name: &'static str,
    closures: Vec<Boxed<E>>,
    event: impl Fn(u64) -> E + 'static,
) -> Contestant {
    Contestant::new(name, closures.len(), move |amount| {
        let event = event(amount);
        for closure in black_box(closures.as_slice()) {
            closure(&event);
        }
    })
}
