use tidings::{event, listener};

#[event]
struct Drawn {
    canvas: std::rc::Rc<u32>,
}

#[listener(queue = 64)]
fn save(_: &Drawn) {}

fn main() {}
