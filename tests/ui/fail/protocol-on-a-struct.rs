use tidings::protocol;

#[protocol]
struct Echo;

fn main() {}
