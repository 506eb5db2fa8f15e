use tidings::{Bus, event};

#[event]
struct Placed;

fn main() {
    let bus = Bus::empty();
    let _ = bus.request(Placed);
}
