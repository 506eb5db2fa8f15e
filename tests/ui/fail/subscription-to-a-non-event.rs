use tidings::Bus;

struct Placed;

fn main() {
    Bus::empty().on(|_: &Placed| {}).forever();
}
