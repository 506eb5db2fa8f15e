//! A module and a function of one name, listeners in private nested modules, an event named like its listener's module.

use tidings::{event, listener, Bus};

#[event]
pub struct Placed;

mod charge {
    mod inner {
        #[tidings::listener(before = super::super::charge)]
        fn charge(_: &super::super::Placed) {}

        pub(super) mod deeper {
            use crate::Placed;

            #[tidings::listener]
            pub(in crate::charge) fn charge(_: &Placed) {}
        }
    }

    #[tidings::listener(after = inner::deeper::charge)]
    pub(crate) fn book(_: &super::Placed) {}
}

#[listener]
fn charge(_: &Placed) {}

fn main() {
    let bus = Bus::builder().build().expect("the ids differ");
    assert_eq!(bus.emit(Placed).report().ran(), 4);
}
