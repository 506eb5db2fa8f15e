use tidings::event;

#[event]
fn placed() {}

fn main() {}
