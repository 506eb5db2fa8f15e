use tidings::{event, protocol};

#[event]
struct Placed;

struct Echo;

#[protocol]
impl Echo {
    #[listener]
    fn placed(&mut self, _: &Placed) -> Result<(), String> {
        Ok(())
    }
}

fn main() {}
