use tidings::{event, listener};

struct Quote;

#[event(reply = Quote)]
struct GetQuote;

#[listener(reply = Quote)]
fn quote(_: &GetQuote) -> Quote {
    Quote
}

fn main() {}
