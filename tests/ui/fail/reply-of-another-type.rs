use tidings::{event, listener};

struct Quote;

#[event(reply = Quote)]
struct GetQuote;

#[listener(reply)]
fn quote(_: &GetQuote) -> u32 {
    7
}

fn main() {}
