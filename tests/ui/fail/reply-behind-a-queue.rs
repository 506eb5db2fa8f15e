use tidings::{event, listener};

struct Quote;

#[event(reply = Quote)]
struct GetQuote;

#[listener(reply, queue = 64, workers = 2)]
fn quote(_: &GetQuote) -> Quote {
    Quote
}

fn main() {}
