use tidings::listeners;

struct Mailer;

struct Order;

#[listeners]
impl Mailer {
    #[listener]
    fn confirm(&self, _: &Order) {}
}

fn main() {}
