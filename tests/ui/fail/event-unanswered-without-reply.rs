use tidings::event;

#[event(unanswered = "ignore")]
struct GetQuote;

fn main() {}
