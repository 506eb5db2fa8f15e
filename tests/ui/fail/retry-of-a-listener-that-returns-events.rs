use tidings::{event, listener};

#[event("orders.placed")]
struct Placed;

#[event]
struct Booked;

#[listener(queue = 64, retry = 3)]
async fn book(_: &Placed) -> (Booked, Option<Booked>) {
    (Booked, None)
}

fn main() {}
