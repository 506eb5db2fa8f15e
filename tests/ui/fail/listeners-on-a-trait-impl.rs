use tidings::{event, listeners};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

struct Mailer;

trait Confirm {
    fn confirm(&self, _: &Placed);
}

#[listeners]
impl Confirm for Mailer {
    #[listener]
    fn confirm(&self, _: &Placed) {}
}

fn main() {}
