use tidings::{event, listeners};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

struct Mailer;

#[listeners]
impl Mailer {
    #[listener]
    fn confirm(&self) {}
}

fn main() {}
