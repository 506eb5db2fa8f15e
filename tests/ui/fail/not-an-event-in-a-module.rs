use tidings::listener;

mod orders {
    pub struct Order<T>(pub T);
}

#[listener("orders.*", when = |e| e.0 > 1)]
fn charge(_: &orders::Order<u8>) -> Result<(), std::fmt::Error> {
    Ok(())
}

fn main() {}
