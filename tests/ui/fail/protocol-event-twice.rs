use tidings::protocol;
use tidings::transport::DataReceived;

type Bytes = DataReceived;

struct Echo;

#[protocol]
impl Echo {
    #[listener]
    fn data(&mut self, _: &DataReceived) {}

    #[listener]
    fn bytes(&mut self, _: &Bytes) {}
}

fn main() {}
