#[tidings::main]
async fn main<T>() {}
