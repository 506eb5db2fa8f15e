use tidings::event;

#[event(reply = u32, unanswered = "warn")]
struct GetQuote;

fn main() {}
