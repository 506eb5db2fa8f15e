use tidings::{event, listener};

struct Quote;
struct Late;

#[event(reply = Quote)]
struct GetQuote;

#[listener(reply)]
fn quote(_: &GetQuote) -> Result<Quote, Late> {
    Err(Late)
}

fn main() {}
