use tidings::protocol;

#[protocol]
fn data() {}

fn main() {}
