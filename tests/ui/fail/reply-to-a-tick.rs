use tidings::listener;

#[listener(reply, every = "1s")]
fn quote() -> u32 {
    7
}

fn main() {}
