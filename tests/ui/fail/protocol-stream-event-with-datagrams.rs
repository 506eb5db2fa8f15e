use tidings::protocol;
use tidings::transport::{DataReceived, DatagramTransport};

struct Echo;

#[protocol]
impl Echo {
    #[listener]
    fn data(&mut self, _: &DataReceived, t: &DatagramTransport) {
        t.close();
    }
}

fn main() {}
