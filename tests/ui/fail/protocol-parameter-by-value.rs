use tidings::protocol;
use tidings::transport::{DataReceived, Transport};

struct Echo;

#[protocol]
impl Echo {
    #[listener]
    fn data(&mut self, _: &DataReceived, t: Transport, n: u32) {
        let _ = (t, n);
    }
}

fn main() {}
