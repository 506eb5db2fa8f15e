use tidings::protocol;
use tidings::transport::{AfterEof, DataReceived};

struct Echo;

#[protocol]
impl Echo {
    #[listener]
    fn data(&mut self, _: &DataReceived) -> AfterEof {
        AfterEof::Close
    }
}

fn main() {}
