//! Events and listeners that a macro writes, two of each in one call.

use tidings::{Bus, Context};

macro_rules! feature {
    ($($event:ident($field:ident: $ty:ty) $topic:literal => $first:ident, $second:ident;)*) => {
        $(
            #[tidings::event($topic)]
            pub struct $event {
                $field: $ty,
            }

            #[tidings::listener]
            fn $first(e: &$event, _cx: Context<'_>) {
                let _: &$ty = &e.$field;
            }

            #[tidings::listener($topic, after = $first, when = |e| e.$field != <$ty>::default())]
            fn $second(e: &$event) -> Option<$event> {
                (e.$field == <$ty>::default()).then(|| $event { $field: <$ty>::default() })
            }
        )*
    };
}

feature! {
    Placed(total: u32) "shop.placed" => charge, book;
    Shipped(to: String) "shop.shipped" => track, tell;
}

macro_rules! listen {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($event:ty, $state:ty) -> $output:ty $body:block) => {
        $(#[$meta])*
        $vis fn $name(_: &$event, _: $state) -> $output $body
    };
}

listen! {
    #[tidings::listener(late)]
    pub fn audit(Placed, Option<&u32>) -> Result<(), std::fmt::Error> { Ok(()) }
}

macro_rules! methods {
    ($owner:ident: $(fn $name:ident($event:ty) $body:block)*) => {
        #[tidings::listeners]
        impl $owner {
            $(
                #[listener]
                fn $name(&self, _: &$event) $body
            )*
        }
    };
}

struct Mailer;

methods! {
    Mailer:
    fn placed(Placed) {}
    fn shipped(Shipped) {}
}

fn main() {
    let bus = Bus::builder().build().expect("nothing is missing");
    let _mailer = bus.attach(std::sync::Arc::new(Mailer)).expect("nothing is missing");
    assert_eq!(bus.emit(Placed { total: 1 }).report().ran(), 4);
    let report = bus.emit(Shipped { to: String::new() }).report();
    assert_eq!((report.ran(), report.skipped()), (2, 1));
}
