use tidings::event;

#[event(reply = impl Clone)]
struct GetQuote;

fn main() {}
