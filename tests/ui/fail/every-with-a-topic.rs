use tidings::listener;

#[listener("orders.*", every = "10s")]
fn tick() {}

fn main() {}
