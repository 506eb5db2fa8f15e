use tidings::protocol;
use tidings::transport::{DataReceived, ReadInto};

struct Parser {
    buffer: [u8; 1024],
}

impl ReadInto for Parser {
    fn buffer(&mut self) -> &mut [u8] {
        &mut self.buffer
    }
}

#[protocol]
impl Parser {
    #[listener]
    fn data(_: &DataReceived) {}
}

fn main() {}
