use tidings::event;

#[event]
struct Größe;

fn main() {}
