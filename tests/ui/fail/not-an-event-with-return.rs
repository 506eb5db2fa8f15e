use tidings::{Context, listener};

struct Order;

#[listener]
fn charge(_: &Order, _cx: Context<'_>) -> Result<(), std::fmt::Error> {
    Ok(())
}

fn main() {}
