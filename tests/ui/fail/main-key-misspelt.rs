#[tidings::main(grase = "5s")]
async fn main() {}
