use tidings::event;

#[event("orders placed", version = 0, stopable, unheard = "never")]
struct Placed<'a>(&'a str);

fn main() {}
