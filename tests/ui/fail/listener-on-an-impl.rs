use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

struct Mailer;

#[listener]
impl Mailer {
    fn confirm(&self, _: &Placed) {}
}

fn main() {}
