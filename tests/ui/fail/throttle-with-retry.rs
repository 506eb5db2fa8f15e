use tidings::{event, listener};

#[event]
struct Placed;

#[listener(throttle = "1s", retry = 3, workers = 4)]
fn render(_: &Placed) -> Result<(), String> {
    Ok(())
}

fn main() {}
