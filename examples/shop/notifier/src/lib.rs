//! What the customers of the shop are told: that they are loyal ones now, and thanks for large orders.
//!
//! The messages go through an outside service that fails now and then, so they wait in queues and are tried again. Whoever
//! cannot be told is counted and named in the report. The notifier knows the events and nothing else.

mod listeners;
mod message;
mod notifier;
mod service;

pub use message::NotSent;
pub use notifier::Notifier;
