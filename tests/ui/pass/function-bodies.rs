//! Items in function bodies, where names repeat.

use tidings::{event, listener, Bus};

#[event]
struct Placed;

fn first() {
    #[listener(id = "first.local")]
    fn local(_: &Placed) {}
}

fn second() {
    #[event]
    struct Inner;

    #[listener(id = "second.local")]
    fn local(_: &Placed) {}

    #[listener]
    fn inner(_: &Inner) {}

    if true {
        #[listener(id = "block.local")]
        fn local(_: &Inner) {}
    }

    let bus = Bus::builder().build().expect("the ids differ");
    assert_eq!(bus.emit(Placed).report().ran(), 2);
    assert_eq!(bus.emit(Inner).report().ran(), 2);
}

fn main() {
    first();
    second();
}
