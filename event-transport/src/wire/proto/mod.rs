//! The protocol without input and output: bytes go in and come out, and time is a parameter.

pub mod calls;
pub mod credit;
pub mod frame;
pub mod greeter;
pub mod inbox;
pub mod inlet;
pub mod outbox;
pub mod pulse;
pub mod session;
pub mod terms;
