#[tidings::main(bus = "setup")]
async fn main() {}
