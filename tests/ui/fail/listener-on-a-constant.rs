use tidings::listener;

#[listener]
const CHARGE: u32 = 1;

fn main() {}
