fn main() {}

#[tidings::main]
async fn start() {}
