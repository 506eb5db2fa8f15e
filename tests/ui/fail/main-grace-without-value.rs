#[tidings::main(grace)]
async fn main() {}
