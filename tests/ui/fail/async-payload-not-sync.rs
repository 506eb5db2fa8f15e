use tidings::{event, listener};

#[event]
struct Drawn {
    canvas: std::cell::Cell<u32>,
}

#[listener]
async fn save(_: &Drawn) {}

fn main() {}
