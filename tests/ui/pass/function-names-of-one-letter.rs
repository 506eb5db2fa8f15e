//! The names of listeners are the user's: none is a name of the generated code.

use tidings::{Bus, Context, event, listener};

#[event]
struct Placed;

struct Db;

macro_rules! listeners {
    ($($name:ident)*) => {
        $(
            #[listener(when = |_| true)]
            fn $name(_: &Placed, _db: &Db, _cx: Context<'_>) {}
        )*
    };
}

listeners!(b d e h this when held p1 p2 event HEARS SELECTORS GIVES INVENTORY tidings);

#[listener]
async fn future(_: &Placed, _db: &Db, _cx: Context<'_>) {}

fn main() {
    let bus = Bus::builder().state(Db).build().expect("everything is given");
    let report = bus.emit(Placed).report();
    assert_eq!((report.ran(), report.failed()), (15, 1), "{report}");
}
