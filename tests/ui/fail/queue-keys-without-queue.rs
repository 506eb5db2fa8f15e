use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

#[listener(
    workers = 4,
    key = |e| e.total,
    batch = 64,
    overflow = "reject",
    retry = 3,
    backoff = "100ms..5s",
    retry_if = |error| error.is::<std::io::Error>()
)]
fn charge(_: &Placed) -> Result<(), String> {
    Err(String::new())
}

fn main() {}
