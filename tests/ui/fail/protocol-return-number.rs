use tidings::protocol;
use tidings::transport::DataReceived;

struct Echo;

#[protocol]
impl Echo {
    #[listener]
    fn data(&mut self, _: &DataReceived) -> u32 {
        1
    }
}

fn main() {}
