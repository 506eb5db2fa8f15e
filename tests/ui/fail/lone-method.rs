use tidings::{event, listener};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

struct Mailer;

impl Mailer {
    #[listener]
    fn confirm(&self, _: &Placed) {}
}

fn main() {}
