use tidings::listener;

#[listener(every = "10s", overlap = "parallel", limit = 2, workers = 2)]
async fn tick() {}

fn main() {}
