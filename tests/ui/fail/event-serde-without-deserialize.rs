use tidings::event;

#[event(serde)]
#[derive(serde::Serialize)]
struct Placed {
    total: u32,
}

fn main() {}
