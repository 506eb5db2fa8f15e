use tidings::event;

#[event]
struct Placed {
    item: &str,
}

fn main() {}
