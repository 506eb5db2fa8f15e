use tidings::{AnyEvent, event, listener};

struct Quote;

#[event("orders.quote", reply = Quote)]
struct GetQuote;

#[listener("orders.*", reply)]
fn quote(_: &AnyEvent<'_>) -> Quote {
    Quote
}

fn main() {}
