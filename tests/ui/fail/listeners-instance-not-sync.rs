use tidings::{event, listeners};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

struct Mailer(std::cell::Cell<u32>);

#[listeners]
impl Mailer {
    #[listener]
    fn confirm(&self, _: &Placed) {}
}

fn main() {}
