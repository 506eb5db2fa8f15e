use tidings::{event, listeners};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

struct Mailer;

#[listeners]
impl Mailer {
    #[listener(limit = 8)]
    fn confirm(&self, _: &Placed) {}
}

fn main() {}
