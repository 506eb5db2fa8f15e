#[tidings::main(grace = 5, bus)]
async fn main(arguments: u32) {}
