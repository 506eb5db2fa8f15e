use tidings::{event, listener};

#[event]
struct Drawn {
    canvas: std::rc::Rc<u32>,
}

#[listener]
async fn save(_: &Drawn) {}

fn main() {}
