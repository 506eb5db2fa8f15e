use tidings::{event, listener};

struct Quote;

#[event(reply = Quote)]
struct GetQuote;

#[listener(reply, debounce = "1s")]
fn last(_: &GetQuote) -> Quote {
    Quote
}

#[listener(reply, throttle = "1s")]
fn some(_: &GetQuote) -> Quote {
    Quote
}

fn main() {}
