use tidings::event;

#[event]
struct Placed<'a> {
    item: &'a str,
}

fn main() {}
