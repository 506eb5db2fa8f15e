//! User modules are called like the crates that generated code needs.
#![allow(dead_code)]

mod tidings {
    pub mod __private {}
}
mod std {}
mod core {}
mod alloc {}
mod inventory {}
mod serde {}

mod event {
    #[::tidings::event(serde)]
    #[derive(::serde::Serialize, ::serde::Deserialize)]
    pub struct Placed {
        pub total: u32,
    }
}

#[::tidings::listener(when = |e| e.total == 1)]
fn charge(_: &event::Placed, _cx: ::tidings::Context<'_>) {}

#[::tidings::listener]
async fn wire(_: &event::Placed) {}

struct Mailer;

#[::tidings::listeners]
impl Mailer {
    #[listener]
    fn confirm(&self, _: &event::Placed) {}
}

fn main() {
    let bus = ::tidings::Bus::builder().build().expect("no state is missing");
    let _mailer = bus.attach(::std::sync::Arc::new(Mailer)).expect("no state is missing");
    assert_eq!(bus.emit(event::Placed { total: 1 }).report().ran(), 2);
}
