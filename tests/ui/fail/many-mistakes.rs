use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener("orders.pl*", erly, id = "", emits())]
unsafe fn charge<T>(_: Placed, _: impl Send) -> impl Send {}

fn main() {}
