use std::rc::Rc;

use tidings::{Bus, event};

#[event]
struct Painted {
    canvas: Rc<u8>,
}

fn main() {
    let bus = Bus::empty();
    let _ = bus.next::<Painted>();
    let _ = bus.stream::<Painted>();
}
