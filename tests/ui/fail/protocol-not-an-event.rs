use tidings::protocol;

struct Placed;

struct Echo;

#[protocol]
impl Echo {
    #[listener]
    fn placed(&mut self, _: &Placed) {}
}

fn main() {}
