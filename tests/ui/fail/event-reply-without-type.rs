use tidings::event;

#[event(reply)]
struct GetQuote;

fn main() {}
