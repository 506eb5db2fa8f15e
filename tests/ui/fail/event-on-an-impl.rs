use tidings::event;

struct Placed;

#[event]
impl Placed {}

fn main() {}
