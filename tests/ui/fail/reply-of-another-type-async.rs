use tidings::{event, listener};

struct Quote;

#[event(reply = Quote)]
struct GetQuote;

#[listener(reply)]
async fn quote(_: &GetQuote) -> Result<u32, String> {
    Ok(7)
}

fn main() {}
