//! Names of the prelude mean something else here, and macros write the function.
#![deny(unused, unreachable_pub)]

#[allow(dead_code)]
struct Result;
#[allow(dead_code)]
struct Option;
#[allow(dead_code)]
struct Ok;
#[allow(dead_code)]
struct String;
mod std {}
mod core {}

macro_rules! program {
    ($body:block) => {
        #[tidings::main(grace = "1s", bus = setup::bus)]
        /// With words.
        pub(crate) async fn main() -> ::std::result::Result<(), ::std::io::Error> $body
    };
}

mod setup {
    pub(crate) fn bus(bus: tidings::BusBuilder) -> tidings::BusBuilder {
        bus
    }
}

program!({
    ::tidings::event_loop::EventLoop::current().expect("a loop runs").next_turn().await;
    ::std::result::Result::Ok(())
});
