use tidings::{event, listeners};

#[event("orders.placed")]
struct Placed;

struct Index;

#[listeners]
impl Index {
    #[listener(queue = 64, batch = 64)]
    fn index(&self, _: &Placed) {}
}

fn main() {}
