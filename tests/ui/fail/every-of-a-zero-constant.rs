use std::time::Duration;
use tidings::listener;

const PERIOD: Duration = Duration::ZERO;

#[listener(every = PERIOD)]
fn tick() {}

fn main() {}
