#[tidings::main("5s")]
async fn main() {}
