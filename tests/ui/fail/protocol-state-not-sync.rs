use std::cell::Cell;

use tidings::protocol;
use tidings::transport::DataReceived;

struct Echo;

#[protocol]
impl Echo {
    #[listener]
    fn data(&mut self, _: &DataReceived, count: &Cell<u32>) {
        let _ = count;
    }
}

fn main() {}
