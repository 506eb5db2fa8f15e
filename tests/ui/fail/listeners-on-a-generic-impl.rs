use tidings::{event, listeners};

#[event("orders.placed")]
struct Placed {
    total: u32,
}

struct Mailer<T>(T);

#[listeners]
impl<T> Mailer<T> {
    #[listener]
    fn confirm(&self, _: &Placed) {}
}

fn main() {}
