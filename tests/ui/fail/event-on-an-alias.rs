use tidings::event;

#[event]
type Placed = u32;

fn main() {}
