use tidings::{event, listener};

#[event]
struct Drawn {
    canvas: std::cell::Cell<u32>,
}

#[listener(queue = 64)]
fn save(_: &Drawn) {}

fn main() {}
