use tidings::event;

#[event]
struct Paged<T> {
    items: Vec<T>,
}

fn main() {}
