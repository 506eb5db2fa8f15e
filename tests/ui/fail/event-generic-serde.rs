use tidings::event;

#[event("paged", serde)]
struct Paged<T> {
    items: Vec<T>,
}

fn main() {}
