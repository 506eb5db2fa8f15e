use tidings::event;

#[event(serde)]
#[derive(serde::Deserialize)]
struct Placed {
    total: u32,
}

fn main() {}
