use tidings::{event, listeners};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

struct Mailer;

#[listeners]
impl Mailer {
    #[listener(erly)]
    fn confirm(&self, _: &Placed) {}
}

fn main() {}
