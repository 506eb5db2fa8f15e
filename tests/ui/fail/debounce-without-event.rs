use tidings::listener;

#[listener(debounce = "200ms")]
fn search() {}

fn main() {}
