use tidings::event;

#[event(reply = std::rc::Rc<u8>)]
struct GetQuote;

fn main() {}
