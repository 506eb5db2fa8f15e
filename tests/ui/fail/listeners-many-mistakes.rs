use tidings::{event, listeners};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

struct Mailer;

#[listeners]
impl Mailer {
    #[listener(wen = |e| e.total > 1)]
    fn confirm(&mut self, _: Placed) {}

    #[listener]
    const fn remind() {}
}

fn main() {}
