use tidings::listener;

struct Order {
    total: u32,
}

#[listener(when = |e| e.total > 100)]
fn charge(_: &Order) {}

fn main() {}
