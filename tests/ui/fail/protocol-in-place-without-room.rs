use tidings::protocol;
use tidings::transport::BufferFilled;

struct Parser;

#[protocol]
impl Parser {
    #[listener]
    fn filled(_: &BufferFilled) {}
}

fn main() {}
