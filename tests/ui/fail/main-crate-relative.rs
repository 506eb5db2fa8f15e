#[tidings::main(crate = tidings)]
async fn main() {}
