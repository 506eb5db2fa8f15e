use tidings::{event, listeners};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

struct Mailer;

impl Mailer {
    const NONE: usize = 0;
}

#[listeners]
impl Mailer {
    #[listener(limit = Self::NONE)]
    async fn confirm(&self, _: &Placed) {}
}

fn main() {}
