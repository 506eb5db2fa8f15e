use tidings::protocol;
use tidings::transport::{ConnectionMade, DataReceived, DatagramReceived};

struct Echo;

#[protocol]
impl Echo {
    #[listener]
    fn made(&mut self, _: &ConnectionMade) {}

    #[listener]
    fn data(&mut self, _: &DataReceived) {}

    #[listener]
    fn datagram(&mut self, _: &DatagramReceived) {}
}

fn main() {}
