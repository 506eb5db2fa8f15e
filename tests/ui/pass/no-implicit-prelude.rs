//! Without any prelude.
#![no_implicit_prelude]

#[::tidings::event("shop.placed", serde, stoppable)]
#[derive(::serde::Serialize, ::serde::Deserialize)]
struct Placed {
    total: u32,
}

#[::tidings::event("shop.page")]
struct Page<T>(T);

#[::tidings::listener("shop.*", when = |e| e.total == 1, early, before = wire, id = "shop.charge", emits(Placed))]
fn charge(_: &Placed, _cx: ::tidings::Context<'_>) -> ::std::result::Result<(), ::std::fmt::Error> {
    ::std::result::Result::Ok(())
}

#[::tidings::listener(when = |e| e.total == 1)]
async fn wire(_: &Placed, _count: ::std::option::Option<&u64>) {}

#[::tidings::listener("**")]
fn audit(_: &::tidings::AnyEvent<'_>) {}

#[::tidings::listener]
fn list(page: &Page<u8>) {
    ::std::assert!(page.0 == 1);
}

struct Mailer;

#[::tidings::listeners]
impl Mailer {
    #[listener]
    fn confirm(&self, _: &Placed) {}

    #[listener]
    fn count(_: &Placed) {}
}

fn main() {
    let bus = ::tidings::Bus::builder().build().unwrap();
    let _mailer = bus.attach(::std::sync::Arc::new(Mailer)).unwrap();
    ::std::assert_eq!(bus.emit(Placed { total: 1 }).report().ran(), 4);
    ::std::assert_eq!(bus.emit(Page(1_u8)).report().ran(), 2);
}
