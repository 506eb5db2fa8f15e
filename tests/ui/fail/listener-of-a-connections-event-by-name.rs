use tidings::transport::DataReceived;
use tidings::{AnyEvent, listener};

#[listener(DataReceived)]
fn any(_: &AnyEvent) {}

fn main() {}
